"""Collages: what is laid on another ground keeps its name, its box and its mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tuning import COLOURS, write_data

from gemma_vision.finetuning.data.collage import CollageSource, MixedSource
from gemma_vision.finetuning.data.dataset_checks import read_folder
from gemma_vision.finetuning.data.image_set import ImageSet, LabelledImage
from gemma_vision.optimization.answer_loss import AnswerLoss, near_codes
from postprocess.mask_formats import extent
from postprocess.tokens import NUM_CODES

SIDE = 128


def source_of(folder: Path, *, masks: bool = True, mirrored: bool = True) -> CollageSource:
    dataset = read_folder(write_data(folder, count=6, masks=masks))
    return CollageSource(ImageSet(dataset.scenes, SIDE), side=SIDE, mirrored=mirrored)


def test_boxes_are_those_of_the_masks_and_masks_those_of_the_pixels(tmp_path) -> None:
    source, rng, seen = source_of(tmp_path), np.random.default_rng(1), set()
    for _ in range(40):
        image = source.draw(rng)
        assert image.pixels.shape == (SIDE, SIDE, 3) and image.pixels.dtype == np.uint8
        for thing in image.objects:
            assert thing.box == extent(thing.mask)
            colour = image.pixels[thing.mask].astype(float).mean(0)
            assert np.abs(colour - COLOURS[thing.name]).max() < 45  # its edge is soft
            seen.add(thing.name)
        masks = [thing.mask for thing in image.objects]
        assert not masks or np.sum(masks, axis=0).max() == 1  # what covers takes from the covered
    assert seen == set(COLOURS)


def test_a_seed_names_a_collage(tmp_path) -> None:
    source = source_of(tmp_path)
    first, again, other = (source.draw(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (first.pixels == again.pixels).all() and (first.pixels != other.pixels).any()


def test_things_without_masks_are_never_cut_out(tmp_path) -> None:
    assert source_of(tmp_path, masks=False).is_empty


def test_sources_are_drawn_by_their_shares() -> None:
    def plain(value: int):
        return lambda rng: LabelledImage(np.full((1, 1, 3), value, np.uint8), ())

    source, rng = MixedSource([plain(0), plain(1)], [1, 3]), np.random.default_rng(1)
    drawn = [int(source.draw(rng).pixels[0, 0, 0]) for _ in range(400)]
    assert np.mean(drawn) == pytest.approx(0.75, abs=0.06)


class OneTokenEach:
    """A tokenizer whose codes follow its places."""

    def token_to_id(self, token: str) -> int:
        return {"<image>": 0, "<loc0000>": 1, "<seg000>": 1025}[token]

    def encode(self, text: str, add_special_tokens: bool = True):
        return type("Encoding", (), {"ids": [0]})


def test_codes_are_learned_as_near_to_those_that_draw_alike() -> None:
    torch.manual_seed(1)
    vectors = torch.randn(NUM_CODES, 8)
    vectors[5] = vectors[3] + 0.01
    targets = near_codes(vectors, 0.4)
    assert torch.allclose(targets.sum(1), torch.ones(NUM_CODES), atol=1e-6)
    assert (targets.argmax(1) == torch.arange(NUM_CODES)).float().mean() > 0.97
    assert targets[3, 5] > 0.4 > 0.1 > targets[3, 4]
    loss = AnswerLoss(OneTokenEach(), ["cat"])
    logits, codes = torch.zeros(2, 1025 + NUM_CODES), torch.tensor([1025 + 3, 1025 + 4])
    logits[0, 1025 + 5] = logits[1, 1025 + 5] = 9.0
    plain, _ = loss.token_loss(logits, codes)
    loss.code_targets = targets
    each = loss._code_loss(logits, codes - 1025)
    assert each[0] < each[1] and loss.token_loss(logits, codes)[0] < plain
    expected = -(targets[codes - 1025] * logits.log_softmax(1)[:, 1025:]).sum(1)
    assert torch.allclose(each, expected, atol=1e-6)
