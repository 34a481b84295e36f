"""A picture and its words go along to the tab that is opened, and take nobody's own away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from PIL import Image

from gemma_vision.web.forms.carrying import NOTHING, CarriedFields, bring, is_same_file, pick_up


@pytest.fixture(autouse=True)
def uploads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    return tmp_path


def picture(folder: Path, name: str, side: int = 8) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    Image.new("RGB", (side, side)).save(folder / name)
    return {"path": str(folder / name)}


def holds(picture: Any = None, *wish: Any) -> dict[str, Any]:
    task, *words = wish or ("detect", "")
    return {"picture": picture, "task": task, "words": words}


UPLOAD = gr.Image(render=False)
TARGET = CarriedFields(UPLOAD, fill=lambda task, text: {} if task == "chat" else {"form": text})


def test_an_untouched_tab_takes_picture_and_words(uploads: Path) -> None:
    mine = picture(uploads / "a", "mine.png")
    updates, known = bring(TARGET, holds(mine, "segment", "cat"), holds(), holds())
    assert updates == {UPLOAD: mine["path"], "form": "cat"}
    assert known == holds(mine, "detect", "cat")


def test_what_came_along_gives_way_and_what_was_chosen_stays(uploads: Path) -> None:
    mine, other = picture(uploads / "a", "a.png"), picture(uploads / "b", "b.png")
    copy = picture(uploads / "c", "a.png")  # as Gradio keeps it under another folder
    came = holds(mine, "detect", "cat")
    updates, known = bring(
        TARGET, holds(other, "detect", "dog"), holds(copy, "detect", "cat"), came
    )
    assert updates == {UPLOAD: other["path"], "form": "dog"}
    assert known == holds(other, "detect", "dog")
    chosen = holds(picture(uploads / "d", "own.png"), "detect", "own")
    assert bring(TARGET, came, chosen, known) == ({}, known)


def test_nothing_is_carried_that_is_not_there(uploads: Path) -> None:
    own = holds(picture(uploads / "a", "a.png"), "detect", "cat")
    assert bring(TARGET, holds(), own, own) == ({}, own)
    assert bring(TARGET, holds({"path": "/etc/passwd"}), holds(), holds()) == ({}, holds())
    asked = holds(None, "chat", "hello")
    assert bring(TARGET, asked, holds(), holds()) == ({}, holds())


def test_only_what_somebody_chose_goes_along(uploads: Path) -> None:
    mine, example = picture(uploads / "a", "a.png"), picture(uploads / "b", "b.png")
    along = pick_up(holds(mine, "detect", "cat"), holds(), NOTHING)
    assert along == holds(mine, "detect", "cat")
    untouched = holds(example, "segment", "tree")
    assert pick_up(untouched, untouched, NOTHING) == NOTHING
    assert pick_up(untouched, untouched, along) == along
    words = pick_up(holds(None, "ask", "who?"), holds(), along)
    assert words == holds(mine, "ask", "who?")
    two_sides = holds(None, "detect", "cat", "dog")
    assert pick_up(two_sides, holds(), along) == along


def test_a_tab_without_a_field_for_one_picture_takes_words_alone(uploads: Path) -> None:
    target = CarriedFields(fill=lambda task, text: {"form": text})
    mine = picture(uploads / "a", "a.png")
    assert bring(target, holds(mine, "detect", "cat"), holds(), holds())[0] == {"form": "cat"}


def test_a_file_is_the_same_by_its_name_and_size(uploads: Path) -> None:
    one, other = picture(uploads / "a", "a.png"), picture(uploads / "b", "a.png")
    larger = picture(uploads / "c", "a.png", 300)
    assert is_same_file(one, other) and is_same_file(None, None)
    assert not is_same_file(one, larger) and not is_same_file(one, None)
