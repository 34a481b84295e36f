"""Stage vq: the mask VQ-VAE of the published layout, trained on masks of scenes and random shapes.

Straight-through estimator, a codebook kept as moving averages (decay 0.99), commitment weight 0.25,
dead codes revived. K masks of 64 x 64 pixels.
"""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.random import Generator
from torch import Tensor, nn

from gemma_vision.optimization.stage import TrainingStage, adamw, update
from gemma_vision.synthetic.poses import NUM_NAMES
from postprocess.tokens import CODES_PER_MASK, NUM_CODES
from postprocess.vqvae import MaskVQVAE
from training.data.masks import draw_masks
from training.run import Pace, TrainingRun, open_stage

POOL = 8000  # masks drawn before training; flips and transposes multiply them by eight
BATCH = 32
DECAY = 0.99
POLISH_PEAK, POLISH_DECAY = 1e-3, 1e-4
REVIVE_EVERY, REVIVE_UNTIL, DEAD = 20, 0.7, 0.15  # steps, share of the stage, share of mean use


def train_mask_vae(
    run: TrainingRun, pace: Pace, *, pool: int = POOL, names: int = NUM_NAMES
) -> MaskVQVAE:
    """Train on masks of so many names (or go on where the run stopped) -> the frozen model.

    From here on the codes are labels: `polish_decoder` may still improve how they are drawn.
    """
    torch.manual_seed(run.seed)
    model = MaskVQVAE().to(run.device)
    codes = CodebookAverage(model).to(run.device)
    trained = nn.ModuleDict({"model": model, "codes": codes})
    weights = [*model.encoder.parameters(), *model.decoder.parameters()]
    opt = adamw([(weights, 1.5e-3 * pace.gain)], decay=1e-4)
    stage = open_stage(run, "vq", pace, trained, opt)
    if stage.is_due:
        rng = np.random.default_rng((run.seed, stage.steps))
        masks = draw_masks(rng, pool, names=names)
        stage.run(VqStep(model, codes, stage, masks, rng, BATCH * pace.times))
    return model.requires_grad_(False).eval()


def polish_decoder(
    run: TrainingRun, model: MaskVQVAE, pace: Pace, *, pool: int = POOL, names: int = NUM_NAMES
) -> None:
    """Train the decoder alone, in place, with encoder and codebook frozen: no code changes."""
    opt = adamw([(list(model.decoder.parameters()), POLISH_PEAK * pace.gain)], POLISH_DECAY)
    stage = open_stage(run, "polish", pace, model.decoder, opt)
    if stage.is_due:
        model.decoder.requires_grad_(True)
        rng = np.random.default_rng((run.seed, 1, stage.steps))
        masks = draw_masks(rng, pool, shapes=0.2, names=names)
        stage.run(PolishStep(model, stage, masks, rng, BATCH * pace.times))
    model.requires_grad_(False)


class CodebookAverage(nn.Module):
    """Moving averages of how often each code is used and of the features that chose it."""

    count: Tensor
    total: Tensor

    def __init__(self, model: MaskVQVAE) -> None:
        super().__init__()
        self.register_buffer("count", torch.ones(NUM_CODES))
        self.register_buffer("total", model.codebook.vectors.detach().clone())

    @torch.no_grad()
    def start(self, features: Tensor) -> None:
        """Begin with code vectors drawn from (N, 512) encoder outputs."""
        self.total.copy_(features[torch.randperm(len(features))[:NUM_CODES]])
        self.count.fill_(1.0)

    @torch.no_grad()
    def update(self, features: Tensor, chosen: Tensor) -> Tensor:
        """Move towards a batch: features (N, 512), chosen (N,) -> code vectors (128, 512)."""
        picks = F.one_hot(chosen, NUM_CODES).to(features.dtype)
        self.count.lerp_(picks.sum(0), 1 - DECAY)
        self.total.lerp_(picks.T @ features, 1 - DECAY)
        return self.total / (self.count + 1e-5)[:, None]

    @torch.no_grad()
    def revive(self, features: Tensor) -> None:
        """Give codes that are hardly used a feature of this batch, with 1 % noise."""
        mean = self.count.mean()
        dead = torch.nonzero(self.count < DEAD * mean).flatten()
        if not len(dead):
            return
        picks = features[torch.randint(len(features), (len(dead),))]
        self.total[dead] = mean * (picks + 0.01 * picks.std() * torch.randn_like(picks))
        self.count[dead] = mean


