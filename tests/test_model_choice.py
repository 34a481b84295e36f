"""Who may change the checkpoint of a running app, and what is listed."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from fake_engine import fake_pipeline

from gemma_vision.checkpoints.access_token import AccessToken, TokenError
from gemma_vision.errors import CheckpointError
from gemma_vision.registry.model_cache import ModelCache
from gemma_vision.registry.model_switcher import ModelSwitcher
from gemma_vision.requests.validation import TaskError
from gemma_vision.web.components.model_choice import (
    ANY,
    FIXED,
    LISTED,
    VARIABLE,
    Choice,
    freedom,
    kind_of,
)
from gemma_vision.web.jobs.job import StreamRun, model_lock
from gemma_vision.web.server.picture_uploads import PictureUpload
from gemma_vision.web.tabs.batch_run import run_batch

HERE = {"host": "127.0.0.1:7860", "origin": "http://127.0.0.1:7860"}


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (VARIABLE, "SPACE_ID", "SPACES_ZERO_GPU"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "asked, host, space, zero, given",
    [
        pytest.param(None, "127.0.0.1", "", "", ANY, id="one's own machine"),
        pytest.param(None, "localhost", "", "", ANY, id="by name"),
        pytest.param(None, "0.0.0.0", "", "", FIXED, id="open to others"),
        pytest.param(ANY, "0.0.0.0", "", "", ANY, id="open to others, as asked"),
        pytest.param(FIXED, "127.0.0.1", "", "", FIXED, id="fixed, as asked"),
        pytest.param(None, "0.0.0.0", "a/b", "", FIXED, id="a Space"),
        pytest.param(LISTED, "0.0.0.0", "a/b", "", LISTED, id="a Space with a list"),
        pytest.param(ANY, "0.0.0.0", "a/b", "", LISTED, id="nobody types on a Space"),
        pytest.param(LISTED, "0.0.0.0", "a/b", "true", FIXED, id="ZeroGPU"),
    ],
)
def test_how_much_visitors_may_choose(
    asked: str | None, host: str, space: str, zero: str, given: str, monkeypatch: Any
) -> None:
    monkeypatch.setenv("SPACE_ID", space)
    monkeypatch.setenv("SPACES_ZERO_GPU", zero)
    assert freedom(asked, host) == given
    monkeypatch.setenv(VARIABLE, asked or "")
    assert freedom(None, host) == given


def test_another_word_is_refused() -> None:
    with pytest.raises(ValueError, match="'all' is no way to choose models; take fixed, listed"):
        freedom("all", "127.0.0.1")


class Noting(ModelSwitcher):
    """Writes down what it is asked for, and loads nothing."""

    def __init__(self) -> None:
        super().__init__(ModelCache(fake_pipeline()), threading.Lock())
        self.asked: list[str] = []
        self.tokens: list[AccessToken | None] = []

    def switch(self, name: str, token: AccessToken | None = None) -> None:
        self.asked.append(name)
        self.tokens.append(token)


@pytest.mark.parametrize(
    "given, name, headers, said",
    [
        pytest.param(FIXED, "tiny", HERE, "fixed here", id="fixed"),
        pytest.param(LISTED, "/etc", HERE, "only checkpoints of the list", id="a folder"),
        pytest.param(LISTED, "me/my-own", HERE, "only checkpoints of the list", id="a Hub id"),
        pytest.param(ANY, "", HERE, "Name a checkpoint", id="nothing"),
        pytest.param(ANY, None, HERE, "Name a checkpoint", id="no text"),
        pytest.param(ANY, "x" * 501, HERE, "Name a checkpoint", id="too much"),
        pytest.param(ANY, "tiny\ud800", HERE, "Name a checkpoint", id="half a character"),
        pytest.param(ANY, ["tiny"], HERE, "Name a checkpoint", id="a list"),
        pytest.param(ANY, {"path": "tiny"}, HERE, "Name a checkpoint", id="a file"),
        pytest.param(
            ANY, "tiny", HERE | {"origin": "http://evil.example"}, "own page", id="another page"
        ),
        pytest.param(ANY, "tiny", HERE | {"origin": "null"}, "own page", id="a file's page"),
        pytest.param(
            ANY,
            "tiny",
            {"host": "evil.example:7860", "origin": "http://evil.example:7860"},
            "own page",
            id="a name that points here",
        ),
    ],
)
def test_what_may_not_be_chosen_is_refused(
    given: str, name: Any, headers: dict[str, str], said: str
) -> None:
    switcher = Noting()
    with pytest.raises(TaskError, match=said):
        Choice(switcher, given).choose(name, headers)
    assert switcher.asked == []


@pytest.mark.parametrize(
    "given, name, headers",
    [
        (LISTED, "google/paligemma-3b-mix-224", HERE),
        (ANY, " ./mine ", HERE),
        (ANY, "me/my-own", {"host": "localhost:7860"}),
    ],
    ids=["listed", "a folder", "a program"],
)
def test_what_may_be_chosen_is(given: str, name: str, headers: dict[str, str]) -> None:
    switcher = Noting()
    Choice(switcher, given).choose(name, headers)
    assert switcher.asked == [name.strip()]


def test_an_app_for_others_is_known_by_any_name() -> None:
    switcher = Noting()
    headers = {"host": "vision.example", "origin": "https://vision.example"}
    Choice(switcher, ANY, "0.0.0.0").choose("tiny", headers)
    assert switcher.asked == ["tiny"]


def test_rows_say_what_is_here_what_is_loaded_and_what_fits(monkeypatch: Any) -> None:
    monkeypatch.setattr("gemma_vision.weights.memory.free", lambda device: 8 * 2**30)
    rows = Choice(Noting(), ANY).rows()
    by_id = {row["id"]: row for row in rows}
    assert [row["here"] for row in rows] == sorted((row["here"] for row in rows), reverse=True)
    assert by_id["fake"]["loaded"] and not by_id["tiny"]["loaded"]
    assert by_id["tiny"]["fits"] and by_id["google/paligemma2-3b-mix-448"]["fits"]
    assert not by_id["google/paligemma2-28b-pt-896"]["fits"]
    assert by_id["google/gemma-3-4b-it"]["title"] == "Gemma 3"
    assert by_id["google/paligemma-3b-mix-224"]["bytes"] == 2 * 2_923_466_480


@pytest.mark.parametrize(
    "name, kind",
    [
        ("google/paligemma2-3b-mix-448", "mix"),
        ("google/paligemma-3b-pt-224", "pt"),
        ("google/paligemma-3b-ft-refcoco-seg-224", "ft"),
        ("google/gemma-3-4b-it", "it"),
        ("tiny", ""),
        ("me/my-kitten-mixture", ""),
    ],
)
def test_the_kind_is_read_from_a_published_name(name: str, kind: str) -> None:
    assert kind_of(name) == kind


def test_the_listing_has_the_one_to_begin_with(monkeypatch: Any) -> None:
    monkeypatch.setattr("gemma_vision.weights.memory.free", lambda device: 8 * 2**30)
    listing = Choice(Noting(), ANY).listing()
    assert listing["recommended"]["fits"] and listing["room"] == 8 * 2**30
    assert listing["recommended"]["id"] in {row["id"] for row in listing["rows"]}
    monkeypatch.setattr("gemma_vision.weights.memory.free", lambda device: 2**30)
    assert not Choice(Noting(), ANY).listing()["recommended"]["fits"]


TOKEN = "hf_secretSECRETsecret"


def test_a_token_that_was_given_goes_with_every_choice_until_it_is_forgotten() -> None:
    switcher = Noting()
    choice = Choice(switcher, ANY)
    choice.give_token(f" {TOKEN} ", HERE)
    assert choice.token_state() == {"source": "given", "taken": True}
    choice.choose("me/mine", HERE)
    choice.forget_token(HERE)
    choice.choose("me/mine", HERE)
    assert switcher.tokens == [AccessToken(TOKEN), None]
    assert choice.token_state()["source"] != "given"


def test_what_is_no_token_leaves_the_former_one() -> None:
    choice = Choice(Noting(), ANY)
    choice.give_token(TOKEN, HERE)
    with pytest.raises(TokenError):
        choice.give_token("no token", HERE)
    assert choice.access.token == AccessToken(TOKEN)
    assert TOKEN not in f"{choice!r} {choice.access!r} {vars(choice.access)} {choice.listing()}"


PUBLIC = {"host": "vision.example", "origin": "https://vision.example"}
EVIL = {"host": "127.0.0.1:7860", "origin": "http://evil.example"}


@pytest.mark.parametrize(
    "given, host, headers, code",
    [
        pytest.param(ANY, "0.0.0.0", PUBLIC, "E_MODEL_CHOICE", id="others reach it"),
        pytest.param(LISTED, "127.0.0.1", HERE, "E_MODEL_CHOICE", id="a list alone"),
        pytest.param(FIXED, "127.0.0.1", HERE, "E_MODEL_CHOICE", id="fixed"),
        pytest.param(ANY, "127.0.0.1", EVIL, "E_ORIGIN", id="another page"),
        pytest.param(ANY, "127.0.0.1", PUBLIC, "E_ORIGIN", id="a name that points here"),
    ],
)
def test_a_token_is_taken_from_this_machines_own_page_alone(
    given: str, host: str, headers: dict[str, str], code: str
) -> None:
    choice = Choice(Noting(), given, host)
    for action in (lambda: choice.give_token(TOKEN, headers), lambda: choice.forget_token(headers)):
        with pytest.raises(TaskError) as caught:
            action()
        assert caught.value.code == code and TOKEN not in str(caught.value)
    assert choice.access.token is None


def test_the_address_of_a_page_is_looked_up_in_the_list_as_its_id() -> None:
    switcher = Noting()
    address = "https://huggingface.co/google/paligemma2-3b-mix-448/tree/main"
    Choice(switcher, LISTED).choose(address, HERE)
    assert switcher.asked == ["google/paligemma2-3b-mix-448"]


def test_calling_off_is_for_those_who_may_choose() -> None:
    with pytest.raises(TaskError, match="fixed here"):
        Choice(Noting(), FIXED).cancel(HERE)
    Choice(Noting(), ANY).cancel(HERE)


def test_a_choice_in_vain_is_said_once(monkeypatch: Any) -> None:
    switcher = ModelSwitcher(ModelCache(fake_pipeline()), threading.Lock())
    with pytest.raises(CheckpointError, match="fake is loaded already"):
        Choice(switcher, ANY).choose("fake", HERE)


def test_a_batch_keeps_its_checkpoint_and_the_chosen_one_waits(
    random_checkpoint: Path, picture_file: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    pipeline = fake_pipeline(delay=0.01)
    switcher = ModelSwitcher(ModelCache(pipeline), model_lock, "cpu")
    items = [PictureUpload(f"{number}.png", picture_file) for number in range(3)]
    batch = StreamRun(
        lambda: run_batch(pipeline, items, "detect", "cat ; dog", max_tokens=64), None
    )
    while batch.latest is None:
        assert batch.error is None
    Choice(switcher, ANY).choose(str(random_checkpoint), HERE)
    assert batch.join(20) and batch.is_whole and batch.latest.done == 3
    assert switcher.join(20) and pipeline.source == str(random_checkpoint)
    lines = (batch.latest.folder / "answers.jsonl").read_text().splitlines()
    assert [json.loads(line)["model"] for line in lines] == ["fake"] * 3
