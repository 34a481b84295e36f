"""Merging from the command line: folders that do not fit, and what cannot be written whole."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tiny_models import make_model, save

from gemma_vision.cli import main
from gemma_vision.weights.checkpoint import open_checkpoint

Q = "base_model.model.model.language_model.layers.1.self_attn.q_proj"
FACTORS = {f"{Q}.lora_A.weight": torch.ones(2, 32), f"{Q}.lora_B.weight": torch.ones(64, 2)}
CONFIG = {"peft_type": "LORA", "r": 2, "lora_alpha": 6, "bias": "none"}


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    return save(make_model(), tmp_path_factory.mktemp("published"))


@pytest.fixture
def base(published: Path, tmp_path: Path) -> Path:
    return shutil.copytree(published, tmp_path / "base")


@pytest.fixture
def adapter(base: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "adapter"
    folder.mkdir()
    configure(folder, base_model_name_or_path=str(base))
    save_file(FACTORS, folder / "adapter_model.safetensors")
    return folder


def configure(folder: Path, **changes: object) -> None:
    path = folder / "adapter_config.json"
    known = json.loads(path.read_text()) if path.is_file() else CONFIG
    path.write_text(json.dumps(known | changes))


def weights(folder: Path, tensors: dict[str, torch.Tensor]) -> None:
    save_file(tensors, folder / "adapter_model.safetensors")


def shard(folder: Path, **index: object) -> None:
    """The same weights in two files, and an index of them."""
    tensors = load_file(folder / "model.safetensors")
    places = {name: f"model-{n % 2}.safetensors" for n, name in enumerate(sorted(tensors))}
    for file in set(places.values()):
        part = {name: tensors[name] for name in tensors if places[name] == file}
        save_file(part, folder / file, {"format": "pt"})
    (folder / "model.safetensors").unlink()
    index |= {"weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def same_weights(one: Path, other: Path) -> bool:
    first, second = (open_checkpoint(path, "cpu").model.state_dict() for path in (one, other))
    return all(torch.equal(first[name], second[name]) for name in first)


NO_NUMBERS = {name: one / 0 for name, one in FACTORS.items()}


@pytest.mark.parametrize(
    "spoil, said",
    [
        pytest.param(lambda b, a: (b / "tokenizer.json").unlink(), "lacks tok", id="no tokenizer"),
        pytest.param(
            lambda b, a: (b / "tokenizer.json").write_text("{}"), "cannot be read", id="tokenizer"
        ),
        pytest.param(lambda b, a: configure(a, r="two"), "another kind", id="rank in words"),
        pytest.param(lambda b, a: weights(a, {}), "holds no weights", id="no weights"),
        pytest.param(lambda b, a: weights(a, NO_NUMBERS), "not finite", id="infinite"),
        pytest.param(
            lambda b, a: (a / "gemma_vision.json").write_bytes(b"\xff"), "is not JSON", id="notes"
        ),
    ],
)
def test_what_loading_would_refuse_is_not_merged(
    spoil: Callable[[Path, Path], object], said: str, base, adapter, tmp_path, capsys
) -> None:
    spoil(base, adapter)
    assert main(["merge", str(adapter), "--out", str(tmp_path / "whole")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "whole").exists()


@pytest.mark.parametrize("folder", ["base", "adapter"])
def test_the_model_itself_is_no_place_for_what_comes_out(folder, adapter, tmp_path, capsys) -> None:
    assert main(["merge", str(adapter), "--out", str(tmp_path / folder)]) == 2
    said = capsys.readouterr().err
    assert "is the model itself" in said and "remove" not in said


def test_odd_files_beside_a_model_are_passed_over(base, adapter, tmp_path) -> None:
    (base / "a.json").mkdir()
    (base / "b.json").symlink_to(tmp_path / "gone")
    (adapter / "README.md").write_bytes("café".encode("latin-1"))
    assert main(["merge", str(adapter), "--out", str(tmp_path / "whole")]) == 0
    assert same_weights(tmp_path / "whole", adapter)


def test_what_cannot_be_written_whole_leaves_an_empty_folder(
    adapter, tmp_path, capsys, monkeypatch
) -> None:
    def fill(*paths: object) -> None:
        raise OSError(28, "No space left on device", "mask_decoder.npz")

    monkeypatch.setattr("gemma_vision.finetuning.results.merging.copy_own_files", fill)
    words = ["merge", str(adapter), "--out", str(tmp_path / "whole")]
    assert main(words) == 2
    assert "No space left" in capsys.readouterr().err
    assert list((tmp_path / "whole").iterdir()) == []
    monkeypatch.undo()
    assert main(words) == 0  # once there is room


def test_weights_that_no_disk_takes_are_told_in_a_sentence(
    adapter, tmp_path, capsys, monkeypatch
) -> None:
    def fill(*given: object, **options: object) -> None:
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("gemma_vision.finetuning.results.merging.save_file", fill)
    assert main(["merge", str(adapter), "--out", str(tmp_path / "whole")]) == 2
    said = capsys.readouterr().err
    assert "No space left on device" in said and "Free some space" in said
    assert list((tmp_path / "whole").iterdir()) == []


@pytest.mark.parametrize("fails", [False, True], ids=["written", "not written"])
def test_a_file_that_came_meanwhile_stays(fails, adapter, tmp_path, capsys, monkeypatch) -> None:
    mine = tmp_path / "whole" / "model.safetensors"

    def come(*paths: object) -> None:
        mine.write_text("mine")
        if fails:
            raise OSError(28, "No space left on device", "mask_decoder.npz")

    monkeypatch.setattr("gemma_vision.finetuning.results.merging.copy_own_files", come)
    assert main(["merge", str(adapter), "--out", str(mine.parent)]) == 2
    assert ("No space left" if fails else "holds files by now") in capsys.readouterr().err
    assert mine.read_text() == "mine" and [*mine.parent.iterdir()] == [mine]


def test_a_base_that_was_moved_is_named(base, adapter, tmp_path, capsys) -> None:
    moved = base.rename(tmp_path / "moved")
    words = ["merge", str(adapter), "--out", str(tmp_path / "whole")]
    assert main(words) == 2
    assert "--base" in capsys.readouterr().err
    assert main([*words, "--base", str(moved)]) == 0
    assert (tmp_path / "whole" / "model.safetensors").is_file()


@pytest.mark.parametrize("index", [{}, {"metadata": {"total_size": 1}}], ids=["bare", "whole"])
def test_a_base_in_shards_is_merged_into_one_file(index, base, adapter, tmp_path) -> None:
    shard(base, **index)
    assert main(["merge", str(adapter), "--out", str(tmp_path / "whole")]) == 0
    assert not (tmp_path / "whole" / "model.safetensors.index.json").exists()
    assert same_weights(tmp_path / "whole", adapter)


def test_an_adapters_own_tokenizer_and_notes_are_those_of_what_comes_out(
    base, adapter, tmp_path
) -> None:
    tokenizer = json.loads((base / "tokenizer.json").read_text())
    (adapter / "tokenizer.json").write_text(json.dumps(tokenizer, indent=1))
    (base / "gemma_vision.json").write_text('{"names": ["cat"], "questions": ["is_there"]}')
    (adapter / "gemma_vision.json").write_text('{"names": ["cat", "cup"]}')
    assert main(["merge", str(adapter), "--out", str(tmp_path / "whole")]) == 0
    for name in ("tokenizer.json", "gemma_vision.json"):
        written, own = ((folder / name).read_text() for folder in (tmp_path / "whole", adapter))
        assert json.loads(written) == json.loads(own)


def test_an_adapter_named_by_nothing_is_not_this_folder(adapter, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(adapter)
    assert main(["merge", "", "--out", str(tmp_path / "whole")]) == 2
    assert "There is no model ''" in capsys.readouterr().err


def test_an_adapter_of_another_family_is_merged_to_the_same_answers(tmp_path, picture) -> None:
    base = save(make_model("gemma3"), tmp_path / "base")
    (tmp_path / "adapter").mkdir()
    configure(tmp_path / "adapter", base_model_name_or_path=str(base), lora_alpha=40)
    weights(tmp_path / "adapter", FACTORS)
    assert main(["merge", str(tmp_path / "adapter"), "--out", str(tmp_path / "whole")]) == 0
    merged, apart, plain = (
        open_checkpoint(tmp_path / name, "cpu").model.state_dict()
        for name in ("whole", "adapter", "base")
    )
    assert merged.keys() == apart.keys()
    assert all(torch.equal(merged[name], apart[name]) for name in merged)
    assert any(not torch.equal(merged[name], plain[name]) for name in merged)
