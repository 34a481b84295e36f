"""The Image tab offers what the checkpoint was taught, and shows what the model looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from itertools import dropwhile
from pathlib import Path
from typing import Any

import pytest
from fake_engine import CAT_AND_DOG, FakeEngine
from PIL import Image

from gemma_vision.images.pan_and_scan import crop_boxes
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.family import Family
from gemma_vision.requests.option import Option
from gemma_vision.requests.options import OPTIONS, options_of
from gemma_vision.requests.prompts import FAMILIES, GEMMA3, GEMMA4, PALIGEMMA
from gemma_vision.requests.request import Request
from gemma_vision.requests.tasks import Task
from gemma_vision.requests.variants import VERBS, apply_variant, known_prompts, limit_to
from gemma_vision.runtime.local_engine import LocalEngine
from gemma_vision.web import app as web_app
from gemma_vision.web.components.cache_status import cache_status
from gemma_vision.web.forms.fields import id_of
from gemma_vision.web.forms.options import (
    FILTERS as LEAVING_OUT,
)
from gemma_vision.web.forms.options import (
    LEAVE_OUT,
    LEFT_OUT,
    SETTINGS,
    UPFRONT,
    field_of,
    field_properties,
    fit_options,
    offered,
    option_properties,
    style_key,
)
from gemma_vision.web.i18n.option_texts import OPTION_TEXTS
from gemma_vision.web.i18n.prompt_texts import EXAMPLES
from gemma_vision.web.i18n.prompt_texts import PROMPTS as PROMPT_TEXTS
from gemma_vision.web.server.uploads import upload_folder
from gemma_vision.web.tabs.image import ImageTab

PT, MIX, OWN = (apply_variant(PALIGEMMA, kind) for kind in ("pt", "mix", ""))
REFCOCO = apply_variant(PALIGEMMA, "ft-refcoco-seg")
TINY = limit_to(PALIGEMMA, "tiny", {"tasks": ["detect", "caption", "free"], "languages": ["en"]})


def pipeline_of(family: Family) -> Pipeline:
    return Pipeline(FakeEngine(CAT_AND_DOG), family, name=family.title)


EVERYWHERE = {"max_tokens", "temperature", "seed"}
FILTERS = {LEAVE_OUT, "max_overlap", "min_score"}


def shown(family: Family, task: str) -> set[str]:
    """The options that stand on the page."""
    parts = field_properties(family, task)
    return {name for name in (*UPFRONT, *SETTINGS) if parts[name]["visible"]} - EVERYWHERE


@pytest.mark.parametrize(
    "family, task, expected",
    [
        pytest.param(OWN, "caption", {"language", "style", "region"}, id="caption"),
        pytest.param(MIX, "caption", {"language", "style"}, id="mix knows no region"),
        pytest.param(TINY, "caption", set(), id="one style and one language are no choice"),
        pytest.param(GEMMA3, "caption", {"language", "style", "pan_and_scan"}, id="Gemma 3"),
        pytest.param(OWN, "detect", {"decoding", "names_per_prompt"} | FILTERS, id="detect"),
        pytest.param(OWN, "free", {"prompts"} | FILTERS, id="free"),
        pytest.param(REFCOCO, "free", FILTERS, id="a fine-tune knows one prompt"),
        pytest.param(
            GEMMA3, "free", {"pan_and_scan"} | FILTERS, id="Gemma 3 is asked in sentences"
        ),
        pytest.param(OWN, "ask", {"language"} | FILTERS, id="ask"),
        pytest.param(
            GEMMA3, "ask", {"pan_and_scan"} | FILTERS, id="answers in the question's language"
        ),
        pytest.param(OWN, "ocr", set(), id="no family reads text in a language of choice"),
    ],
)
def test_options_follow_task_and_checkpoint(family: Family, task: str, expected: set[str]) -> None:
    assert shown(family, task) == expected


@pytest.mark.parametrize(
    "family, names",
    [
        pytest.param(PT, set(EXAMPLES), id="pt"),
        pytest.param(MIX, set(EXAMPLES), id="mix is told of pt's too"),
        pytest.param(OWN, set(EXAMPLES), id="somebody's own"),
        pytest.param(TINY, {"detect", "caption"}, id="a list of its own"),
        pytest.param(REFCOCO, set(), id="one task"),
        pytest.param(GEMMA3, set(), id="sentences"),
    ],
)
def test_prompts_are_those_worth_a_try(family: Family, names: set[str]) -> None:
    assert {verb.name for verb in known_prompts(family)} == names


@pytest.mark.parametrize("verb", known_prompts(OWN), ids=lambda verb: verb.name)
def test_a_prompt_that_pt_alone_understands_is_marked(verb: Any) -> None:
    row = PROMPT_TEXTS[f"verb_{verb.name}"]
    assert ("(pt only)" in row["en"]) == ("pt のみ" in row["ja"]) == verb.is_for_pt_alone
    assert ("seen on mix" in row["en"]) == bool(verb.reported)
    example = EXAMPLES[verb.name]
    prompt = PALIGEMMA.write_prompt(Request(Image.new("RGB", (8, 8)), Task.free, example))
    assert prompt == example and prompt.split()[0] == verb.name


def test_a_style_that_pt_alone_understands_is_marked() -> None:
    assert [style_key(OWN, style) for style in OWN.styles] == [
        "style_cap_pt",
        "style_caption",
        "style_describe",
    ]
    assert [style_key(GEMMA3, style) for style in GEMMA3.styles] == [
        "style_cap",
        "style_caption",
        "style_describe",
    ]
    assert MIX.styles == ("caption", "describe")
    assert {verb.style for verb in VERBS if verb.is_for_pt_alone} == {"cap", "region", ""}


@pytest.mark.parametrize(
    "family, style, kept",
    [
        pytest.param(OWN, "cap", "cap", id="known"),
        pytest.param(MIX, "cap", "caption", id="not to this checkpoint"),
        pytest.param(OWN, None, "caption", id="lost"),
    ],
)
def test_the_style_stays_where_the_checkpoint_knows_it(
    family: Family, style: str | None, kept: str
) -> None:
    assert fit_options(family, "caption", style)["style"]["value"] == kept


@pytest.fixture
def long_upload(monkeypatch, tmp_path: Path) -> dict[str, str]:
    """An uploaded picture of 800 x 300, as the client names it."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    path = upload_folder() / "long.png"
    Image.new("RGB", (800, 300), "#77aadd").save(path)
    return {"path": str(path)}


