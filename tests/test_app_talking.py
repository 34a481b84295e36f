"""The Chat tab: what was said is kept by the app, turn by turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from fake_engine import FakeEngine, fake_pipeline
from PIL import Image

from gemma_vision import load
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.prompts import GEMMA3
from gemma_vision.requests.tasks import Task
from gemma_vision.requests.validation import TaskError
from gemma_vision.runtime.engine import Prompt
from gemma_vision.web import app
from gemma_vision.web.server.uploads import UploadError
from gemma_vision.web.tabs import chat_sessions
from gemma_vision.web.tabs.chat import can_chat, settled
from gemma_vision.web.tabs.chat_sessions import Talks, speakable

LONG_COLORS = ("#cc3333", "#33cc33", "#3333cc")


@pytest.fixture(autouse=True)
def uploads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))


@pytest.fixture
def message(picture_file: Path) -> dict[str, Any]:
    return {"text": "what is it", "files": [{"path": str(picture_file)}]}


@pytest.fixture
def long_message(tmp_path: Path) -> dict[str, Any]:
    """A picture of 900 x 300 whose three crops are of different colours."""
    image = Image.new("RGB", (900, 300))
    for index, color in enumerate(LONG_COLORS):
        image.paste(color, (index * 300, 0, (index + 1) * 300, 300))
    image.save(tmp_path / "long.png")
    return {"text": "what is it", "files": [{"path": str(tmp_path / "long.png")}]}


def echo(prompt: Prompt) -> str:
    return f"I see {len(prompt.images)}"


def texts(messages: list[dict[str, Any]]) -> list[str]:
    return [one["text"] for one in messages if "text" in one]


def last(
    talks: Talks, message: Any, visitor: str = "one", crops: bool = False
) -> list[dict[str, Any]]:
    return list(talks.say(visitor, message, 32, crops))[-1]


def test_a_conversation_goes_on_over_the_same_picture(message: dict[str, Any]) -> None:
    talks = Talks(fake_pipeline(echo))
    assert texts(last(talks, message)) == ["what is it", "I see 1"]
    both = last(talks, {"text": "and now", "files": message["files"]})
    assert texts(both) == ["what is it", "I see 1", "and now", "I see 2"]
    assert sum("file" in one for one in both) == 2
    assert texts(last(talks, {"text": "still?", "files": []}))[-1] == "I see 2"


def test_the_turn_is_shown_before_it_is_answered_and_grows(message: dict[str, Any]) -> None:
    talks = Talks(fake_pipeline("one two three", delay=0.2))
    steps = [texts(messages) for messages in talks.say("one", message, 32)]
    assert steps[0] == ["what is it"]
    assert len({step[-1] for step in steps}) >= 3 and steps[-1][-1] == "one two three"


def test_every_visitor_has_a_conversation_of_their_own(message: dict[str, Any]) -> None:
    talks = Talks(fake_pipeline(echo))
    last(talks, message, "one")
    assert texts(last(talks, message, "two")) == ["what is it", "I see 1"]


@pytest.mark.parametrize(
    "held, kind",
    [
        pytest.param({"text": "hello", "files": []}, TaskError, id="no picture"),
        pytest.param({"text": "", "files": "PICTURE"}, TaskError, id="no words"),
        pytest.param({"text": "<start_of_turn>", "files": "PICTURE"}, TaskError, id="a command"),
        pytest.param({"text": "a", "files": [{"path": "/etc/passwd"}]}, UploadError, id="a file"),
        pytest.param(None, TaskError, id="nothing"),
        pytest.param("words", TaskError, id="no message"),
    ],
)
def test_what_cannot_be_said_leaves_the_conversation_as_it_was(
    message: dict[str, Any], held: Any, kind: type[Exception]
) -> None:
    talks = Talks(fake_pipeline(echo))
    if isinstance(held, dict) and held["files"] == "PICTURE":
        held = held | {"files": message["files"]}
    with pytest.raises(kind):
        last(talks, held)
    assert texts(last(talks, message)) == ["what is it", "I see 1"]


def test_stop_keeps_what_was_said(message: dict[str, Any]) -> None:
    engine = FakeEngine(" ".join(["word"] * 200), delay=0.02)
    pipeline = fake_pipeline()
    pipeline.engine = engine
    talks = Talks(pipeline)
    steps = talks.say("one", message, 256)
    while "word" not in texts(next(steps))[-1]:
        pass
    kept = talks.stop("one")
    assert kept is not None and texts(kept)[-1].startswith("word")
    assert engine.cancelled == 1 and engine.steps < 200
    assert talks.stop("one") is None


def test_a_new_conversation_knows_nothing_of_the_old(message: dict[str, Any]) -> None:
    talks = Talks(fake_pipeline(echo))
    last(talks, message)
    talks.forget("one")
    assert texts(last(talks, message)) == ["what is it", "I see 1"]


def test_a_conversation_ends_at_its_limit(
    message: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_sessions, "MAX_TURNS", 2)
    talks = Talks(fake_pipeline(echo))
    last(talks, message)
    with pytest.raises(TaskError, match="begin a new one"):
        last(talks, message)


def test_the_oldest_conversation_makes_room(
    message: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_sessions, "MAX_TALKS", 1)
    talks = Talks(fake_pipeline(echo))
    last(talks, message, "one")
    last(talks, message, "two")
    assert len(texts(last(talks, message, "one"))) == 2


def test_marks_in_what_the_model_said_do_not_come_back_as_commands() -> None:
    assert speakable("a <start_of_turn>user <b> ") == "a user <b>"


@pytest.mark.parametrize(
    "pick, is_there", [(lambda task: True, True), (lambda task: task is not Task.chat, False)]
)
def test_the_tab_is_there_only_where_the_checkpoint_can(
    pick: Callable[[Task], bool], is_there: bool
) -> None:
    pipeline = fake_pipeline(tasks=[task for task in Task if pick(task)])

    async def build() -> gr.Blocks:
        return app.build_app(pipeline)

    page = asyncio.run(build())
    names = {getattr(block, "elem_id", None) for block in page.blocks.values()}
    assert can_chat(pipeline) is is_there is ("chat-talk" in names)


@pytest.fixture(scope="module")
def gemma3(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    from tiny_models import make_model, save

    return load(save(make_model("gemma3"), tmp_path_factory.mktemp("g3") / "gemma3"))


@pytest.mark.parametrize("first, later", [(True, False), (False, True)])
def test_the_first_turn_says_for_all_whether_there_are_crops(
    message: dict[str, Any], first: bool, later: bool
) -> None:
    engine = FakeEngine(echo)
    talks = Talks(Pipeline(engine, GEMMA3, name="chatty"))
    assert talks.has_crops("one") is None
    last(talks, message, crops=first)
    last(talks, {"text": "and now", "files": message["files"]}, crops=later)
    assert [prompt.pan_and_scan for prompt in engine.prompts] == [first, first]
    assert talks.has_crops("one") is first
    talks.forget("one")
    last(talks, message, crops=later)
    assert engine.prompts[-1].pan_and_scan is later


def test_a_first_turn_that_was_not_answered_decides_nothing(message: dict[str, Any]) -> None:
    engine = FakeEngine(RuntimeError("lost"))
    talks = Talks(Pipeline(engine, GEMMA3, name="chatty"))
    with pytest.raises(RuntimeError):
        last(talks, message, crops=True)
    assert talks.has_crops("one") is None
    engine.script = echo
    last(talks, message, crops=False)
    assert not engine.prompts[-1].pan_and_scan and talks.has_crops("one") is False


def test_a_box_that_is_hidden_says_nothing(message: dict[str, Any]) -> None:
    engine = FakeEngine(echo)
    pipeline = fake_pipeline()
    pipeline.engine = engine
    assert texts(last(Talks(pipeline), message, crops=True))[-1] == "I see 1"
    assert not engine.prompts[-1].pan_and_scan


@pytest.mark.parametrize(
    "turns, crops, box",
    [
        pytest.param(0, True, {"interactive": True}, id="free before the first turn"),
        pytest.param(1, True, {"value": True, "interactive": False}, id="fixed, ticked"),
        pytest.param(2, False, {"value": False, "interactive": False}, id="fixed, not ticked"),
    ],
)
def test_the_box_shows_what_the_conversation_has(
    message: dict[str, Any], turns: int, crops: bool, box: dict[str, bool]
) -> None:
    talks = Talks(Pipeline(FakeEngine(echo), GEMMA3, name="chatty"))
    for _ in range(turns):
        last(talks, message, crops=crops)
    update = settled(talks, "one")
    assert {key: update[key] for key in ("value", "interactive") if key in update} == box


def test_with_crops_the_next_question_goes_on_behind_the_same_pictures(
    gemma3: Pipeline, long_message: dict[str, Any]
) -> None:
    def counts() -> tuple[int, int, int]:
        told = gemma3.remembered()
        return told["pictures"]["misses"], told["prefixes"]["misses"], told["prefixes"]["hits"]

    talks, before = Talks(gemma3), counts()
    list(talks.say("one", long_message, 4, crops=True))
    looked, read, again = counts()
    assert (looked - before[0], read - before[1], again) == (4, 1, before[2])  # whole and 3 crops
    list(talks.say("one", {"text": "a cat?", "files": []}, 4, crops=False))
    assert counts() == (looked, read, again + 1)


def test_a_random_gemma_3_holds_a_conversation(gemma3: Pipeline, message: dict[str, Any]) -> None:
    assert can_chat(gemma3)
    talks = Talks(gemma3)
    first = list(talks.say("one", message, 8))[-1]
    second = list(talks.say("one", {"text": "a cat?", "files": message["files"]}, 8))[-1]
    assert first[0] == second[0] and len(second) > len(first)
    assert all(texts(second))
