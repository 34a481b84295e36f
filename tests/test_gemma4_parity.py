"""Gemma 4 in its five shapes computes what transformers computes: features, logits and tokens.

The random nets amplify rounding (scores are not scaled), so that float32 has its honest bar and
float64 tells rounding from mistakes. The reference always gets its mm_token_type_ids.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from tiny_gemma4 import SHAPES, make_gemma4, published_config, save_gemma4
from torch import Tensor

from gemma_vision.checkpoints.config import parse_config
from gemma_vision.model.config import LayeredTextConfig
from gemma_vision.model.fused.decoder import TABLE
from gemma_vision.model.gemma4.fused import FusedLayeredDecoder
from gemma_vision.model.rotary import rotary_table
from gemma_vision.model.vision_language_model import VisionLanguageModel
from gemma_vision.weights.loading import load_model

Grid = tuple[int, int]
GRIDS = ((3, 15), (9, 6), (6, 6), (12, 3))  # rows and columns of patches, nine to a soft token
LONG = (9, 12)  # 12 soft tokens, through a window of 6
ROWS = ((GRIDS[:2], 9), (GRIDS[2:], 5), ((), 14))  # pictures of each row, and words
STEPS = 24
WORD = 40  # ids from here on are words


@dataclass
class Case:
    """A model of ours and theirs, of one shape."""

    shape: str
    ours: VisionLanguageModel
    theirs: Any

    @property
    def image(self) -> int:
        return self.ours.config.image_token_id


@dataclass
class Inputs:
    ids: Tensor
    is_real: Tensor
    pixels: list[Tensor]  # (1, R, 48) of each picture, in order
    grids: list[Grid]
    counts: list[int]  # pictures of each row

    def soft(self, model: VisionLanguageModel) -> list[Tensor]:
        """Soft tokens of each row."""
        seen = iter(
            [
                model.encode(one.to(model.text.embed_tokens.weight.dtype), grid)[0]
                for one, grid in zip(self.pixels, self.grids, strict=True)
            ]
        )
        none = torch.empty(0, model.config.text.width)
        return [torch.cat([none, *(next(seen) for _ in range(count))]) for count in self.counts]

    def for_theirs(self, image: int) -> dict[str, Tensor]:
        """What transformers is given: patches and places, padded to one length."""
        asked = {
            "input_ids": self.ids,
            "attention_mask": self.is_real.long(),
            "mm_token_type_ids": (self.ids == image).long(),
        }
        if not self.pixels:
            return asked
        length = max(63, *(one.shape[1] for one in self.pixels))
        length = -(-length // 9) * 9
        pixels, places = zip(
            *(padded(*one, length) for one in zip(self.pixels, self.grids, strict=True)),
            strict=True,
        )
        return asked | {"pixel_values": torch.cat(pixels), "image_position_ids": torch.cat(places)}


def padded(pixels: Tensor, grid: Grid, length: int) -> tuple[Tensor, Tensor]:
    rows, columns = grid
    x, y = torch.meshgrid(torch.arange(columns), torch.arange(rows), indexing="xy")
    places = torch.stack([x, y], -1).reshape(1, -1, 2)
    surplus = length - pixels.shape[1]
    return (
        torch.nn.functional.pad(pixels, (0, 0, 0, surplus)),
        torch.nn.functional.pad(places, (0, 0, 0, surplus), value=-1),
    )


def make_inputs(image: int, rows: Any, seed: int = 3) -> Inputs:
    """Rows of pictures between words, padded on the left."""
    generator = torch.manual_seed(seed)
    built, pixels, grids, counts = [], [], [], []
    for row_grids, num_words in rows:
        words = torch.randint(WORD, 300, (num_words + 2,), generator=generator).tolist()
        row = [2, *words[:2]]
        for at, grid in enumerate(row_grids):
            row += [image] * (grid[0] * grid[1] // 9) + words[2 + at : 3 + at]
            pixels.append(torch.rand(1, grid[0] * grid[1], 48, generator=generator))
            grids.append(grid)
        built.append(row + words[4:])
        counts.append(len(row_grids))
    length = max(map(len, built))
    return Inputs(
        torch.tensor([[0] * (length - len(row)) + row for row in built]),
        torch.tensor([[0] * (length - len(row)) + [1] * len(row) for row in built]).bool(),
        pixels,
        grids,
        counts,
    )


BATCHES = [
    pytest.param(ROWS, id="left-padded"),
    pytest.param([((LONG,), 9)], id="a picture longer than the window"),
    pytest.param([((LONG, GRIDS[1]), 3), ((GRIDS[0],), 4)], id="both, padded"),
]


@pytest.fixture(scope="module", params=SHAPES)
def case(request, tmp_path_factory) -> Case:
    theirs = make_gemma4(request.param)
    folder = save_gemma4(theirs, tmp_path_factory.mktemp(request.param), request.param)
    ours = load_model(
        folder, parse_config(published_config(request.param)), torch.device("cpu"), None
    )
    return Case(request.param, ours, theirs)


@pytest.fixture
def double(case: Case, monkeypatch) -> Iterator[Case]:
    """Both in float64; what is computed in float32 by name is computed in float64 too."""
    ours = VisionLanguageModel(case.ours.config)
    ours.load_state_dict(case.ours.state_dict())
    theirs = copy.deepcopy(case.theirs).double()
    theirs.config._experts_implementation = "eager"
    monkeypatch.setattr(Tensor, "float", Tensor.double)
    return Case(case.shape, ours.double().eval(), theirs)


def towers_differ(case: Case) -> tuple[float, float]:
    """How far features and soft tokens are apart, over all grids."""
    inputs = make_inputs(case.image, [((*GRIDS, LONG), 9)])
    dtype = case.ours.text.embed_tokens.weight.dtype
    apart = [0.0, 0.0]
    for pixels, grid in zip(inputs.pixels, inputs.grids, strict=True):
        pixels = pixels.to(dtype)
        length = 63 if grid != LONG else 117
        given = padded(pixels, grid, length)
        theirs = case.theirs.model.vision_tower(*given).last_hidden_state
        soft = case.theirs.model.get_image_features(*given).pooler_output[0]
        ours = case.ours.vision(pixels, grid)[0]
        apart[0] = max(apart[0], float((ours - theirs).abs().max()))
        apart[1] = max(apart[1], float((case.ours.encode(pixels, grid)[0] - soft).abs().max()))
        assert theirs.std() > 0.1
    return apart[0], apart[1]


@torch.no_grad()
def test_the_tower_equals_transformers(case: Case) -> None:
    features, soft = towers_differ(case)
    assert features < 1e-4 and soft < 2e-5


@torch.no_grad()
def test_the_tower_equals_transformers_in_float64(double: Case) -> None:
    features, soft = towers_differ(double)
    assert features < 5e-6 and soft < 5e-6


def logits_differ(case: Case, rows: Any) -> float:
    inputs = make_inputs(case.image, rows)
    asked = inputs.for_theirs(case.image)
    if case.ours.text.embed_tokens.weight.dtype == torch.float64 and "pixel_values" in asked:
        asked["pixel_values"] = asked["pixel_values"].double()
    theirs = case.theirs(**asked).logits
    hidden, _ = case.ours.hidden_states(inputs.ids, inputs.is_real, inputs.soft(case.ours))
    assert theirs.std() > 0.1
    return float((case.ours.logits(hidden) - theirs)[inputs.is_real].abs().max())


@pytest.mark.parametrize("rows", BATCHES)
@torch.no_grad()
def test_logits_equal_transformers(case: Case, rows: Any) -> None:
    assert logits_differ(case, rows) < 2e-3


@pytest.mark.parametrize("rows", BATCHES)
@torch.no_grad()
def test_logits_equal_transformers_in_float64(double: Case, rows: Any) -> None:
    assert logits_differ(double, rows) < 5e-5


@pytest.mark.parametrize("rows", BATCHES)
@torch.no_grad()
def test_greedy_tokens_equal_transformers(case: Case, rows: Any) -> None:
    inputs = make_inputs(case.image, rows)
    made = case.theirs.generate(
        **inputs.for_theirs(case.image),
        do_sample=False,
        max_new_tokens=STEPS,
        eos_token_id=None,
        pad_token_id=0,
        output_logits=True,
        return_dict_in_generate=True,
    )
    logits, state = case.ours.prefill(inputs.ids, inputs.is_real, inputs.soft(case.ours), room=3)
    for step in range(STEPS):
        assert (logits - made.logits[step]).abs().max() < 2e-3
        tokens = logits.argmax(-1)
        assert tokens.tolist() == made.sequences[:, inputs.ids.shape[1] + step].tolist()
        logits = case.ours.step(tokens, state)


@pytest.mark.parametrize("rows", BATCHES)
@torch.no_grad()
def test_the_fused_path_computes_what_the_plain_one_does(case: Case, rows: Any) -> None:
    """Prefill, steps, and words added behind what was read."""
    inputs = make_inputs(case.image, rows)
    plain = VisionLanguageModel(case.ours.config).eval()
    plain.load_state_dict(case.ours.state_dict())
    assert case.ours.text.fused_path is not None and plain.text.fused_path is None
    results = []
    for model in (case.ours, plain):
        logits, state = model.prefill(inputs.ids, inputs.is_real, inputs.soft(model))
        told = [logits, *(model.step(torch.full((len(rows),), 50 + i), state) for i in range(8))]
        told.append(model.extend(torch.arange(60, 67).expand(len(rows), -1), state))
        results.append(torch.stack(told))
    assert (results[0] - results[1]).abs().max() < 1e-3
    assert torch.equal(results[0].argmax(-1), results[1].argmax(-1))


@pytest.mark.parametrize("more", [-1, 0, 1, 2])
def test_tables_of_angles_reach_the_last_position(more: int) -> None:
    """A text that is just longer than the tables were."""
    path = FusedLayeredDecoder.__new__(FusedLayeredDecoder)
    config = parse_config(published_config(next(iter(SHAPES)))).text
    assert isinstance(config, LayeredTextConfig)
    path.config, path.tables = config, {}
    like = torch.zeros(1)
    path.rotaries(torch.tensor([[0]]), 1, like)
    last = torch.tensor([[TABLE + more - 1]])
    angles = path.rotaries(last, TABLE + more, like)
    for kind, row in zip(path.config.layer_types, path.config.layers, strict=True):
        expected = rotary_table(last, path.config.ropes[kind], row.head_width, like.dtype)
        for one, other in zip(angles[kind], expected, strict=True):
            torch.testing.assert_close(one, other)
