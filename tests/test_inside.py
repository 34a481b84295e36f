"""A picture followed through the model: every stage is the engine's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from fake_engine import CAT_WITH_MASK, FakeDecoder
from PIL import Image

from gemma_vision.images.resizing import to_pixels
from gemma_vision.inside import Stage, Step, masks, principal, trace
from gemma_vision.inside.answer_trace import found
from gemma_vision.runtime.engine import Prompt
from gemma_vision.runtime.grammar import Grammar
from gemma_vision.runtime.local_engine import LocalEngine
from postprocess.filters import Filters
from postprocess.tokens import parse

ORDER = ["pixels", "patches", "features", "soft", "merged", "tokens"]


@pytest.fixture(scope="module")
def engine(random_checkpoint: Path) -> LocalEngine:
    return LocalEngine.load(random_checkpoint)


@pytest.fixture(scope="module")
def gemma3(tmp_path_factory: pytest.TempPathFactory) -> LocalEngine:
    from tiny_models import make_model, save

    return LocalEngine.load(save(make_model("gemma3"), tmp_path_factory.mktemp("g3") / "gemma3"))


def by_name(stages: Iterator[Stage]) -> dict[str, Stage]:
    return {stage.name: stage for stage in stages}


def ask(picture: Image.Image, **options: bool) -> Prompt:
    return Prompt((picture,), "detect cat", max_tokens=12, **options)  # type: ignore[arg-type]


def test_the_stages_come_in_their_order(engine: LocalEngine, picture: Image.Image) -> None:
    names = list(dict.fromkeys(stage.name for stage in trace(engine, ask(picture))))
    assert names == ORDER


def test_every_stage_has_the_shape_of_its_tensor(engine: LocalEngine, picture: Image.Image) -> None:
    stages = by_name(trace(engine, ask(picture)))
    num_ids = len(engine.ids(ask(picture)))
    shapes = {name: stage.shape for name, stage in stages.items() if name != "tokens"}
    assert shapes == {
        "pixels": (3, 56, 56),
        "patches": (16, 48),
        "features": (16, 48),
        "soft": (16, 32),
        "merged": (num_ids, 32),
    }
    assert all(stages[name].arrays[name].shape == (16, 3) for name in ("patches", "soft"))


def test_the_tokens_are_those_that_the_engine_streams(
    engine: LocalEngine, picture: Image.Image
) -> None:
    chunks = [chunk for (chunk,) in engine.stream([ask(picture)]) if chunk]
    streamed = [token for chunk in chunks for token in chunk.token_ids]
    scores = [score for chunk in chunks for score in chunk.scores]
    steps = by_name(trace(engine, ask(picture)))["tokens"].facts["steps"]
    assert [step.id for step in steps] == streamed
    assert [step.score for step in steps] == pytest.approx(scores)


def test_soft_tokens_stand_in_the_sequence_as_the_model_makes_them(
    engine: LocalEngine, picture: Image.Image
) -> None:
    model = engine.checkpoint.model
    merged = by_name(trace(engine, ask(picture)))["merged"]
    pixels = to_pixels(picture, 56, model.architecture.resize_filter)
    with torch.inference_mode():
        soft = model.encode(torch.from_numpy(pixels)[None])[0].numpy()
    assert merged.facts["pieces"][:17] == [None] * 16 + ["<bos>"]
    np.testing.assert_allclose(merged.arrays["embeds"][:16], soft, atol=1e-5)


def test_the_prompt_sees_itself_and_the_answer_looks_back(
    engine: LocalEngine, picture: Image.Image
) -> None:
    merged = by_name(trace(engine, ask(picture)))["merged"]
    mask, length = merged.arrays["mask"], merged.shape[0]
    told = merged.facts["told"]
    assert told > 1 and mask.shape == (length + told, length + told)
    assert mask[:length, :length].all() and not mask[:length, length:].any()
    assert (mask[length:, length:] == np.tri(told, dtype=bool)).all()


def test_rivals_are_sorted_and_a_greedy_token_is_the_first_of_them(
    engine: LocalEngine, picture: Image.Image
) -> None:
    for step in by_name(trace(engine, ask(picture)))["tokens"].facts["steps"]:
        chances = [chance for _, chance in step.rivals]
        assert chances == sorted(chances, reverse=True)
        assert step.probability == pytest.approx(chances[0]) and step.text == step.rivals[0][0]


def test_a_position_comes_with_the_distribution_it_was_picked_from(
    engine: LocalEngine, picture: Image.Image
) -> None:
    prompt = Prompt((picture,), "detect cat", max_tokens=12, grammar=Grammar(("cat", "dog")))
    steps = by_name(trace(engine, prompt))["tokens"].facts["steps"]
    spoken = [step for step in steps if step.positions is not None]
    assert len(spoken) >= 4
    for step in spoken:
        assert step.positions.shape == (1024,)
        assert step.positions.sum() == pytest.approx(1, abs=1e-4)
        assert f"<loc{step.positions.argmax():04d}>" == step.text
    assert all(step.text.startswith("<loc") == (step.positions is not None) for step in steps)


def test_pictures_of_gemma_3_are_blocks_and_its_words_look_back(
    gemma3: LocalEngine, picture: Image.Image
) -> None:
    prompt = Prompt((picture,), "<start_of_turn>user\n<start_of_image>what is it", max_tokens=3)
    stages = by_name(trace(gemma3, prompt))
    assert stages["soft"].shape == (4, 32) and stages["features"].shape == (16, 48)
    pieces, mask = stages["merged"].facts["pieces"], stages["merged"].arrays["mask"]
    start = pieces.index(None)
    assert mask[start, start + 3] and not mask[0, 1]


def test_crops_are_shown_and_join_the_sequence(gemma3: LocalEngine) -> None:
    wide = Image.new("RGB", (1200, 400), "#77aadd")
    text = "<start_of_turn>user\n<start_of_image>what is it"
    stages = by_name(trace(gemma3, Prompt((wide,), text, max_tokens=2, pan_and_scan=True)))
    assert stages["crops"].shape == (3, 4) and len(stages["crops"].facts["boxes"]) == 3
    assert stages["merged"].facts["images"] == 4 * 4


def test_closing_the_trace_ends_it(engine: LocalEngine, picture: Image.Image) -> None:
    stages = trace(engine, ask(picture))
    assert next(stages).name == "pixels"
    stages.close()  # type: ignore[attr-defined]
    assert list(stages) == []


def test_codes_become_masks() -> None:
    (stage,) = masks(parse(CAT_WITH_MASK), FakeDecoder())  # type: ignore[arg-type]
    assert stage.shape == (1, 64, 64)
    assert stage.arrays["codes"].tolist() == [list(range(16))]
    assert stage.facts["labels"] == ["cat"]


@pytest.mark.parametrize(
    "text, decoder",
    [
        pytest.param(CAT_WITH_MASK, None, id="no decoder"),
        pytest.param(CAT_WITH_MASK, "none", id="boxes only"),
        pytest.param("two animals", FakeDecoder(), id="no codes"),
        pytest.param(CAT_WITH_MASK, "/no/such/decoder.npz", id="a decoder that cannot be had"),
    ],
)
def test_without_codes_or_decoder_there_is_no_mask(text: str, decoder: object) -> None:
    assert list(masks(parse(text), decoder)) == []  # type: ignore[arg-type]


def test_no_decoder_is_fetched_for_an_answer_without_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "gemma_vision.checkpoints.lazy_mask_decoder.open_decoder",
        lambda name: pytest.fail(f"{name} was opened"),
    )
    assert list(masks(parse("two animals"), "published")) == []


def test_principal_components_separate_what_differs_and_fill_the_range() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(rng.normal(size=(2, 24)) * 8, 32, axis=0)
    colours = principal(groups + rng.normal(size=(64, 24)))
    assert colours.shape == (64, 3) and colours.min() == 0 and colours.max() == 1
    first, second = colours[:32, 0], colours[32:, 0]
    assert max(first.min(), second.min()) > min(first.max(), second.max())


def test_features_that_are_all_alike_have_one_colour() -> None:
    assert np.ptp(principal(np.ones((9, 6))), axis=0).tolist() == [0, 0, 0]


def test_what_is_filtered_out_has_no_mask_stage() -> None:
    steps = [Step(0, CAT_WITH_MASK, 1.0, 0.5, ())]
    assert [mention.label for mention in found(steps, (640, 480), Filters())] == ["cat"]
    other = Filters(drop_unasked=frozenset({"dog"}))
    assert found(steps, (640, 480), other) == []
