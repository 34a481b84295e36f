"""Another checkpoint in the place of the one that answers: when, how far, and the way back."""

from __future__ import annotations

import functools
import json
import shutil
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from hub_server import HANGS, playing_hub
from PIL import Image
from tiny_models import make_model, save

import gemma_vision
from gemma_vision.checkpoints import download, progress
from gemma_vision.errors import CheckpointError
from gemma_vision.registry.model_cache import MOST_LARGE, ModelCache
from gemma_vision.registry.model_switcher import ModelSwitcher
from gemma_vision.registry.switch_outcome import describe_failure
from gemma_vision.requests.request import Request
from gemma_vision.requests.validation import TaskError
from gemma_vision.runtime.engine import UnavailableEngine
from gemma_vision.weights import memory

SECONDS = 20.0
SMALL = 1000  # parameters; with this as the mark, all checkpoints here are large ones


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Checkpoints by what they are: "second" and "chat" run, "broken" does not."""
    root = tmp_path_factory.mktemp("choice")
    save(make_model("paligemma2"), root / "second")
    save(make_model("gemma3"), root / "chat")
    shutil.copytree(root / "second", root / "broken")
    whole = (root / "broken" / "model.safetensors").read_bytes()
    (root / "broken" / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    return {name: str(root / name) for name in ("second", "chat", "broken")}


@pytest.fixture
def turn() -> threading.Lock:
    return threading.Lock()


@pytest.fixture
def switcher(random_checkpoint: Path, turn: threading.Lock) -> Iterator[ModelSwitcher]:
    switcher = ModelSwitcher(ModelCache(gemma_vision.load(random_checkpoint, "cpu")), turn, "cpu")
    yield switcher
    switcher.cancel()
    assert switcher.join(SECONDS)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """Holds every reading at its first tensor until it is opened."""
    gate = Gate()
    report = progress.ProgressReporter.report

    def slow(self: Any, phase: str, done: int = 0, total: int = 0) -> None:
        report(self, phase, done, total)
        if phase == "reading" and type(self) is progress.ProgressReporter:
            gate.reached.set()
            while not gate.opened.wait(0.02) and not self.is_cancelled:
                pass

    monkeypatch.setattr(progress.ProgressReporter, "report", slow)
    yield gate
    gate.opened.set()


class Gate:
    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()


def chosen(switcher: ModelSwitcher, name: str) -> dict[str, Any]:
    """The state after a choice has ended."""
    switcher.switch(name)
    assert switcher.join(SECONDS)
    return switcher.state()


def wait_until(claim: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not claim():
        assert time.monotonic() < end
        time.sleep(0.01)


def words_of(switcher: ModelSwitcher, picture: Image.Image) -> str:
    return switcher.pipeline.run(Request(picture, "ask", "what is it", max_tokens=8)).text


def all_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "LARGE", SMALL)
    monkeypatch.setattr("gemma_vision.registry.model_cache.LARGE", SMALL)


def test_who_holds_the_pipeline_sees_with_the_chosen_checkpoint(switcher, folders, picture) -> None:
    held, before = switcher.pipeline, words_of(switcher, picture)
    state = chosen(switcher, folders["second"])
    assert (state["id"], state["family"], state["state"]) == (
        "second",
        "paligemma2",
        "ready",
    )
    assert (state["device"], state["dtype"], state["revision"]) == ("cpu", "float32", 1)
    assert state["outcome"]["result"] == "loaded" and state["change"] is None
    alone = gemma_vision.load(folders["second"], "cpu")
    answer = held.run(Request(picture, "ask", "what is it", max_tokens=8))
    assert answer.model == "second"
    assert answer.text == alone.ask(picture, "what is it", max_tokens=8).text != before


def test_tasks_change_with_the_checkpoint_and_back(switcher, folders, random_checkpoint) -> None:
    first = switcher.state()["tasks"]
    assert "chat" in chosen(switcher, folders["chat"])["tasks"]
    with pytest.raises(TaskError, match="cannot detect"):
        switcher.pipeline.detect(Image.new("RGB", (9, 9)), "cat")
    assert chosen(switcher, str(random_checkpoint))["tasks"] == first
    assert switcher.state()["revision"] == 2
    assert list(switcher.seen) == [random_checkpoint.name, "chat"]


def test_who_finds_without_masks_borrows_them(folders, random_checkpoint, turn) -> None:
    notes = Path(folders["chat"]) / "gemma_vision.json"
    notes.write_text(json.dumps({"prompts": {"detect": "detect {names}"}}))
    outliner = gemma_vision.load("tiny", "cpu")
    model_cache = ModelCache(gemma_vision.load(random_checkpoint, "cpu"))
    switcher = ModelSwitcher(model_cache, turn, "cpu", masks=outliner)
    tasks = [chosen(switcher, folders[name])["tasks"] for name in ("chat", "second")]
    notes.unlink()
    plain = chosen(switcher, folders["chat"])["tasks"]
    assert [("segment" in one, "detect" in one) for one in (*tasks, plain)] == [
        (True, True),
        (True, True),
        (False, False),
    ]
    assert switcher.pipeline.mask_source is None


@pytest.mark.parametrize(
    "name, said",
    [
        pytest.param("broken", "no whole safetensors file", id="a broken file"),
        pytest.param("/no/where", "There is no model", id="nothing there"),
        pytest.param("someone/unknown", "cannot be reached", id="a Hub id without a network"),
    ],
)
def test_what_cannot_be_loaded_is_one_sentence_and_the_former_answers(
    name: str, said: str, switcher, folders, picture
) -> None:
    before, former = words_of(switcher, picture), switcher.state()["id"]
    outcome = chosen(switcher, folders.get(name, name))["outcome"]
    assert outcome["result"] == "failed" and said in outcome["why"]
    assert "\n" not in outcome["why"]
    assert switcher.state()["id"] == former and switcher.revision == 0
    assert words_of(switcher, picture) == before


def test_an_answer_under_way_keeps_its_checkpoint(switcher, folders, turn, picture) -> None:
    with turn:
        answers = switcher.pipeline.stream(Request(picture, "ask", "what", max_tokens=8))
        first = next(answers)
        switcher.switch(folders["second"])
        wait_until(lambda: (switcher.state()["change"] or {}).get("phase") == "waiting")
        (*_, last) = answers
        assert first.model == last.model == switcher.state()["id"] != folders["second"]
        assert switcher.revision == 0
    assert switcher.join(SECONDS)
    assert switcher.state()["id"] == "second"


def test_of_two_choices_at_once_the_first_wins(switcher, folders, gate) -> None:
    switcher.switch(folders["second"])
    assert gate.reached.wait(SECONDS)
    with pytest.raises(CheckpointError, match="is being loaded; wait for it") as refused:
        switcher.switch(folders["chat"])
    assert refused.value.code == "E_LOADING"
    gate.opened.set()
    assert switcher.join(SECONDS)
    assert switcher.state()["id"] == "second"


def test_of_many_choices_at_once_one_is_taken(switcher, folders, gate) -> None:
    refused, start = [], threading.Barrier(8)

    def choose() -> None:
        start.wait()
        try:
            switcher.switch(folders["second"])
        except CheckpointError as error:
            refused.append(error.code)

    threads = [threading.Thread(target=choose) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == ["E_LOADING"] * 7
    gate.opened.set()
    assert switcher.join(SECONDS) and switcher.revision == 1


def test_the_loaded_one_is_not_loaded_again(switcher, random_checkpoint) -> None:
    with pytest.raises(CheckpointError, match="is loaded already"):
        switcher.switch(str(random_checkpoint))


def test_a_reading_that_is_called_off_leaves_the_former_one(
    switcher, folders, gate, picture
) -> None:
    before = words_of(switcher, picture)
    switcher.switch(folders["second"])
    assert gate.reached.wait(SECONDS)
    change = switcher.state()["change"]
    assert change["id"] == "second" and change["phase"] == "reading"
    assert 0 <= change["done"] < change["total"] and switcher.state()["state"] == "loading"
    assert words_of(switcher, picture) == before  # which answers meanwhile
    assert switcher.cancel()
    assert switcher.join(SECONDS)
    assert switcher.state()["outcome"]["result"] == "cancelled"
    assert words_of(switcher, picture) == before
    assert not switcher.cancel()


def test_waiting_for_an_answer_can_be_called_off(switcher, folders, turn) -> None:
    with turn:
        switcher.switch(folders["second"])
        wait_until(lambda: (switcher.state()["change"] or {}).get("phase") == "waiting")
        switcher.cancel()
        assert switcher.join(SECONDS)
    assert switcher.state()["outcome"]["result"] == "cancelled" and switcher.revision == 0


def test_one_large_checkpoint_leaves_memory_before_another_is_read(
    switcher, folders, gate, monkeypatch, picture, turn
) -> None:
    all_are_large(monkeypatch)
    former = weakref.ref(switcher.pipeline.engine.checkpoint.model)  # type: ignore[attr-defined]
    switcher.switch(folders["second"])
    assert gate.reached.wait(SECONDS)
    assert former() is None and turn.locked()
    with pytest.raises(CheckpointError, match="is being loaded; ask again in a moment"):
        switcher.pipeline.run(Request(picture, "caption"))
    gate.opened.set()
    assert switcher.join(SECONDS)
    assert switcher.state()["id"] == "second" and not turn.locked()


@pytest.mark.parametrize("is_cancelled", [True, False], ids=["called off", "failed"])
def test_a_large_checkpoint_comes_back_when_its_successor_does_not(
    is_cancelled: bool, switcher, folders, gate, monkeypatch, picture
) -> None:
    before, former = words_of(switcher, picture), switcher.state()["id"]
    all_are_large(monkeypatch)
    folder = shutil.copytree(folders["second"], Path(folders["second"]).parent / f"{is_cancelled}")
    tokenizer = (folder / "tokenizer.json").read_text()
    (folder / "tokenizer.json").write_text(tokenizer if is_cancelled else "{")
    switcher.switch(str(folder))
    if is_cancelled:
        assert gate.reached.wait(SECONDS)
        switcher.cancel()
    assert switcher.join(SECONDS)
    state = switcher.state()
    assert state["outcome"]["result"] == ("cancelled" if is_cancelled else "failed")
    assert (state["id"], state["state"], state["revision"]) == (former, "ready", 1)
    assert words_of(switcher, picture) == before


def test_the_embedded_one_answers_where_even_the_former_is_lost(
    folders, turn, monkeypatch, tmp_path
) -> None:
    first = shutil.copytree(folders["second"], tmp_path / "first")
    switcher = ModelSwitcher(ModelCache(gemma_vision.load(first, "cpu")), turn, "cpu")
    all_are_large(monkeypatch)
    shutil.rmtree(first)
    broken = shutil.copytree(folders["second"], tmp_path / "no words")
    (broken / "tokenizer.json").unlink()
    state = chosen(switcher, str(broken))
    assert "lacks tokenizer.json" in state["outcome"]["why"]
    assert (state["id"], state["state"]) == ("tiny", "ready")


def test_more_large_ones_are_kept_where_that_is_allowed(
    switcher, folders, gate, monkeypatch, picture
) -> None:
    all_are_large(monkeypatch)
    monkeypatch.setenv(MOST_LARGE, "2")
    before = words_of(switcher, picture)
    switcher.switch(folders["second"])
    assert gate.reached.wait(SECONDS)
    assert words_of(switcher, picture) == before
    gate.opened.set()
    assert switcher.join(SECONDS)


def test_what_does_not_fit_is_refused_before_anything_is_given_up(
    switcher, folders, monkeypatch, picture
) -> None:
    monkeypatch.setattr(memory, "free", lambda device: 10_000)
    outcome = chosen(switcher, folders["second"])["outcome"]
    assert "needs about 0.0 GiB of memory" in outcome["why"]
    assert words_of(switcher, picture) is not None and switcher.revision == 0


@pytest.mark.parametrize(
    "error, code, said",
    [
        (
            MemoryError(),
            "E_MEMORY",
            "There is not enough memory for it. Take a smaller checkpoint.",
        ),
        (RuntimeError("CUDA out of memory"), "E_MEMORY", "There is not enough memory for it."),
        (KeyError("a secret path"), "E_CHECKPOINT", "it cannot be read as a checkpoint."),
    ],
)
def test_what_no_one_foresaw_is_a_sentence_too(error: Exception, code: str, said: str) -> None:
    own, why = describe_failure("it", error)
    assert own == code and why.startswith(said)


def test_an_absent_engine_says_so() -> None:
    engine = UnavailableEngine("a", "b is being loaded")
    assert not engine.ready()
    with pytest.raises(CheckpointError, match="b is being loaded; ask again"):
        engine.stream([])


@pytest.fixture
def hub(folders, monkeypatch, tmp_path) -> Iterator[Path]:
    """A slow Hub on this machine, an empty cache, and chunks that are smaller than the file."""
    constants, fetch = huggingface_hub.constants, huggingface_hub.snapshot_download
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)  # loopback only
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 2**14)
    with playing_hub(Path(folders["second"]), "slow") as server:
        client = functools.partial(fetch, endpoint=server.url, cache_dir=tmp_path, token=False)
        monkeypatch.setattr(huggingface_hub, "snapshot_download", client)
        yield tmp_path


def fetched(switcher: ModelSwitcher) -> int:
    """Bytes that are told to be here."""
    change = switcher.state()["change"] or {"phase": "", "done": 0}
    return change["done"] if change["phase"] == "fetching" else 0


def test_bytes_are_told_while_they_come_and_the_former_answers(
    switcher, hub, folders, picture
) -> None:
    size = (Path(folders["second"]) / "model.safetensors").stat().st_size
    switcher.switch("someone/something")
    wait_until(lambda: 2**16 < fetched(switcher) < size)
    assert switcher.state()["change"]["total"] >= size
    assert words_of(switcher, picture) is not None
    assert switcher.join(SECONDS)
    assert switcher.state()["id"] == "someone/something"


def test_fetching_can_be_called_off_and_leaves_nothing_half_written(switcher, hub) -> None:
    switcher.switch("someone/something")
    wait_until(lambda: fetched(switcher) > 2**16)
    switcher.cancel()
    assert switcher.join(SECONDS)
    assert switcher.state()["outcome"]["result"] == "cancelled"
    assert not list(hub.rglob("*.incomplete")) and not list(hub.rglob("*.safetensors"))


def test_fetching_is_called_off_while_the_network_says_nothing(
    switcher, folders, monkeypatch, tmp_path
) -> None:
    """No byte comes, so that no count of bytes can hear of it; the transfer is aborted too."""
    constants, fetch = huggingface_hub.constants, huggingface_hub.snapshot_download
    aborted: list[bool] = []
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)  # loopback only
    monkeypatch.setattr(download, "PATIENCE", 0.1)
    monkeypatch.setattr(download, "_abort", lambda: aborted.append(True))
    with playing_hub(Path(folders["second"]), HANGS) as server:
        client = functools.partial(fetch, endpoint=server.url, cache_dir=tmp_path, token=False)
        monkeypatch.setattr(huggingface_hub, "snapshot_download", client)
        switcher.switch("someone/something")
        wait_until(lambda: bool(server.asked))
        began = time.monotonic()
        switcher.cancel()
        assert switcher.join(SECONDS) and time.monotonic() - began < 5
        assert switcher.state()["outcome"]["result"] == "cancelled" and aborted