class VqStep:
    """One update of encoder, decoder and codebook."""

    def __init__(
        self,
        model: MaskVQVAE,
        codes: CodebookAverage,
        stage: TrainingStage,
        masks: np.ndarray,
        rng: Generator,
        size: int,
    ):
        self.model, self.codes, self.stage, self.masks, self.rng = model, codes, stage, masks, rng
        self.size = size
        self.model.codebook.requires_grad_(False)

    def __call__(self, progress: float) -> dict[str, float]:
        masks = draw_batch(self.rng, self.masks, self.size).to(self.stage.device)
        with self.stage.autocast():
            features = self.model.features(2 * masks - 1)
        flat = features.float().permute(0, 2, 3, 1).reshape(-1, features.shape[1])
        if self.stage.steps == 0:
            self.codes.start(flat.detach())
        chosen = self.model.codebook.nearest(flat.detach())
        vectors = self.model.vectors(chosen.view(-1, CODES_PER_MASK))
        commitment = F.mse_loss(features.float(), vectors)
        with self.stage.autocast():
            output = self.model.decoder(features + (vectors - features).detach())
        loss = reconstruction(output.float(), masks) + 0.25 * commitment
        update(self.stage, list(self.model.parameters()), loss)
        self._learn_codes(flat.detach(), chosen, progress)
        iou = mask_iou(output.detach() > 0, masks > 0.5).mean().item()
        used = (self.codes.count > DEAD * self.codes.count.mean()).sum().item()
        return {"loss": loss.item(), "iou": iou, "codes": used}

    @torch.no_grad()
    def _learn_codes(self, flat: Tensor, chosen: Tensor, progress: float) -> None:
        self.model.codebook.vectors.copy_(self.codes.update(flat, chosen))
        if progress < REVIVE_UNTIL and self.stage.steps % REVIVE_EVERY == REVIVE_EVERY - 1:
            self.codes.revive(flat)


class PolishStep:
    """One update of the decoder alone."""

    def __init__(
        self, model: MaskVQVAE, stage: TrainingStage, masks: np.ndarray, rng: Generator, size: int
    ) -> None:
        self.model, self.stage, self.masks, self.rng, self.size = model, stage, masks, rng, size

    def __call__(self, progress: float) -> dict[str, float]:
        masks = draw_batch(self.rng, self.masks, self.size, turned=False).to(self.stage.device)
        with torch.no_grad():
            codes = self.model.encode(2 * masks - 1)
        with self.stage.autocast():
            output = self.model.decode(codes)
        loss = reconstruction(output.float(), masks)
        update(self.stage, list(self.model.decoder.parameters()), loss)
        iou = mask_iou(output.detach() > 0, masks > 0.5).mean().item()
        return {"loss": loss.item(), "iou": iou}


def draw_batch(rng: Generator, masks: np.ndarray, size: int, *, turned: bool = True) -> Tensor:
    """Masks out of a pool, flipped and transposed at random -> (size, 1, 64, 64) in 0..1."""
    picks = masks[rng.integers(len(masks), size=size)]
    if rng.random() < 0.5:
        picks = picks[:, :, ::-1]
    if turned and rng.random() < 0.5:
        picks = picks[:, ::-1]
    if turned and rng.random() < 0.25:
        picks = picks.swapaxes(1, 2)
    return torch.from_numpy(np.ascontiguousarray(picks)).float().div(255)[:, None]


def reconstruction(output: Tensor, masks: Tensor) -> Tensor:
    """(K, 1, 64, 64) logits against masks 0..1: squared error keeps them near -1..1, the
    cross-entropy of four times the logit sharpens the edge."""
    squared = F.mse_loss(output.clamp(-1.5, 1.5), 2 * masks - 1)
    return squared + F.binary_cross_entropy_with_logits(4 * output, masks)


def mask_iou(a: Tensor, b: Tensor) -> Tensor:
    """Two (K, ..., 64, 64) bool -> (K,) intersection over union."""
    both, either = (a & b).flatten(1).sum(1), (a | b).flatten(1).sum(1)
    return both / either.clamp(min=1)


@torch.inference_mode()
def evaluate_mask_vae(model: MaskVQVAE, masks: np.ndarray) -> dict[str, float]:
    """(K, 64, 64) uint8 -> mean and tenth percentile of the IoU, codes in use of 128."""
    device = model.codebook.vectors.device
    truth = torch.from_numpy(masks).to(device).float().div(255)[:, None]
    codes = model.encode(2 * truth - 1)
    iou = mask_iou(model.decode(codes) > 0, truth > 0.5)
    return {
        "iou": iou.mean().item(),
        "iou_p10": iou.quantile(0.1).item(),
        "codes": len(set(codes.flatten().tolist())),
    }
