"""The viewer in the hands of a person: table, mouse, keys, switches, saving."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import browsing
import pytest
from browsing import (
    SKY,
    color_at,
    is_near,
    run,
    take_example,
    viewer,
)
from PIL import Image
from playwright.sync_api import Page
from served import EVIL

browser, served, visit = browsing.browser, browsing.served, browsing.visit  # the fixtures
pytestmark = pytest.mark.browser


def test_the_table_says_what_the_canvas_shows(visit: Callable[..., Page]) -> None:
    page = visit()
    take_example(page)
    run(page)
    rows = page.locator(".rows tbody tr").all_inner_texts()
    assert [row.split() for row in rows] == [
        ["1", "cat", "90%", "64,", "48,", "288,", "240"],
        ["2", "dog", "90%", "352,", "144,", "608,", "432"],
    ]
    assert page.locator("#viewer canvas").get_attribute("aria-label") == "The picture with cat, dog"
    assert "2 objects" in page.inner_text(".facts")


def test_labels_that_look_like_code_stay_words(visit: Callable[..., Page]) -> None:
    page = visit()
    take_example(page)
    run(page, "evil")
    page.click(".tokens summary")
    assert page.locator(".rows tbody td").nth(1).inner_text() == f"{EVIL} (not asked for)"
    assert EVIL in page.inner_text(".tokens pre") and EVIL in page.inner_text(".legend")
    page.wait_for_timeout(300)
    assert page.evaluate("window.stolen") is None
    assert page.locator("#viewer img").count() == 0


def test_a_thing_is_found_by_mouse_and_by_keys(visit: Callable[..., Page]) -> None:
    page = visit()
    take_example(page)
    run(page)
    box = page.locator("#viewer canvas").bounding_box()
    assert box
    scale = min(box["width"] / 640, box["height"] / 480)
    left = box["x"] + (box["width"] - 640 * scale) / 2
    page.mouse.click(left + 480 * scale, box["y"] + 290 * scale)
    assert page.locator(".rows tr.selected").inner_text().split()[1] == "dog"
    page.focus("#viewer canvas")
    page.keyboard.press("ArrowRight")
    assert page.locator(".rows tr.selected").inner_text().split()[1] == "cat"
    page.keyboard.press("Escape")
    assert page.locator(".rows tr.selected").count() == 0
    page.locator(".rows .number").nth(1).press("Enter")
    assert viewer(page).get_attribute("data-selected") == "1"


def test_masks_boxes_and_single_labels_can_be_hidden(visit: Callable[..., Page]) -> None:
    page = visit()
    take_example(page)
    run(page)
    middle, edge = (281 / 1023 * 640, 307 / 1023 * 480), (102 / 1023 * 640, 300 / 1023 * 480)
    page.click("[data-switch=masks]")
    assert is_near(color_at(page, *middle), SKY)
    page.click("[data-switch=boxes]")
    assert is_near(color_at(page, *edge), SKY)
    page.click("[data-switch=boxes]")
    assert not is_near(color_at(page, *edge), SKY)
    page.locator(".legend .chip", has_text="cat").click()
    assert is_near(color_at(page, *edge), SKY)
    page.locator("[data-slide=score]").fill("0.95")
    assert page.locator(".rows tr.off").count() == 2


def test_zoom_keeps_the_point_and_the_whole_comes_back(visit: Callable[..., Page]) -> None:
    page = visit()
    take_example(page)
    run(page)
    page.focus("#viewer canvas")
    for _ in range(3):
        page.keyboard.press("+")
    assert "zoomed" in (viewer(page).get_attribute("class") or "")
    page.keyboard.press("0")
    assert "zoomed" not in (viewer(page).get_attribute("class") or "")


def test_the_saved_picture_has_its_full_size(visit: Callable[..., Page], tmp_path: Path) -> None:
    """A large picture is shown small and saved whole, turned as the camera was held."""
    photo = tmp_path / "photo.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned
    Image.new("RGB", (2400, 1800), SKY).save(photo, exif=exif)
    page = visit()
    page.set_input_files("#picture input[type=file]", photo)
    page.wait_for_selector("#picture img")
    run(page, "cat ; dog")
    with page.expect_download() as download:
        page.click(".save")
    download.value.save_as(tmp_path / "saved.png")
    with Image.open(tmp_path / "saved.png") as saved:
        assert saved.size == (1800, 2400)
        assert is_near(saved.convert("RGB").getpixel((40, 40)), SKY)
        edge = (102 / 1023 * 1800, 300 / 1023 * 2400)
        assert not is_near(saved.convert("RGB").getpixel((round(edge[0]), round(edge[1]))), SKY)


def test_the_background_is_dimmed_or_cut_away(visit: Callable[..., Page]) -> None:
    page = visit()
    take_example(page)
    run(page)
    page.click("[data-switch=masks]")
    page.select_option("[data-choose=ground]", "dim")
    assert is_near(color_at(page, 20, 240), tuple(round(0.3 * channel) for channel in SKY))
    assert is_near(color_at(page, 281 / 1023 * 640, 307 / 1023 * 480), SKY)
    page.select_option("[data-choose=ground]", "cut")
    assert color_at(page, 20, 240) == (0, 0, 0)
    page.locator("[data-slide=wipe]").fill("0.5")
    assert is_near(color_at(page, 20, 240), SKY)
