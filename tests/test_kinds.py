"""A checkpoint is offered what its kind was taught, and refuses the rest before any work."""

from __future__ import annotations

from typing import Any

import pytest
from fake_engine import FakeEngine
from PIL import Image

from gemma_vision.errors import CheckpointError
from gemma_vision.pipeline import Pipeline
from gemma_vision.registry.published import PUBLISHED
from gemma_vision.requests.options import STYLES
from gemma_vision.requests.prompts import FAMILIES, GEMMA3, PALIGEMMA, PALIGEMMA2
from gemma_vision.requests.request import Request
from gemma_vision.requests.tasks import Task
from gemma_vision.requests.validation import TaskError
from gemma_vision.requests.variants import (
    FINE_TUNES,
    MIX,
    PT,
    VERBS,
    apply_variant,
    limit_to,
    variant_of,
)

EVERY = ("detect", "segment", "caption", "ask", "ocr", "free")
PUBLISHED_TOPICS = """
ai2d aokvqa-da aokvqa-mc chartqa coco35l cococap docci docvqa gqa infovqa nlvr2 ocrvqa okvqa
refcoco-seg rsvqa-hr rsvqa-lr science-qa scicap screen2words stvqa tallyqa textcaps textvqa
vizwizvqa vqav2 widgetcap
"""
PICTURE = Image.new("RGB", (8, 8))


def ask(task: str, text: str = "", **options: Any) -> Request:
    return Request(PICTURE, Task(task), text, **options)


@pytest.mark.parametrize(
    "name, kind",
    [
        ("google/paligemma-3b-mix-448", "mix"),
        ("google/paligemma2-28b-pt-896", "pt"),
        ("google/paligemma-3b-ft-refcoco-seg-224", "ft-refcoco-seg"),
        ("google/paligemma-3b-ft-rsvqa-hr-448-jax", "ft-rsvqa-hr"),
        ("mlx-community/paligemma-3b-mix-224-8bit", "mix"),
        ("/models/PaliGemma2-10B-ft-docci-448", "ft-docci"),
        ("google/paligemma-3b-ft-science-qa-448", "ft-science-qa"),
        ("google/paligemma-3b-ft-ai2d-224", "ft-ai2d"),
        ("me/paligemma-3b-mix-448-cats", ""),
        ("me/paligemma-3b-mix", ""),
        ("google/gemma-3-4b-it", ""),
        ("tiny", ""),
    ],
)
def test_the_name_of_a_published_checkpoint_tells_its_kind(name: str, kind: str) -> None:
    assert variant_of(name, {}) == kind


def test_the_notes_of_a_folder_come_before_its_name() -> None:
    assert variant_of("google/paligemma-3b-mix-448", {"kind": "ft-docvqa"}) == "ft-docvqa"


@pytest.mark.parametrize(
    "kind, tasks",
    [
        (PT, EVERY),
        (MIX, EVERY),
        ("ft-refcoco-seg", ("segment", "free")),
        ("ft-docvqa", ("ask", "free")),
        ("ft-vqav2", ("ask", "free")),
        ("ft-docci", ("caption", "free")),
        ("ft-somebodys-own", EVERY),
        ("", EVERY),
    ],
)
def test_the_tasks_of_a_kind(kind: str, tasks: tuple[str, ...]) -> None:
    assert apply_variant(PALIGEMMA2, kind).tasks == tasks


@pytest.mark.parametrize(
    "kind, request_, prompt",
    [
        pytest.param(PT, ask("caption", style="cap"), "cap en", id="cap"),
        pytest.param(MIX, ask("caption", style="describe"), "describe en", id="describe"),
        pytest.param(
            PT,
            ask("caption", region=(0, 0.25, 1, 0.5)),
            "caption <loc0256><loc0000><loc0512><loc1023>",
            id="region",
        ),
        pytest.param(
            "ft-refcoco-seg", ask("segment", "the left dog, brown"), "the left dog, brown", id="ref"
        ),
        pytest.param("ft-docvqa", ask("ask", "which year?"), "which year?", id="bare question"),
        pytest.param(
            "ft-ai2d",
            ask("ask", "which is it? choose from: a \t b"),
            "answer en  which is it? choose from: a \t b",
            id="choice",
        ),
        pytest.param(
            "ft-science-qa",
            ask("ask", "Question: a?\nContext: b\nOptions: (A) c (B) d\nAnswer:"),
            "Question: a?\nContext: b\nOptions: (A) c (B) d\nAnswer:",
            id="lines",
        ),
        pytest.param("ft-widgetcap", ask("caption"), "caption en", id="widget"),
        pytest.param("ft-gqa", ask("ask", "what?"), "answer en what?", id="question"),
        pytest.param("ft-coco35l", ask("caption", language="th"), "caption th", id="caption"),
        pytest.param(MIX, ask("free", "question en a cat"), "question en a cat", id="free"),
    ],
)
def test_the_words_of_a_kind(kind: str, request_: Request, prompt: str) -> None:
    assert apply_variant(PALIGEMMA, kind).write_prompt(request_) == prompt


