"""A page that is loaded again holds what its form held, as far as that is still to be had."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from fake_engine import fake_pipeline
from PIL import Image

from gemma_vision.requests.request import MAX_TEXT
from gemma_vision.web.tabs.image import ImageTab


@pytest.fixture
def tab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ImageTab:
    """Built inside a running loop: outside of one Gradio opens several and never closes them."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))

    async def build() -> ImageTab:
        with gr.Blocks():
            tab = ImageTab(fake_pipeline())
            tab.build()
        return tab

    return asyncio.run(build())


@pytest.fixture
def upload(tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "a.png"
    Image.new("RGB", (8, 8)).save(path)
    return {"path": str(path)}


def restored(tab: ImageTab, kept: object) -> dict[str, Any]:
    """What the picture, the task and the words become."""
    request: Any = SimpleNamespace(query_params={"task": "caption"})
    updates = tab.fill_on_load(kept, request)  # type: ignore[arg-type]
    assert set(updates) <= set(tab.linked)
    fields = {"upload": tab.upload, **tab.form.fields}
    named = {name: updates.get(field) for name, field in fields.items()}
    return {name: named[name] for name in ("upload", "task", "words")}


def kept(tab: ImageTab, **values: Any) -> str:
    """As a browser keeps the form."""
    names = ["upload", *tab.form.fields]
    return json.dumps([values.get(name) for name in names])


def test_picture_task_and_words_are_there_again(tab: ImageTab, upload: dict[str, str]) -> None:
    again = restored(tab, kept(tab, upload=upload, task="segment", words="cat"))
    assert again["upload"] == upload["path"] and again["task"] == "segment"
    assert again["words"]["value"] == "cat"


def test_a_picture_that_was_swept_away_is_gone_and_the_words_are_there(tab: ImageTab) -> None:
    gone = {"path": "/nowhere/a.png"}
    again = restored(tab, kept(tab, upload=gone, task="segment", words="w" * (MAX_TEXT + 1)))
    assert again["upload"] is None and len(again["words"]["value"]) == MAX_TEXT


@pytest.mark.parametrize("value", [1, [], {"path": 1}, {"path": "/etc/passwd"}, "/etc/passwd"])
def test_what_no_form_ever_held_brings_nothing(tab: ImageTab, value: Any) -> None:
    again = restored(tab, kept(tab, upload=value, task=value, words=["cat"]))
    assert again["upload"] is None and again["task"] == "caption"


@pytest.mark.parametrize("value", ["", "[", "[]", "{}", "[" * 9999, None, 5])
def test_without_a_form_that_was_kept_the_address_is_read(tab: ImageTab, value: Any) -> None:
    assert restored(tab, value)["task"] == "caption"
