"""What people type or paste for a model is understood, or refused by what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import huggingface_hub
import pytest

from gemma_vision.checkpoints import hub
from gemma_vision.checkpoints.model_names import clean_name
from gemma_vision.errors import CheckpointError

ID = "google/paligemma2-3b-mix-448"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(ID, id="an id"),
        pytest.param(f"  {ID}\n", id="blanks around"),
        pytest.param(f'"{ID}"', id="quotes"),
        pytest.param(f" \u201c{ID}\u201d ", id="typographic quotes"),
        pytest.param(f"https://huggingface.co/{ID}", id="its page"),
        pytest.param(f"https://huggingface.co/{ID}/tree/main", id="its files"),
        pytest.param(f"https://huggingface.co/{ID}/blob/main/config.json?a=b#c", id="a file"),
        pytest.param(f"http://www.huggingface.co/{ID}/", id="www"),
        pytest.param(f"huggingface.co/{ID}", id="without a scheme"),
        pytest.param(f"https://hf.co/{ID}", id="short"),
        pytest.param(f"'HTTPS://HUGGINGFACE.CO/{ID}'", id="loud"),
    ],
)
def test_an_id_is_found_in_what_was_pasted(text: str) -> None:
    assert clean_name(text) == ID


def test_a_mirror_that_is_named_is_the_hub_too(monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"https://mirror.example/{ID}"
    assert clean_name(address) == address
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example")
    assert clean_name(address) == ID


ODD = ["~nobody-here/models", "x" * 5000, "x" * 300 + "/y", "a\0b"]  # which no file can be called


@pytest.mark.parametrize(
    "text", ["tiny", "./mine", "/srv/models/a", "a/b/c", "", *ODD], ids=lambda text: text[:9]
)
def test_other_names_stay(text: str) -> None:
    assert clean_name(text) == text


@pytest.mark.parametrize("name", ["TINY", " Tiny ", "'tiny'"])
def test_what_comes_inside_is_named_in_letters_of_any_size(name: str) -> None:
    assert clean_name(name) == "tiny"


def test_a_folder_that_is_there_is_taken_by_its_very_name(tmp_path: Path) -> None:
    folder = tmp_path / "my model's 'best'"
    folder.mkdir()
    assert clean_name(str(folder)) == str(folder)
    assert clean_name(f'"{folder}"') == str(folder)
    assert hub.find(f'"{folder}"') == folder


@pytest.mark.parametrize("name", ODD, ids=["a home", "long", "a long owner", "a zero"])
def test_what_no_file_can_be_called_is_no_model(name: str) -> None:
    with pytest.raises(CheckpointError, match=r"There is no model|cannot be the name"):
        hub.find(name)


@pytest.mark.parametrize(
    "name, said",
    [
        pytest.param("google/paligemma 3b", "no spaces and no quotation marks", id="a space"),
        pytest.param("google/pali'gemma", "no spaces and no quotation marks", id="a quote"),
        pytest.param("https://example.com/a/b", "no address of a model", id="elsewhere"),
        pytest.param("https://huggingface.co/google", "no address of a model", id="an owner"),
        pytest.param("https://huggingface.co/datasets/a/b", "no address of a model", id="data"),
        pytest.param("https://huggingface.co.evil.example/a/b", "no address", id="look-alike"),
        pytest.param("https://huggingface.co/../..", "no address", id="dots"),
    ],
)
def test_what_cannot_be_a_name_is_refused_and_not_asked_for(
    name: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(CheckpointError, match=said) as caught:
        hub.find(name)
    assert caught.value.code == "E_MODEL_NAME"
    assert str(caught.value).startswith("There is no model") and "\n" not in str(caught.value)