@pytest.mark.parametrize(
    "kind, request_, code",
    [
        pytest.param(MIX, ask("caption", style="cap"), "E_STYLE", id="cap is for pt"),
        pytest.param(MIX, ask("caption", region=(0, 0, 1, 1)), "E_STYLE", id="region is for pt"),
        pytest.param("ft-docci", ask("caption", style="describe"), "E_STYLE", id="one style"),
        pytest.param("ft-docci", ask("detect", "cat"), "E_TASK_UNSUPPORTED", id="one task"),
        pytest.param("ft-refcoco-seg", ask("segment", "a ; b"), "E_ONE_PHRASE", id="one phrase"),
    ],
)
def test_what_a_kind_was_never_taught_is_refused_before_any_work(
    kind: str, request_: Request, code: str
) -> None:
    engine = FakeEngine("")
    pipeline = Pipeline(engine, apply_variant(PALIGEMMA, kind), name=kind)
    with pytest.raises(TaskError) as caught:
        pipeline.run(request_)
    assert caught.value.code == code
    assert "\n" not in str(caught.value)
    assert not engine.prompts


def test_notes_that_name_tasks_leave_the_others_out() -> None:
    row = limit_to(PALIGEMMA, "tiny", {"tasks": ["detect", "caption"]})
    assert row.tasks == ("detect", "caption")
    with pytest.raises(TaskError, match='kind "cap"'):
        row.check_request(ask("caption", style="cap"))


@pytest.mark.parametrize("style", STYLES)
def test_gemma_3_is_asked_for_every_style_in_a_sentence(style: str) -> None:
    told = GEMMA3.write_prompt(ask("caption", style=style, language="it"))
    assert "Describe this image" in told
    assert "Italian" in told


def test_every_verb_that_can_be_asked_for_is_worded_as_the_family_words_it() -> None:
    asked = {
        verb.style or verb.asked: verb.wording for verb in VERBS if "question" not in verb.wording
    }
    assert asked == dict(PALIGEMMA.wording)


def test_an_unknown_style_is_refused_in_words() -> None:
    with pytest.raises(TaskError, match="cap, caption, describe"):
        ask("caption", style="long")


@pytest.mark.parametrize(
    "region",
    [(0, 0, 1), (0, 0, 0, 1), (0.5, 0, 0.2, 1), (0, 0, 2, 1), (0, 0, 1, float("nan")), "ab"],
)
def test_a_region_without_an_area_inside_the_picture_is_refused(region: Any) -> None:
    with pytest.raises(TaskError) as caught:
        ask("caption", region=region)
    assert caught.value.code == "E_REGION"


def test_every_published_paligemma_has_a_known_kind() -> None:
    kinds = {variant_of(hub_id, {}) for hub_id, family, *_ in PUBLISHED if "pali" in family}
    assert kinds <= {PT, MIX, *FINE_TUNES}


@pytest.mark.parametrize("kind", FINE_TUNES)
def test_every_fine_tune_is_asked_for_what_it_does_and_refuses_the_rest(kind: str) -> None:
    row = apply_variant(PALIGEMMA, kind)
    (task,) = set(row.tasks) - {Task.free}
    assert task in (Task.caption, Task.ask, Task.segment)
    assert row.write_prompt(ask(task, "the dog"))
    assert row.write_prompt(ask("free", "anything")) == "anything"
    for other in {Task.detect, Task.caption, Task.ask, Task.segment, Task.ocr} - {task}:
        with pytest.raises(TaskError, match=f"{kind} cannot {other}"):
            row.check_request(ask(other, "cat"))


def test_all_published_fine_tunes_are_known() -> None:
    assert {kind.removeprefix("ft-") for kind in FINE_TUNES} == set(PUBLISHED_TOPICS.split())


def test_notes_may_add_a_task_in_words_of_its_own() -> None:
    """A Gemma 3 tuned to position tokens finds things, asked as it was tuned."""
    notes = {"prompts": {"detect": "detect {names}", "segment": "segment {names}"}}
    family = limit_to(FAMILIES["gemma3"], "someone/tuned", notes)
    assert {"detect", "segment", "chat"} <= set(family.tasks)
    picture = Image.new("RGB", (9, 9))
    written = family.write_prompt(Request(picture, "detect", "Cat ; dog"))
    assert "<start_of_image>detect cat ; dog<end_of_turn>" in written
    assert Task.detect not in FAMILIES["gemma3"].tasks
    only = limit_to(FAMILIES["gemma3"], "someone/tuned", {**notes, "tasks": ["detect"]})
    assert only.tasks == (Task.detect,)


@pytest.mark.parametrize(
    "prompts",
    [
        pytest.param({"detect": "detect {things}"}, id="an unknown place"),
        pytest.param({"detect": "detect {names.__class__}"}, id="an attribute"),
        pytest.param({"detect": "detect {names"}, id="an open brace"),
        pytest.param({"find": "find {names}"}, id="an unknown task"),
        pytest.param({"detect": 7}, id="no words"),
        pytest.param(["detect"], id="a list"),
    ],
)
def test_prompts_that_ask_for_nothing_known_are_refused(prompts: object) -> None:
    with pytest.raises(CheckpointError, match="filled in"):
        limit_to(FAMILIES["gemma3"], "someone/tuned", {"prompts": prompts})
