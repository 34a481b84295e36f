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
from gemma_vision.web.server import picture_worker
from gemma_vision.web.server.uploads import UploadError
from gemma_vision.web.tabs import chat_sessions
from gemma_vision.web.tabs.chat import ChatTab
from gemma_vision.web.tabs.chat_sessions import ChatJob, ChatSessions, ChatValues, without_marks

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


class Chats:
    """Conversations with one checkpoint, as the tab carries them out."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.tab = ChatTab(pipeline)

    def say(self, message: Any, visitor: str = "one", limit: int = 32, crops: bool = False) -> Any:
        """Updates of the page while the model's turn grows."""
        values = {"message": message, "max_tokens": limit, "pan_and_scan": crops}
        return self.tab.runner.start(values, visitor)

    def messages(self, message: Any, visitor: str = "one", **options: Any) -> list[dict[str, Any]]:
        """The conversation once both turns are over."""
        *_, last = self.say(message, visitor, **options)
        assert last["talk"]["notes"] == [], last
        return list(last["talk"]["messages"])

    def has_crops(self, visitor: str = "one") -> bool | None:
        return self.tab._sessions.has_crops(visitor)


def test_a_conversation_goes_on_over_the_same_picture(message: dict[str, Any]) -> None:
    chats = Chats(fake_pipeline(echo))
    assert texts(chats.messages(message)) == ["what is it", "I see 1"]
    both = chats.messages({"text": "and now", "files": message["files"]})
    assert texts(both) == ["what is it", "I see 1", "and now", "I see 2"]
    assert sum("file" in one for one in both) == 2
    assert texts(chats.messages({"text": "still?", "files": []}))[-1] == "I see 2"


def test_the_turn_is_shown_before_it_is_answered_and_grows(message: dict[str, Any]) -> None:
    chats = Chats(fake_pipeline("one two three", delay=0.2))
    steps = [texts(one["talk"]["messages"]) for one in chats.say(message)]
    assert steps[0] == ["what is it"]
    assert len({step[-1] for step in steps}) >= 3 and steps[-1][-1] == "one two three"


@pytest.mark.parametrize(
    "said, limit, state, cut",
    [
        pytest.param("one two", 32, "done", 0, id="whole"),
        pytest.param(" ".join(["word"] * 50), 16, "done", 16, id="cut at its limit"),
        pytest.param("", 32, "blank", 0, id="no word in return"),
    ],
)
def test_how_a_turn_ended_stands_under_the_conversation(
    message: dict[str, Any], said: str, limit: int, state: str, cut: int
) -> None:
    first, *_, last = Chats(fake_pipeline(said)).say(message, limit=limit)
    assert first["talk"]["state"] == "running"
    assert (last["talk"]["state"], last["talk"]["cut"]) == (state, cut)


def test_every_visitor_has_a_conversation_of_their_own(message: dict[str, Any]) -> None:
    chats = Chats(fake_pipeline(echo))
    chats.messages(message, "one")
    assert texts(chats.messages(message, "two")) == ["what is it", "I see 1"]


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
    chats, sessions = Chats(fake_pipeline(echo)), ChatSessions()
    if isinstance(held, dict) and held["files"] == "PICTURE":
        held = held | {"files": message["files"]}
    with pytest.raises(kind) as refusal:
        ChatJob(fake_pipeline(echo), sessions, "one", ChatValues(held)).begin()
    (update,) = chats.say(held)
    talk = update["talk"]
    (note,) = talk["notes"]
    assert note == f"{refusal.value.code}: {refusal.value}"  # type: ignore[attr-defined]
    assert (talk["state"], talk["messages"]) == ("error", [])
    assert update["message"] == {
        "interactive": True,
        "__type__": "update",
    }  # what was written stays
    assert texts(chats.messages(message)) == ["what is it", "I see 1"]


def test_stop_keeps_what_was_said(message: dict[str, Any]) -> None:
    engine = FakeEngine(" ".join(["word"] * 200), delay=0.02)
    pipeline = fake_pipeline()
    pipeline.engine = engine
    chats = Chats(pipeline)
    steps = chats.say(message, limit=256)
    while "word" not in texts(next(steps)["talk"]["messages"])[-1]:
        pass
    last = chats.tab.runner.stop("one")
    assert texts(last["talk"]["messages"])[-1].startswith("word")
    assert engine.cancelled == 1 and engine.steps < 200
    assert "talk" not in chats.tab.runner.stop("one")


def test_a_turn_that_is_over_is_added_once(message: dict[str, Any]) -> None:
    """Stop may come between the last word and the end."""
    job = ChatJob(fake_pipeline(echo), ChatSessions(), "one", ChatValues(message))
    job.begin()
    *_, answer = job.stream()
    assert job.finished(answer, True) == job.finished(answer, True)
    assert texts(job._session.messages()) == ["what is it", "I see 1"]


def test_a_new_conversation_knows_nothing_of_the_old(message: dict[str, Any]) -> None:
    chats = Chats(fake_pipeline(echo))
    chats.messages(message)
    chats.tab.leave("one")
    assert texts(chats.messages(message)) == ["what is it", "I see 1"]


def test_a_conversation_ends_at_its_limit(
    message: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_sessions, "MAX_TURNS", 2)
    chats = Chats(fake_pipeline(echo))
    chats.messages(message)
    (update,) = chats.say(message)
    assert "begin a new one" in update["talk"]["notes"][0]
    assert texts(update["talk"]["messages"]) == ["what is it", "I see 1"]


