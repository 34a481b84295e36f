"""Models are found by name, and whatever keeps one away is told in one sentence."""

from __future__ import annotations

import functools
import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub
import pytest
from hub_server import Hub, playing_hub
from tiny_models import make_model, save

from gemma_vision.checkpoints import hub
from gemma_vision.cli import main
from gemma_vision.errors import CheckpointError
from gemma_vision.weights.checkpoint import open_checkpoint

MODEL = "someone/something"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return save(make_model(), tmp_path_factory.mktemp("published"))


@pytest.fixture
def at(monkeypatch, tmp_path: Path):
    """Point the Hub's client to a server and to an empty cache."""
    download = huggingface_hub.snapshot_download
    cache = tmp_path / "hub"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)  # loopback only
    huggingface_hub.utils.disable_progress_bars()

    def point(url: str) -> Path:
        client = functools.partial(download, endpoint=url, cache_dir=cache, token=False)
        monkeypatch.setattr(huggingface_hub, "snapshot_download", client)
        return cache

    return point


def refusal(hub_id: str = MODEL) -> CheckpointError:
    with pytest.raises(CheckpointError) as caught:
        hub.find(hub_id)
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_checkpoint_is_fetched_once_and_then_found_without_a_network(folder, at) -> None:
    with playing_hub(folder) as server:
        at(server.url)
        found = hub.find(MODEL)
        assert open_checkpoint(MODEL, "cpu").num_parameters > 0
        assert sum("GET" in one and "/resolve/" in one for one in server.asked) == 3
    assert hub.find(MODEL) == found


def test_only_data_is_fetched(folder: Path, at, tmp_path: Path) -> None:
    published = Path(shutil.copytree(folder, tmp_path / "published"))
    for name in ("model.py", "pytorch_model.bin", "arrays.npz", "consolidated.safetensors"):
        (published / name).write_text("{}")
    with playing_hub(published) as server:
        at(server.url)
        found = hub.find(MODEL)
    assert {path.name for path in found.iterdir()} == {path.name for path in folder.iterdir()}


def fetched(server: Hub) -> set[str]:
    """The files that were fetched from it."""
    return {one.rsplit("/", 1)[1] for one in server.asked if "GET" in one and "/resolve/" in one}


