"""Guidance: what is said where an answer is not enough goes by what was asked and found."""

from __future__ import annotations

from typing import Any

import pytest
from fake_engine import CAT_WITH_MASK, fake_pipeline
from PIL import Image

from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.interpretation.names import UnknownNameError, read_names
from gemma_vision.requests.interpretation.prompt_set import PromptSet
from gemma_vision.requests.interpretation.questions import FORMS, questions_of
from gemma_vision.web.forms.form_values import FormValues
from gemma_vision.web.i18n.guidance_texts import GUIDANCE
from gemma_vision.web.jobs.asked import Asked
from gemma_vision.web.jobs.guidance import (
    MAX_CHIPS,
    MAX_LETTERS,
    MAX_QUOTED,
    MAX_TOKENS,
    UNSURE,
    VARIED,
    guide,
)
from gemma_vision.web.tabs.image_run import ImageJob

NAMES = ("cat", "dog", "banana")
THING = {"label": "cat"}
BOX = "<loc0102><loc0102><loc0512><loc0460>"


def asked(text: str = "cat", task: str = "detect", names: Any = NAMES, **more: Any) -> Asked:
    try:
        reading = read_names(text, names) if task in ("detect", "segment") else None
    except UnknownNameError as error:
        reading = error.reading
    questions = questions_of(tuple(FORMS), names)
    return Asked(task, "tiny", 256, reading=reading, names=names, questions=questions, **more)


def questioned(question: str) -> Asked:
    """A question to the demo model."""
    return asked(task="ask", is_demo=True, question=question)


def prompted(prompt: str) -> Asked:
    """A free prompt to the demo model."""
    questions = questions_of(tuple(FORMS), NAMES)
    assert questions is not None
    wording = {
        "detect": "detect {names}",
        "caption": "caption {language}",
        "ask": "answer {language} {text}",
        "free": "{text}",
    }
    prompts = PromptSet(wording, ("en",), questions)
    return asked(task="free", is_demo=True, question=prompt, prompts=prompts)


def scored(score: float) -> dict[str, Any]:
    return {"label": "cat", "score": score}


def answer(*things: dict[str, Any], plain: str = "", finish: str = "stop") -> dict[str, Any]:
    return {"instances": list(things), "plain": plain, "finish": finish}


def said(guidance: dict[str, Any]) -> list[str]:
    return [line["say"] for line in guidance["lines"]]