def test_the_oldest_conversation_makes_room(
    message: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_sessions, "MAX_SESSIONS", 1)
    chats = Chats(fake_pipeline(echo))
    chats.messages(message, "one")
    chats.messages(message, "two")
    assert len(texts(chats.messages(message, "one"))) == 2


def test_the_oldest_conversation_makes_room_for_pixels_too(
    message: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_sessions, "MAX_PIXELS", 1)
    chats = Chats(fake_pipeline(echo))
    chats.messages(message, "one")
    assert len(texts(chats.messages(message, "one"))) == 4, "nobody makes room for oneself"
    chats.messages(message, "two")
    assert len(texts(chats.messages(message, "one"))) == 2


def test_a_conversation_holds_so_many_pixels(
    message: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Image.open(message["files"][0]["path"]) as image:
        monkeypatch.setattr(picture_worker, "MAX_TOGETHER", 2 * image.width * image.height)
    chats = Chats(fake_pipeline(echo))
    chats.messages(message)
    chats.messages(message)
    (update,) = chats.say(message)
    assert update["talk"]["notes"][0].startswith("E_IMAGE_TOO_LARGE: The pictures have more than")
    assert len(texts(chats.messages({"text": "go on", "files": []}))) == 6


def test_more_pictures_than_one_may_show_are_refused_before_any_is_opened(
    message: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a picture was opened")

    monkeypatch.setattr(picture_worker, "open_picture", refuse)
    (update,) = Chats(fake_pipeline(echo)).say(message | {"files": message["files"] * 17})
    assert update["talk"]["notes"][0].startswith("E_TOO_MANY_IMAGES: There are 17 pictures;")


def test_marks_in_what_the_model_said_do_not_come_back_as_commands() -> None:
    assert without_marks("a <start_of_turn>user <b> ") == "a user <b>"


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
    assert ChatTab(pipeline).is_useful(pipeline) is is_there is ("chat-talk" in names)


@pytest.fixture(scope="module")
def gemma3(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    from tiny_models import make_model, save

    return load(save(make_model("gemma3"), tmp_path_factory.mktemp("g3") / "gemma3"))


@pytest.mark.parametrize("first, later", [(True, False), (False, True)])
def test_the_first_turn_says_for_all_whether_there_are_crops(
    message: dict[str, Any], first: bool, later: bool
) -> None:
    engine = FakeEngine(echo)
    chats = Chats(Pipeline(engine, GEMMA3, name="chatty"))
    assert chats.has_crops() is None
    chats.messages(message, crops=first)
    chats.messages({"text": "and now", "files": message["files"]}, crops=later)
    assert [prompt.pan_and_scan for prompt in engine.prompts] == [first, first]
    assert chats.has_crops() is first
    chats.tab.leave("one")
    chats.messages(message, crops=later)
    assert engine.prompts[-1].pan_and_scan is later


def test_a_first_turn_that_was_not_answered_decides_nothing(message: dict[str, Any]) -> None:
    engine = FakeEngine(RuntimeError("lost"))
    chats = Chats(Pipeline(engine, GEMMA3, name="chatty"))
    *_, last = chats.say(message, crops=True)
    assert last["talk"]["state"] == "error"
    assert texts(last["talk"]["messages"]) == ["what is it"]  # to be said again
    assert chats.has_crops() is None
    engine.script = echo
    chats.messages(message, crops=False)
    assert not engine.prompts[-1].pan_and_scan and chats.has_crops() is False


def test_a_box_that_is_hidden_says_nothing(message: dict[str, Any]) -> None:
    engine = FakeEngine(echo)
    pipeline = fake_pipeline()
    pipeline.engine = engine
    assert texts(Chats(pipeline).messages(message, crops=True))[-1] == "I see 1"
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
    chats = Chats(Pipeline(FakeEngine(echo), GEMMA3, name="chatty"))
    for _ in range(turns):
        chats.messages(message, crops=crops)
    update = chats.tab._sessions.crops_box("one")
    assert {key: update[key] for key in ("value", "interactive") if key in update} == box


def test_with_crops_the_next_question_goes_on_behind_the_same_pictures(
    gemma3: Pipeline, long_message: dict[str, Any]
) -> None:
    def counts() -> tuple[int, int, int]:
        told = gemma3.cache_status()
        return told["pictures"]["misses"], told["prefixes"]["misses"], told["prefixes"]["hits"]

    chats, before = Chats(gemma3), counts()
    chats.messages(long_message, limit=4, crops=True)
    looked, read, again = counts()
    assert (looked - before[0], read - before[1], again) == (4, 1, before[2])  # whole and 3 crops
    chats.messages({"text": "a cat?", "files": []}, limit=4, crops=False)
    assert counts() == (looked, read, again + 1)


def test_a_random_gemma_3_holds_a_conversation(gemma3: Pipeline, message: dict[str, Any]) -> None:
    assert ChatTab(gemma3).is_useful(gemma3)
    chats = Chats(gemma3)
    first = chats.messages(message, limit=8)
    second = chats.messages({"text": "a cat?", "files": message["files"]}, limit=8)
    assert first[0] == second[0] and len(second) > len(first)
    assert all(texts(second))