Updates = list[Mapping[str, Any]]


def run(pipeline: Pipeline, upload: Any, task: str, **form: Any) -> Updates:
    """What the page shows, one moment after the other, once the picture is open."""
    values = {"upload": upload, "task": task} | form
    shown = ImageTab(pipeline).runner.start(values, "visitor")
    return list(dropwhile(lambda updates: "viewer" not in updates, shown))


def answer(family: Family, upload: Any, task: str, **form: Any) -> tuple[Updates, Pipeline]:
    pipeline = pipeline_of(family)
    updates = run(pipeline, upload, task, **form)
    last = updates[-1]["viewer"]
    assert last["status"]["state"] == "done", last["notes"]
    return updates, pipeline


def test_crops_are_shown_before_the_first_word_and_told_in_the_answer(long_upload) -> None:
    (first, *others), _ = answer(GEMMA3, long_upload, "caption", pan_and_scan=True)
    boxes = [list(box) for box in crop_boxes((800, 300))]
    assert first["crops"]["boxes"] == boxes and len(boxes) == 3
    assert first["crops"]["picture"] == others[-1]["viewer"]["image"]
    assert not any("crops" in update for update in others)
    assert others[-1]["json"]["crops"] == [boxes]


def test_a_run_without_crops_takes_the_former_ones_away(long_upload) -> None:
    (first, *_, last), _ = answer(GEMMA3, long_upload, "caption")
    assert first["crops"] == {"asked": False}
    assert last["json"] and "crops" not in last["json"]


def test_a_wish_that_fails_takes_them_away_too() -> None:
    (update,) = run(pipeline_of(GEMMA3), None, "caption", pan_and_scan=True)
    assert update["run"]["interactive"] and update["crops"] == {"asked": False}


@pytest.mark.parametrize(
    "family, task, wish, prompt",
    [
        pytest.param(OWN, "caption", {"style": "cap"}, "cap en", id="style"),
        pytest.param(OWN, "caption", {"style": None}, "caption en", id="no style"),
        pytest.param(MIX, "caption", {"style": "cap"}, "caption en", id="a style from before"),
        pytest.param(
            OWN,
            "caption",
            {"region": "0, 0, 1, 0.5"},
            "caption <loc0000><loc0000><loc0512><loc1023>",
        ),
        pytest.param(MIX, "caption", {"region": "0,0,1,1"}, "caption en", id="a part from before"),
        pytest.param(OWN, "ocr", {"region": "nonsense"}, "ocr", id="a part of another task"),
        pytest.param(OWN, "ocr", {"pan_and_scan": True}, "ocr", id="crops from before"),
        pytest.param(OWN, "ocr", {"words": None}, "ocr", id="words that were never shown"),
    ],
)
def test_what_is_hidden_says_nothing(long_upload, family, task, wish, prompt) -> None:
    _, pipeline = answer(family, long_upload, task, **wish)
    (asked,) = pipeline.engine.prompts
    assert (asked.text, asked.pan_and_scan) == (prompt, False)