@pytest.mark.parametrize(
    "wish, found, is_empty, lines",
    [
        pytest.param(asked(), answer(THING), False, [], id="found"),
        pytest.param(asked(), answer(), True, ["nothing_listed", "knows"], id="nothing"),
        pytest.param(
            asked(is_demo=True), answer(), True, ["nothing_demo", "knows"], id="the demo model"
        ),
        pytest.param(asked(names=()), answer(), True, ["nothing_open", ""], id="any name"),
        pytest.param(asked("zebra"), None, True, ["unknown", "knows"], id="unknown"),
        pytest.param(
            asked("bananna"), None, True, ["unknown", "did_you_mean", "knows"], id="a slip"
        ),
        pytest.param(
            asked("cat ; zebra"), answer(THING), False, ["unknown", "knows"], id="one is unknown"
        ),
        pytest.param(
            asked("cat ; zebra"),
            answer(),
            True,
            ["nothing_listed", "unknown", "knows"],
            id="one is unknown, the other not there",
        ),
        pytest.param(asked("kitten"), answer(THING), False, ["read_as"], id="read as another"),
        pytest.param(
            asked(), answer(THING, finish="length"), False, ["cut_list"], id="a list that was cut"
        ),
        pytest.param(
            asked(), answer(finish="length"), True, ["cut_empty", "knows"], id="cut before a thing"
        ),
        pytest.param(
            asked(), answer(THING, finish="repeat"), False, ["repeated_list"], id="repeats"
        ),
        pytest.param(asked(task="caption"), answer(), True, ["blank_caption", ""], id="no caption"),
        pytest.param(
            asked(task="ocr", temperature=VARIED),
            answer(),
            True,
            ["blank_ocr"],
            id="varied already",
        ),
        pytest.param(Asked("parse", ""), answer(), True, ["nothing_pasted"], id="no box in a text"),
        pytest.param(Asked("parse", ""), answer(THING, finish="length"), False, [], id="pasted"),
        pytest.param(
            questioned("Is there a cat?"), answer(), True, ["blank_ask_listed"], id="no answer"
        ),
        pytest.param(
            asked(task="ask", names=()),
            answer(),
            True,
            ["blank_ask", ""],
            id="no answer of another",
        ),
        pytest.param(questioned("is there a cat?"), answer(plain="2"), False, [], id="an answer"),
        pytest.param(
            questioned("Are there kittens?"),
            answer(plain="yes"),
            False,
            ["read_as"],
            id="in its own",
        ),
        pytest.param(
            questioned("Is there a cat?"),
            answer(plain="a", finish="length"),
            False,
            ["cut_words"],
            id="cut",
        ),
        pytest.param(
            asked(task="caption"),
            answer(plain="a a a", finish="repeat"),
            False,
            ["repeated_words"],
            id="words again and again",
        ),
        pytest.param(asked(task="free"), answer(THING), False, [], id="boxes of a free prompt"),
        pytest.param(
            asked(is_demo=True), answer(scored(0.3)), False, ["unsure_demo"], id="the demo guesses"
        ),
        pytest.param(
            asked(is_demo=True),
            answer(scored(0.3), scored(UNSURE)),
            False,
            [],
            id="the demo is sure of a thing",
        ),
        pytest.param(asked(), answer(scored(0.3)), False, [], id="another model guesses"),
        pytest.param(
            asked(task="caption", is_demo=True),
            answer(plain="nothing with a name"),
            True,
            ["blank_caption_demo", ""],
            id="the demo sees nothing",
        ),
        pytest.param(
            asked(task="caption"),
            answer(plain="nothing but sand"),
            False,
            [],
            id="another model's caption",
        ),
        pytest.param(
            questioned("What is the weather like?"),
            answer(plain="nothing"),
            True,
            ["untaught_ask"],
            id="nothing to say to a question of no such kind",
        ),
        pytest.param(
            questioned("What colour is the sky?"),
            answer(plain="2"),
            False,
            ["untaught_ask"],
            id="a word to a question of no such kind",
        ),
        pytest.param(
            questioned("Is there a zebra in it?"),
            answer(plain="cat"),
            False,
            ["unknown", "untaught_ask"],
            id="a question about a thing that is not known",
        ),
        pytest.param(
            prompted("detect cat ; dog"), answer(), True, ["nothing_demo"], id="a taught prompt"
        ),
        pytest.param(prompted("detect cat"), answer(THING), False, [], id="what a prompt found"),
        pytest.param(
            prompted("caption en"),
            answer(plain="nothing with a name"),
            True,
            ["blank_caption_demo"],
            id="a prompt for a caption of nothing",
        ),
        pytest.param(
            prompted("answer en what is left of the dog?"),
            answer(plain="nothing"),
            False,
            [],
            id="a prompt to which nothing is an answer",
        ),
        pytest.param(prompted("hello"), answer(), True, ["untaught_free"], id="no taught prompt"),
        pytest.param(
            prompted("hello"),
            answer(plain="a cat"),
            False,
            ["untaught_free"],
            id="words to no taught prompt",
        ),
        pytest.param(
            prompted("DETECT cat"),
            answer(THING),
            False,
            ["untaught_free"],
            id="things to no taught prompt",
        ),
        pytest.param(
            questioned("what is left of the dog?"), answer(plain="nothing"), False, [], id="taught"
        ),
        pytest.param(
            questioned("Which thing is the biggest?"), answer(plain="dog"), False, [], id="biggest"
        ),
    ],
)
def test_each_end_has_its_own_sentence(
    wish: Asked, found: Any, is_empty: bool, lines: list[str]
) -> None:
    guidance = guide(wish, found)
    assert guidance["is_empty"] is is_empty
    assert said(guidance) == lines
    assert {f"say_{line}" for line in lines if line} <= set(GUIDANCE)
    actions = {line["action"] for line in guidance["lines"]} - {""}
    assert {f"do_{action}" for action in actions} <= set(GUIDANCE)


@pytest.mark.parametrize("task", ["detect", "segment", "caption", "ask", "ocr", "free"])
@pytest.mark.parametrize("names", [NAMES, ()], ids=["listed", "open"])
def test_where_nothing_came_there_is_more_to_do_than_to_change_the_model(
    task: str, names: tuple[str, ...]
) -> None:
    """For where visitors may not."""
    wish = asked(task=task, names=names, tasks=("detect", "caption"))
    lines = guide(wish, answer())["lines"]
    assert any(line["chips"] or line["ask"] for line in lines)


def test_chips_ask_for_the_names_that_the_checkpoint_knows_and_that_were_not_asked_for() -> None:
    (_, knows) = guide(asked(), answer())["lines"]
    assert [chip["label"] for chip in knows["chips"]] == [name for name in NAMES if name != "cat"]
    assert knows["chips"][0]["ask"] == {"task": "detect", "text": "dog"}
    assert knows["action"] == "models"


def test_a_list_that_is_cut_says_how_many_more_there_are() -> None:
    many = tuple(f"thing {place}" for place in range(MAX_CHIPS + 5))
    (_, knows) = guide(asked("thing 0", names=many), answer())["lines"]
    assert (len(knows["chips"]), knows["more"]) == (MAX_CHIPS, 4)
    (_, knows) = guide(asked(), answer())["lines"]
    assert knows["more"] == 0


def test_a_sentence_quotes_no_more_than_a_sentence_holds() -> None:
    (unknown, _) = guide(asked("a" * 3000), None)["lines"]
    assert unknown["values"]["words"] == "a" * MAX_LETTERS + "…"
    names = [f"thing {chr(97 + place) * 3}" for place in range(MAX_QUOTED + 1)]
    (unknown, _) = guide(asked(" ; ".join(names)), None)["lines"]
    assert unknown["values"]["words"] == ", ".join([*names[:MAX_QUOTED], "…"])
    (left_out,) = guide(asked(names=()), answer(THING), ["b" * 3000])["lines"]
    assert left_out["values"]["words"] == "b" * MAX_LETTERS + "…"


