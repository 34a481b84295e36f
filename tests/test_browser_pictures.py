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

GIVE = """([kind, selector, name, data]) => {
  const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
  const given = new DataTransfer();
  given.items.add(new File([bytes], name, { type: "image/png" }));
  const place = document.querySelector(selector);
  const how = { bubbles: true, cancelable: true };
  if (kind === "paste")
    return place.dispatchEvent(new ClipboardEvent("paste", { ...how, clipboardData: given }));
  place.dispatchEvent(new DragEvent("dragover", { ...how, dataTransfer: given }));
  return place.dispatchEvent(new DragEvent("drop", { ...how, dataTransfer: given }));
}"""


def give(page: Page, kind: str, selector: str, path: Path) -> None:
    """Drop a picture there, or paste it; the browser has not left the page for it."""
    data = base64.b64encode(path.read_bytes()).decode()
    assert page.evaluate(GIVE, [kind, selector, path.name, data]) is False
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
