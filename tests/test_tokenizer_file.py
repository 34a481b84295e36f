"""A tokenizer that is not the checkpoint's own is refused while loading, not at a prompt."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tiny_models import make_model, make_tokenizer, save
from tokenizers import Tokenizer

from gemma_vision.errors import CheckpointError
from gemma_vision.weights.checkpoint import open_checkpoint
from gemma_vision.weights.tokenizer_file import open_tokenizer

PUBLISHED = {
    "paligemma": "google/paligemma-3b-pt-224",
    "paligemma2": "google/paligemma2-3b-pt-224",
    "gemma3": "google/gemma-3-4b-it",
}


@pytest.fixture(scope="module", params=PUBLISHED)
def folder(request, tmp_path_factory) -> Path:
    return save(make_model(request.param), tmp_path_factory.mktemp(request.param))


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / folder.name.rstrip("0123456789")))


def refusal(folder: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(folder, "cpu")
    family = "gemma3" if folder.name == "gemma" else folder.name
    assert "Copy that of the model it was tuned from" in str(caught.value)
    assert any(like in str(caught.value) for name, like in PUBLISHED.items() if family in name)
    return str(caught.value)


def rewrite(folder: Path, *changes: tuple[str, str]) -> None:
    path = folder / "tokenizer.json"
    text = path.read_text(encoding="utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")


def test_a_missing_tokenizer_says_whose_to_copy(copy: Path) -> None:
    (copy / "tokenizer.json").unlink()
    (copy / "tokenizer.model").touch()
    assert "tokenizer.model alone is not read" in refusal(copy)


def test_another_familys_tokenizer_is_refused(copy: Path) -> None:
    other = "paligemma" if (copy.name == "gemma") else "gemma3"
    make_tokenizer(other).save(str(copy / "tokenizer.json"))
    assert "has no <image" in refusal(copy)


def test_an_image_token_of_another_id_is_refused(copy: Path) -> None:
    values = json.loads((copy / "config.json").read_text())
    wrong = values["image_token_index" if "image_token_index" in values else "image_token_id"] - 1
    values |= {"image_token_index": wrong, "image_token_id": wrong}
    (copy / "config.json").write_text(json.dumps(values))
    assert f"config.json says {wrong}" in refusal(copy)


def test_more_tokens_than_rows_are_refused(copy: Path) -> None:
    tokenizer = open_tokenizer(copy)
    tokenizer.add_tokens([f"<new{number}>" for number in range(50)])
    tokenizer.save(str(copy / "tokenizer.json"))
    assert "rows" in refusal(copy)


def test_tokens_added_into_spare_rows_are_taken(copy: Path) -> None:
    tokenizer = open_tokenizer(copy)
    tokenizer.add_tokens(["<mine>"])
    tokenizer.save(str(copy / "tokenizer.json"))
    assert len(open_checkpoint(copy, "cpu").tokenizer.encode("<mine>").ids) == 1


def test_a_tokenizer_without_its_marks_is_refused(copy: Path) -> None:
    rewrite(copy, ('"<bos>"', '"<start>"'))
    assert Tokenizer.from_file(str(copy / "tokenizer.json")).token_to_id("<start>") is not None
    assert "has no <bos>" in refusal(copy)