def test_what_may_have_been_meant_joins_the_names_that_were_understood() -> None:
    lines = guide(asked("cat ; bananna"), answer(THING))["lines"]
    (meant,) = (line for line in lines if line["say"] == "did_you_mean")
    assert [chip["ask"]["text"] for chip in meant["chips"]] == ["cat ; banana"]


def test_a_cut_list_offers_more_tokens_as_far_as_the_form_goes() -> None:
    (line,) = guide(asked(), answer(THING, finish="length"))["lines"]
    assert line["ask"] == {"max_tokens": 512}
    full = Asked("detect", "tiny", MAX_TOKENS, names=NAMES)
    (line,) = guide(full, answer(THING, finish="length"))["lines"]
    assert line["action"] == "" and line["ask"] == {}


def test_words_that_repeat_are_asked_for_with_more_variety_once() -> None:
    repeated = answer(plain="a a", finish="repeat")
    (line,) = guide(asked(task="caption"), repeated)["lines"]
    assert line["ask"] == {"temperature": VARIED}
    assert guide(asked(task="caption", temperature=VARIED), repeated)["lines"] == []


@pytest.mark.parametrize(
    "label, is_asked",
    [
        pytest.param("Cat", True, id="another case"),
        pytest.param("cat", True, id="shortened"),
        pytest.param("", True, id="without a name"),
        pytest.param("house", False, id="another thing"),
    ],
)
def test_a_label_is_asked_for_where_it_shares_a_word(label: str, is_asked: bool) -> None:
    assert asked("the black cat", names=()).is_asked(label) is is_asked


@pytest.fixture(autouse=True)
def uploads(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))


@pytest.fixture
def upload(tmp_path: Any) -> dict[str, str]:
    folder = tmp_path / "given"
    folder.mkdir()
    Image.new("RGB", (64, 48), "teal").save(folder / "a.png")
    return {"path": str(folder / "a.png")}


def listing(script: str) -> Pipeline:
    pipeline = fake_pipeline(script)
    pipeline.card["names"] = list(NAMES)
    return pipeline


def end(pipeline: Pipeline, upload: dict[str, str], task: str, words: str) -> dict[str, Any]:
    """The last updates of a run."""
    job = ImageJob(pipeline, FormValues(upload, task, words))
    job.begin()
    newest = None
    for newest in job.stream():
        job.updates(newest)
    return dict(job.finished(newest, True))


def test_nothing_found_is_never_done(upload: dict[str, str]) -> None:
    view = end(listing(""), upload, "detect", "cat")["viewer"]
    assert view["status"]["state"] == "empty"
    assert said({"lines": view["guidance"]}) == ["nothing_listed", "knows"]


def test_a_model_is_not_asked_for_names_that_it_does_not_know(upload: dict[str, str]) -> None:
    pipeline = listing("")
    last = end(pipeline, upload, "detect", "zebra")
    assert last["viewer"]["status"]["state"] == "empty"
    assert last["json"] is None
    assert pipeline.engine.prompts == []  # type: ignore[attr-defined]


def test_what_was_not_asked_for_is_kept_apart_and_not_in_the_json(upload: dict[str, str]) -> None:
    last = end(listing(f"{BOX} cat ; {BOX} dog"), upload, "detect", "cat")
    view = last["viewer"]
    assert [one["label"] for one in view["instances"]] == ["cat"]
    assert [(one["label"], one["unasked"]) for one in view["left_out"]] == [("dog", True)]
    assert said({"lines": view["guidance"]}) == ["left_out"]
    assert view["notes"] == []
    assert [one["label"] for one in last["json"]["instances"]] == ["cat"]
    assert [one["code"] for one in last["json"]["warnings"]] == ["removed_unasked"]


def test_with_an_open_vocabulary_it_is_drawn_and_marked(upload: dict[str, str]) -> None:
    view = end(fake_pipeline(f"{BOX} cat ; {BOX} dog"), upload, "detect", "cat")["viewer"]
    marks = [(one["label"], one["unasked"]) for one in view["instances"]]
    assert marks == [("cat", False), ("dog", True)]
    assert view["left_out"] == []


def test_detect_shows_no_masks(upload: dict[str, str]) -> None:
    shown = end(fake_pipeline(CAT_WITH_MASK), upload, "detect", "cat")["viewer"]["instances"]
    assert [one["path"] for one in shown] == [None]
    shown = end(fake_pipeline(CAT_WITH_MASK), upload, "segment", "cat")["viewer"]["instances"]
    assert shown[0]["path"]


def test_the_status_names_the_checkpoint(upload: dict[str, str]) -> None:
    for words in ("cat", "zebra"):
        assert end(listing(""), upload, "detect", words)["viewer"]["status"]["model"] == "fake"
