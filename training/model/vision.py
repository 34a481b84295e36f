"""Stage vision: the tower learns to see, one dense label per patch, before any language.

First large things alone in their pictures, in which a pose is plain to see; then scenes as they
come. B pictures, N patches, D the tower's width.
"""

from collections.abc import Iterator
from dataclasses import replace

from torch import nn

from gemma_vision.optimization.metrics_log import running_means
from gemma_vision.optimization.stage import TrainingStage, adamw, update
from postprocess.vqvae import MaskVQVAE
from training.data.samples import Batch, to_pixels
from training.data.sampling import SceneRecipe
from training.data.streams import scene_batches
from training.model.dense import DenseHead, dense_loss, mask_codes
from training.run import Pace, TrainingRun, open_stage

BATCH = 20
PEAK = 1.2e-3
ALONE_UNTIL, ALONE_SMALLEST = 0.25, 0.45  # share of the stage with one large thing at a time


class VisionStep:
    """One update of tower and head, on the first stream until its share is over."""

    def __init__(self, tower: nn.Module, head: DenseHead, vae: MaskVQVAE, stage: TrainingStage):
        self.tower, self.head, self.vae, self.stage = tower, head, vae, stage
        self.figures: dict[str, float] = {}
        self.alone: Iterator[Batch] = iter(())
        self.data: Iterator[Batch] = iter(())

    def __call__(self, progress: float) -> dict[str, float]:
        batch = next(self.alone if progress < ALONE_UNTIL else self.data)
        with self.stage.autocast():
            features = self.tower(pixel_values=to_pixels(batch)).last_hidden_state
            loss, figures = dense_loss(self.head, features, batch, mask_codes(self.vae, batch))
        update(self.stage, [*self.tower.parameters(), *self.head.parameters()], loss)
        self.figures = running_means(self.figures, figures | {"loss": loss.item()})
        return self.figures


def train_vision(
    run: TrainingRun, tower: nn.Module, vae: MaskVQVAE, recipe: SceneRecipe, pace: Pace
) -> DenseHead:
    """Train the tower in place (or go on where the run stopped) -> the head, for stage joint."""
    width = next(p for n, p in tower.named_parameters() if "position_embedding" in n).shape[1]
    head = DenseHead(width, recipe.num_names).to(run.device)
    trained = nn.ModuleDict({"tower": tower, "head": head})
    opt = adamw([([*trained.parameters()], PEAK * pace.gain)], 0.03)
    stage = open_stage(run, "vision", pace, trained, opt)
    step = VisionStep(tower, head, vae, stage)
    if stage.is_due:
        size, start = BATCH * pace.times, stage.steps
        alone = replace(recipe, max_things=1, empty=0.0, smallest=ALONE_SMALLEST)
        step.alone = scene_batches(run, alone, size, seed=run.seed + 4, start=start)
        step.data = scene_batches(run, recipe, size, seed=run.seed, start=start)
        stage.run(step)
    return head
