"""Shapes: the mask that a checkpoint draws after the true box, against the mean shape of the name.

What `eval` tells of masks hangs on the box that was answered; here the box is given. K pictures.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tokenizers import Tokenizer
from torch import Tensor
from transformers import PaliGemmaForConditionalGeneration

from gemma_vision.synthetic.prompts import TargetObject
from postprocess.metrics import mask_iou
from postprocess.tokens import CODES_PER_MASK, NUM_CODES, write
from postprocess.vqvae import MaskVQVAE
from training.data.masks import crop_mask
from training.drawings.examination import SinglePicture
from training.model.language import SequenceLoss, predict

BATCH = 16


def shape_figures(
    checkpoint: Path, vae: MaskVQVAE, pictures: Sequence[SinglePicture]
) -> dict[str, float]:
    """Mean IoU in the true box (64 x 64): of what is drawn, of the name's mean shape, and of what
    the codes of the true mask draw."""
    truth = np.stack([crop_mask(one.mask, one.box) for one in pictures])
    solid = truth > 127
    with torch.inference_mode():
        right = vae.encode(torch.from_numpy(truth)[:, None].float().div(127.5).sub(1))
        codes = read_codes(checkpoint, pictures)
        drawn, best = (vae.decode(some)[:, 0].numpy() > 0 for some in (codes, right))
    means = mean_shapes([one.name for one in pictures], solid)
    pairs = {"drawn": drawn, "mean_shape": means, "true_codes": best}
    return {
        key: round(float(np.mean([mask_iou(a, b) for a, b in zip(some, solid, strict=True)])), 4)
        for key, some in pairs.items()
    }


def mean_shapes(names: Sequence[str], shapes: np.ndarray) -> np.ndarray:
    """names of K shapes (K, 64, 64) bool -> for each the thresholded mean of those of its name."""
    groups = defaultdict(list)
    for name, shape in zip(names, shapes, strict=True):
        groups[name].append(shape)
    return np.stack([np.mean(groups[name], 0) >= 0.5 for name in names])


def read_codes(checkpoint: Path, pictures: Sequence[SinglePicture]) -> Tensor:
    """Greedy codes after the true box -> (K, 16) int64."""
    model = PaliGemmaForConditionalGeneration.from_pretrained(checkpoint, dtype=torch.float32)
    names = sorted({one.name for one in pictures})
    language = SequenceLoss(Tokenizer.from_file(str(checkpoint / "tokenizer.json")), names)
    groups = [pictures[start : start + BATCH] for start in range(0, len(pictures), BATCH)]
    return torch.cat([_read_some(model.eval(), language, group) for group in groups])


def _read_some(
    model: PaliGemmaForConditionalGeneration,
    language: SequenceLoss,
    pictures: Sequence[SinglePicture],
) -> Tensor:
    side = model.config.vision_config.image_size
    core = model.model
    pixels = torch.stack([_pixels(one.pixels, side) for one in pictures])
    soft = core.multi_modal_projector(core.vision_tower(pixel_values=pixels).last_hidden_state)
    codes = []
    for row, one in enumerate(pictures):
        prefix, ids = _begun(language, one)
        for _ in range(CODES_PER_MASK):
            lengths = torch.tensor([len(prefix)]), torch.tensor([len(ids) + 1])
            known = torch.tensor([[*ids, 0]])
            logits = predict(model, soft[row : row + 1], known, *lengths)[0, -1]
            first = language.first_code
            ids.append(int(logits[first : first + NUM_CODES].argmax()) + first)
        codes.append(torch.tensor(ids[-CODES_PER_MASK:]) - language.first_code)
    return torch.stack(codes)


def _begun(language: SequenceLoss, one: SinglePicture) -> tuple[list[int], list[int]]:
    """The ids of the prompt, and those of prompt and answer up to the first code."""
    height, width = one.pixels.shape[:2]
    x0, y0, x1, y1 = one.box
    box = (y0 / height, x0 / width, y1 / height, x1 / width)
    thing = TargetObject(one.name, box, (0,) * CODES_PER_MASK)
    answer = write([thing.mention(masked=True)])
    prefix, suffix = language.encode(f"segment {one.name}", answer)
    return prefix, [*prefix, *suffix[: suffix.index(language.first_code)]]


def _pixels(pixels: np.ndarray, side: int) -> Tensor:
    """(H, W, 3) uint8 -> (3, S, S) in -1..1, as the checkpoint's processor does it."""
    resized = Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(resized)).permute(2, 0, 1).float().div(127.5).sub(1)