@pytest.mark.parametrize("has_single", [True, False])
def test_shards_are_fetched_where_there_is_no_single_file(at, tmp_path, has_single: bool) -> None:
    published = save(make_model(seed=1), tmp_path / "published", shards=2)
    if has_single:
        save(make_model(seed=2), published)
    with playing_hub(published) as server:
        at(server.url)
        assert hub.is_here(MODEL) is False
        hub.find(MODEL)
        weights = {name for name in fetched(server) if name.endswith(".safetensors")}
        shards = {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"}
        assert weights == ({"model.safetensors"} if has_single else shards)


REFUSED_EARLY = [
    pytest.param({"quantization_config": {"quant_method": "gptq", "bits": 4}}, "gptq", id="packed"),
    pytest.param({"model_type": "llava"}, "'llava'", id="another family"),
    pytest.param({"text_config": {"model_type": "gemma2"}, "model_type": "x"}, "'x'", id="odd"),
]


@pytest.mark.parametrize("changes, said", REFUSED_EARLY)
def test_nothing_large_is_fetched_of_what_cannot_be_loaded(
    changes, said: str, folder: Path, at, tmp_path: Path
) -> None:
    published = Path(shutil.copytree(folder, tmp_path / "published"))
    values = json.loads((published / "config.json").read_text())
    (published / "config.json").write_text(json.dumps(values | changes))
    with playing_hub(published) as server:
        at(server.url)
        assert said in str(refusal())
        assert fetched(server) == {"config.json"}


def test_a_kind_of_adapter_that_cannot_be_merged_is_not_fetched(at, tmp_path: Path) -> None:
    published = tmp_path / "published"
    published.mkdir()
    (published / "adapter_config.json").write_text(json.dumps({"peft_type": "IA3"}))
    (published / "adapter_model.safetensors").write_bytes(b"large")
    with playing_hub(published) as server:
        at(server.url)
        assert refusal().code == "E_ADAPTER"
        assert fetched(server) == {"adapter_config.json"}


def test_an_adapter_is_fetched_with_its_weights(at, tmp_path: Path) -> None:
    published = tmp_path / "published"
    published.mkdir()
    (published / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA"}))
    (published / "adapter_model.safetensors").write_bytes(b"large")
    with playing_hub(published) as server:
        at(server.url)
        assert (hub.find(MODEL) / "adapter_model.safetensors").read_bytes() == b"large"


def test_a_repository_without_a_config_is_refused_and_not_fetched(at, tmp_path: Path) -> None:
    published = tmp_path / "published"
    published.mkdir()
    (published / "model.safetensors").write_bytes(b"large")
    with playing_hub(published) as server:
        at(server.url)
        assert "has no config.json" in str(refusal())
        assert fetched(server) == set()


@pytest.mark.parametrize(
    "name, said",
    [
        pytest.param("model.safetensors", "Name the folder", id="weights alone"),
        pytest.param("gemma-3-4b-it-Q4_K_M.gguf", "llama.cpp", id="gguf"),
        pytest.param("someone/gemma-3-4b-it-GGUF", "llama.cpp", id="a repository of gguf"),
        pytest.param("pytorch_model.bin", "pickle", id="pickle"),
        pytest.param("pt_224.npz", "JAX", id="jax"),
        pytest.param("model.zip", "Unpack", id="archive"),
        pytest.param("gemma.task", "LiteRT", id="phone"),
    ],
)
def test_a_file_is_told_apart_from_a_folder(name: str, said: str, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *args, **kwargs: 1 / 0)
    monkeypatch.chdir(tmp_path)
    if "/" not in name:
        (tmp_path / name).touch()
    with pytest.raises(CheckpointError, match=said) as caught:
        hub.find(name)
    assert str(caught.value).startswith(name) and str(caught.value).endswith(".")


@pytest.mark.parametrize(
    "mood, code, said",
    [
        pytest.param("no token", "E_MODEL_GATED", "accept", id="gated, no token"),
        pytest.param("no licence", "E_MODEL_GATED", "licence", id="gated, not accepted"),
        pytest.param("forbidden", "E_MODEL_GATED", "HF_TOKEN", id="403"),
        pytest.param("wrong token", "E_MODEL_UNKNOWN", "log in", id="401 without a reason"),
        pytest.param("no such model", "E_MODEL_UNKNOWN", "Check the name", id="404"),
    ],
)
def test_the_hub_says_no(mood: str, code: str, said: str, folder: Path, at) -> None:
    with playing_hub(folder, mood) as server:
        at(server.url)
        error = refusal()
    assert error.code == code
    assert said in str(error)
    assert MODEL in str(error)


def test_a_connection_that_is_cut_leaves_nothing_behind(folder: Path, at, monkeypatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between the client's retries
    with playing_hub(folder, "cut") as server:
        cache = at(server.url)
        assert refusal().code == "E_OFFLINE"
    assert not list(cache.rglob("*.incomplete"))
    assert not list(cache.rglob("*.safetensors"))


def test_a_wrong_sum_leaves_nothing_behind(folder: Path, at) -> None:
    with playing_hub(folder, "wrong sum") as server:
        cache = at(server.url)
        error = refusal()
    assert error.code == "E_CHECKPOINT_DAMAGED"
    assert "SHA-256" in str(error)
    assert not list(cache.rglob("*.safetensors"))
    assert not [blob for blob in cache.rglob("blobs/*") if len(blob.name) == 64]


def unused_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


def test_no_network_is_told(at) -> None:
    at(f"http://127.0.0.1:{unused_port()}")
    error = refusal()
    assert error.code == "E_OFFLINE"
    assert "Connect once" in str(error)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB, in memory; unmounted afterwards."""
    folder = tmp_path / "hub"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this machine does not let us mount a small tmpfs")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.filterwarnings("ignore:Not enough free disk space")  # the Hub's client, beforehand
def test_a_disk_that_fills_up_is_told_and_nothing_half_written_stays(
    folder: Path, at, small_disk: Path
) -> None:
    assert (folder / "model.safetensors").stat().st_size > 2**16
    with playing_hub(folder) as server:
        assert at(server.url) == small_disk
        error = refusal()
    assert error.code == "E_DISK_FULL"
    assert "Free some space" in str(error)
    assert not list(small_disk.rglob("*.incomplete"))
    assert not list(small_disk.rglob("*.safetensors"))
    (small_disk / "room").write_bytes(bytes(2**15))  # what was half written has made room again


def refused_by_the_command_line(picture: Path, capsys) -> str:
    """The one sentence on standard error, with exit code 2 and nothing on standard output."""
    assert main(["detect", str(picture), "cat", "--model", MODEL]) == 2
    out, said = capsys.readouterr()
    assert out == ""
    assert said.count("\n") == 1
    assert said.startswith("gemma-vision: ")
    assert MODEL in said
    return str(said)


def left_behind(cache: Path) -> list[Path]:
    """Weights, whole or in part, that a refused fetch has no business leaving in the cache."""
    kept = [path for path in cache.rglob("*") if path.is_file() or path.is_symlink()]
    return [path for path in kept if path.suffix in (".incomplete", ".safetensors") or large(path)]


def large(path: Path) -> bool:
    """A blob named by its SHA-256: a file of weights."""
    return path.parent.name == "blobs" and len(path.name) == 64


@pytest.mark.parametrize(
    "mood, said",
    [
        pytest.param("no token", "accept its licence", id="401, gated"),
        pytest.param("wrong token", "log in", id="401"),
        pytest.param("no licence", "accept its licence", id="403, licence"),
        pytest.param("forbidden", "HF_TOKEN", id="403 without a reason"),
        pytest.param("no such model", "Check the name", id="404"),
        pytest.param("cut", "cannot be reached", id="cut connection"),
        pytest.param("wrong sum", "SHA-256", id="wrong SHA-256"),
    ],
)
def test_the_command_line_says_it_in_one_sentence_and_leaves_nothing(
    mood: str, said: str, folder: Path, at, picture_file: Path, capsys, monkeypatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between the client's retries
    with playing_hub(folder, mood) as server:
        cache = at(server.url)
        assert said in refused_by_the_command_line(picture_file, capsys)
    assert left_behind(cache) == []


def test_the_command_line_says_that_there_is_no_network(at, picture_file: Path, capsys) -> None:
    cache = at(f"http://127.0.0.1:{unused_port()}")
    assert "Connect once" in refused_by_the_command_line(picture_file, capsys)
    assert left_behind(cache) == []


@pytest.mark.filterwarnings("ignore:Not enough free disk space")  # the Hub's client, beforehand
def test_the_command_line_says_that_the_disk_is_full(
    folder: Path, at, small_disk: Path, picture_file: Path, capsys
) -> None:
    with playing_hub(folder) as server:
        at(server.url)
        assert "Free some space" in refused_by_the_command_line(picture_file, capsys)
    assert left_behind(small_disk) == []


def test_a_fetch_that_was_refused_succeeds_the_next_time(
    folder: Path, at, picture_file: Path, capsys, monkeypatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with playing_hub(folder, "cut") as server:
        at(server.url)
        refused_by_the_command_line(picture_file, capsys)
        server.mood = ""
        assert (
            main(["detect", str(picture_file), "cat", "--model", MODEL, "--max-tokens", "2"]) == 0
        )


@pytest.mark.parametrize(
    "name", ["nobody", "a/b/c", "../up", "/no/where", "", "-x/y"], ids=lambda name: name or "empty"
)
def test_a_name_that_is_no_model_is_told(name: str, monkeypatch) -> None:
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(CheckpointError, match="There is no model") as caught:
        hub.find(name)
    assert caught.value.code == "E_MODEL_UNKNOWN"


@pytest.mark.parametrize("name", ["a/..", "a/b--c", "a/b.git", "a/" + "b" * 100])
def test_a_name_that_the_hub_does_not_allow_is_told(name: str, at) -> None:
    at("http://127.0.0.1:9")
    assert refusal(name).code == "E_MODEL_UNKNOWN"


def test_a_sentence_names_the_model_and_not_the_cache(at, folder: Path, tmp_path: Path) -> None:
    published = Path(shutil.copytree(folder, tmp_path / "published"))
    (published / "tokenizer.json").unlink()
    with playing_hub(published) as server:
        at(server.url)
        with pytest.raises(CheckpointError) as caught:
            open_checkpoint(MODEL, "cpu")
    assert str(caught.value).startswith(f"{MODEL} lacks tokenizer.json")
    assert str(tmp_path) not in str(caught.value)


def test_a_folder_is_found_before_the_hub_is_asked(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "owner" / "model").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *args, **kwargs: 1 / 0)
    assert hub.find("owner/model") == Path("owner/model")