def test_a_part_that_is_none_is_said(long_upload) -> None:
    *_, last = run(pipeline_of(OWN), long_upload, "caption", region="left")
    assert "four numbers" in last["viewer"]["notes"][0]


@pytest.mark.parametrize(
    "wish, left",
    [
        pytest.param({}, 3, id="nothing"),
        pytest.param({"leave_out": ["drop_repeats"]}, 2, id="copies"),
        pytest.param({"max_overlap": 0.5}, 1, id="overlap"),
        pytest.param({"min_score": 0.95}, 0, id="a score"),
        pytest.param({"leave_out": None, "max_overlap": None}, 3, id="lost values"),
        pytest.param({"names_per_prompt": 0}, 3, id="an empty number"),
    ],
)
def test_answers_are_tidied_as_the_form_says(long_upload, wish, left: int) -> None:
    box, near = "<loc0102><loc0102><loc0512><loc0460>", "<loc0102><loc0102><loc0512><loc0470>"
    pipeline = Pipeline(FakeEngine(f"{box} cat ; {box} cat ; {near} cat"), PALIGEMMA, name="x")
    *_, last = run(pipeline, long_upload, "detect", words="cat", **wish)
    assert len(last["viewer"]["instances"]) == left


def test_an_engine_that_keeps_nothing_says_nothing() -> None:
    assert cache_status(pipeline_of(GEMMA3)) is None


def test_hits_and_misses_are_counted_and_said(random_checkpoint: Path, picture) -> None:
    pipeline = Pipeline(LocalEngine.load(random_checkpoint, "cpu"), PALIGEMMA, name="random")
    for text in ("cat", "dog"):
        pipeline.detect(picture, text, max_tokens=1)
    counts = pipeline.cache_status()
    assert counts["pictures"]["kept"] == 1
    assert (counts["pictures"]["hits"], counts["pictures"]["misses"]) == (1, 1)
    assert 0 < counts["pictures"]["bytes"] < counts["pictures"]["limit"]
    said = cache_status(pipeline)
    assert said is not None and said["images"]["size"].endswith("iB")
    assert {**said["images"], "size": ""} == {**counts["pictures"], "size": ""}
    assert said["prefixes"] == {"hits": 0, "all": 0}


def test_every_family_has_what_the_form_asks_about() -> None:
    for family in FAMILIES.values():
        for task in family.tasks:
            assert set(fit_options(family, task)) >= {*UPFRONT, *SETTINGS}


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_has_one_field_and_one_text(name: str) -> None:
    fields = [*UPFRONT, *SETTINGS]
    assert fields.count(name) + LEFT_OUT.count(name) == 1 and len(fields) == len(set(fields))
    assert name in OPTION_TEXTS


@pytest.mark.parametrize("task", OWN.tasks)
def test_a_form_offers_every_option_of_a_task_that_some_checkpoint_was_taught(task: Task) -> None:
    names = {option.name for option in options_of(task)}
    assert names == offered(OWN, task) | offered(GEMMA3, task) | offered(GEMMA4, task)


def test_every_tab_offers_every_option() -> None:
    async def build() -> Any:  # outside a running loop Gradio opens several and closes none
        pipeline = pipeline_of(GEMMA3)
        pipeline.engine.checkpoint = "here"  # so that it can be looked into
        return web_app.build_app(pipeline)

    page = asyncio.run(build())
    there = {getattr(block, "elem_id", None) for block in page.blocks.values()}
    names = {field_of(name).elem_id for name in (*UPFRONT, *SETTINGS)}
    silent = {field_of(name).elem_id for name in (*LEAVING_OUT, "style", "language", "prompts")}
    spoken = names - silent  # a conversation draws nothing
    expected = {
        "": names,
        "batch": names,
        "video": names,
        "inside": names,
        "chat": spoken,
    }
    for tab, wanted in expected.items():
        assert {id_of(tab, name) for name in wanted} <= there, tab
    for side in ("left", "right"):
        assert {id_of("compare", name, side) for name in names} <= there, side


def test_an_option_without_a_field_of_its_own_follows_from_its_row() -> None:
    row = Option("sharpness", float, 0.5, "How sharp.", frozenset(Task), low=0, high=1, step=0.1)
    properties = option_properties(row)
    assert properties == {"value": 0.5, "minimum": 0, "maximum": 1, "step": 0.1}
