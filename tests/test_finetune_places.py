"""Where a fine-tune writes: nobody else's folder, and one run at a time."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file
from tiny_models import make_model, save
from tuning import words_of, write_data

from gemma_vision.cli import main
from gemma_vision.finetuning.plan import FinetuneError
from gemma_vision.finetuning.run_folder import held
from gemma_vision.optimization.folder_lock import locked

pytestmark = pytest.mark.usefixtures("short_answers")


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    return save(make_model(), tmp_path_factory.mktemp("base"))


@pytest.fixture
def words(base, tmp_path) -> list[str]:
    return words_of(write_data(tmp_path / "data"), tmp_path, "--steps", "1", model=base)


@pytest.mark.parametrize("folder", ["out", "runs/mine"])
def test_two_runs_at_once_keep_out_of_each_others_folders(folder, words, tmp_path, capsys) -> None:
    held = tmp_path / folder
    held.mkdir(parents=True)
    with locked(held) as is_ours:
        assert is_ours and main(words) == 2
    assert f"Another run writes into {held}" in capsys.readouterr().err
    assert not any(held.iterdir())
    assert main(words) == 0


def test_whoever_is_kept_out_takes_no_folder_away(tmp_path, monkeypatch) -> None:
    folder = tmp_path / "out"
    with held(folder):
        with monkeypatch.context() as patch:
            patch.setattr(Path, "exists", lambda path: path == tmp_path)  # as both runs found it
            with pytest.raises(FinetuneError, match="Another run"), held(folder):
                pass
        assert folder.is_dir()
    assert not folder.exists()


def test_where_no_folder_can_be_locked_nobody_is_kept_out(tmp_path, monkeypatch) -> None:
    fcntl = pytest.importorskip("fcntl")

    def refuse(*_: object) -> None:
        raise OSError(errno.EBADF, "Bad file descriptor")  # as on NFS

    monkeypatch.setattr(fcntl, "flock", refuse)
    with locked(tmp_path) as is_ours:
        assert is_ours


def test_what_comes_out_and_the_state_lie_apart(words, tmp_path, capsys) -> None:
    assert main([*words, "--out", str(tmp_path / "runs" / "mine")]) == 2
    assert "is where the state of the run goes" in capsys.readouterr().err


def test_what_is_refused_leaves_no_folder_behind(words, tmp_path) -> None:
    (tmp_path / "data" / "annotations.json").write_text("{")
    assert main(words) == 2
    assert not (tmp_path / "out").exists() and not (tmp_path / "runs").exists()


def test_a_run_goes_on_wherever_its_data_lies_and_into_no_folder_of_other_files(
    words, tmp_path, capsys
) -> None:
    assert main(words) == 0
    shutil.rmtree(tmp_path / "out")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "README.md").write_text("mine")
    assert main([*words, "--resume"]) == 2
    assert "holds files already" in capsys.readouterr().err
    assert (tmp_path / "out" / "README.md").read_text() == "mine"
    (tmp_path / "out" / "README.md").unlink()
    moved = (tmp_path / "data").rename(tmp_path / "moved")
    words[words.index(str(tmp_path / "data"))] = str(moved)
    assert main([*words, "--resume"]) == 0
    assert (tmp_path / "out" / "model.safetensors").is_file()


def test_the_model_itself_is_no_place_for_what_comes_out(words, base, tmp_path, capsys) -> None:
    assert main([*words, "--out", str(base)]) == 2
    assert "is the model itself" in capsys.readouterr().err


@pytest.mark.parametrize("more", [[], ["--lora", "--rank", "2"]], ids=["whole", "LoRA"])
def test_what_transformers_cannot_open_is_told(more, base, tmp_path, capsys) -> None:
    if more:
        pytest.importorskip("peft", reason="PEFT is not installed")
    shards = shutil.copytree(base, tmp_path / "shards")
    tensors = load_file(shards / "model.safetensors")
    (shards / "model.safetensors").unlink()
    save_file(tensors, shards / "model-1.safetensors", {"format": "pt"})
    index = {"weight_map": dict.fromkeys(tensors, "model-1.safetensors")}  # and no metadata
    (shards / "model.safetensors.index.json").write_text(json.dumps(index))
    data = write_data(tmp_path / "data")
    assert main(words_of(data, tmp_path, "--steps", "1", *more, model=shards)) == 2
    said = capsys.readouterr().err
    assert "shards can be asked and not taught" in said and "metadata" in said
