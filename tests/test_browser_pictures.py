"""Ways in which a visitor brings a picture: dropped or pasted anywhere, or from a camera."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import browsing
import pytest
from browsing import take_example
from PIL import Image
from playwright.sync_api import Page

browser, served, visit = browsing.browser, browsing.served, browsing.visit  # the fixtures
pytestmark = pytest.mark.browser

GIVE = """([kind, selector, files, text]) => {
  const given = new DataTransfer();
  for (const [name, type, data] of files) {
    const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
    given.items.add(new File([bytes], name, { type }));
  }
  if (text) given.setData("text/plain", text);
  const place = document.querySelector(selector);
  const how = { bubbles: true, cancelable: true };
  if (kind === "paste")
    return place.dispatchEvent(new ClipboardEvent("paste", { ...how, clipboardData: given }));
  place.dispatchEvent(new DragEvent("dragover", { ...how, dataTransfer: given }));
  return place.dispatchEvent(new DragEvent("drop", { ...how, dataTransfer: given }));
}"""


def bring(
    page: Page, kind: str, selector: str, *files: tuple[str, str, bytes], text: str = ""
) -> bool:
    """Drop files there (name, type, content), or paste them; whether the page took none of it."""
    brought = [(name, type, base64.b64encode(content).decode()) for name, type, content in files]
    return bool(page.evaluate(GIVE, [kind, selector, brought, text]))


def give(page: Page, kind: str, selector: str, path: Path) -> None:
    """Drop a picture there, or paste it; the browser has not left the page for it."""
    assert not bring(page, kind, selector, (path.name, "image/png", path.read_bytes()))
    page.wait_for_selector(f"#picture img[src$='{path.name}']")


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "one.png", tmp_path / "two.png", tmp_path / "three.png"]
    for path in paths:
        Image.new("RGB", (64, 48), "teal").save(path)
    return paths


def test_a_picture_is_taken_wherever_it_is_dropped_or_pasted(
    visit: Callable[..., Page], pictures: list[Path]
) -> None:
    page = visit()
    give(page, "drop", "#viewer", pictures[0])
    give(page, "paste", "body", pictures[1])
    take_example(page)
    give(page, "drop", "h1", pictures[2])


def test_where_there_is_no_camera_it_is_said_and_there_is_a_way_back(
    visit: Callable[..., Page],
) -> None:
    page = visit()
    sources = page.locator("#picture .source-selection button")
    sources.nth(1).click()
    page.locator("#picture button", has_text="turn the camera on").click()
    note = page.locator("#picture-note p", has_text="No camera was found.")
    note.wait_for()
    sources.nth(0).click()
    note.wait_for(state="detached")
    page.locator("#picture", has_text="Click to upload").wait_for()


FIELD = "#picture button"
NOTES = ("notes.txt", "text/plain", b"hello")


def note(page: Page, text: str) -> None:
    page.locator("#picture-note p", has_text=text).wait_for()


def test_what_is_no_picture_is_said_by_its_name_and_takes_none_away(
    visit: Callable[..., Page], pictures: list[Path]
) -> None:
    page = visit()
    for file in (NOTES, ("holiday", "", b""), ("clip.mp4", "video/mp4", b"x")):
        bring(page, "drop", FIELD, file)
        note(page, f"{file[0]} is not a picture. Bring a PNG,")
    give(page, "drop", FIELD, pictures[0])
    page.locator("#picture-note p", has_text="not a picture").wait_for(state="detached")
    bring(page, "drop", "#picture img", NOTES)
    note(page, "notes.txt is not a picture")
    page.wait_for_timeout(300)
    assert page.locator("#picture img[src$='one.png']").count() == 1
    assert page.locator(".toast-body").count() == 0


def test_of_two_files_that_are_no_pictures_the_later_one_is_named(
    visit: Callable[..., Page], tmp_path: Path
) -> None:
    """The one is found out by the app, the other by the page."""
    page = visit()
    for name in ("first.png", "second.txt", "third.png"):
        (tmp_path / name).write_text("hello")
        page.set_input_files("#picture input[type=file]", tmp_path / name)
        note(page, f"{name} is ")


def test_of_several_files_one_is_taken_and_it_is_said(
    visit: Callable[..., Page], pictures: list[Path]
) -> None:
    page = visit()
    files = [(path.name, "image/png", path.read_bytes()) for path in pictures]
    for place in (FIELD, "#picture img", "#viewer"):
        bring(page, "drop", place, NOTES, *files[1:])
        page.wait_for_selector("#picture img[src$='two.png']")
        note(page, "Of 3 files, two.png was taken. Several pictures at once go into Batch.")
        give(page, "drop", "#viewer", pictures[0])
        page.locator("#picture-note p", has_text="was taken").wait_for(state="detached")


def test_a_picture_whose_type_the_system_does_not_know_goes_by_its_name(
    visit: Callable[..., Page], pictures: list[Path]
) -> None:
    page = visit()
    bring(page, "drop", FIELD, ("three.png", "", pictures[2].read_bytes()))
    page.wait_for_selector("#picture img[src$='three.png']")


def test_words_that_come_with_a_picture_of_them_stay_words(
    visit: Callable[..., Page], pictures: list[Path]
) -> None:
    """An office program puts both on the clipboard."""
    page = visit()
    file = (pictures[0].name, "image/png", pictures[0].read_bytes())
    assert bring(page, "paste", "#words textarea", file, text="cat ; dog")
    page.wait_for_timeout(300)
    assert page.locator("#picture img").count() == 0
    assert not bring(page, "paste", "#words textarea", file)
    page.wait_for_selector("#picture img[src$='one.png']")
