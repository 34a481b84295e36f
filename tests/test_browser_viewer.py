"""The viewer in the hands of a person: table, mouse, keys, switches, saving."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import browsing
import pytest
from browsing import (
    SKY,
    color_at,
    give_room,
    is_near,
    run,
    take_example,
    viewer,
)
from PIL import Image
from playwright.sync_api import Page
from served import EVIL

from postprocess.palette import FAR, difference

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


def test_a_click_hits_what_lies_under_it_after_zooming(visit: Callable[..., Page]) -> None:
    """Zoomed four times about the middle of the cat, the cat lies where the dog was."""
    page = visit()
    take_example(page)
    run(page)
    box = page.locator("#viewer canvas").bounding_box()
    assert box
    scale = min(box["width"] / 640, box["height"] / 480)
    left = box["x"] + (box["width"] - 640 * scale) / 2
    where_dog_was = left + 480 * scale, box["y"] + 290 * scale
    page.mouse.click(*where_dog_was)
    assert page.locator(".rows tr.selected").inner_text().split()[1] == "dog"
    page.mouse.move(left + 176 * scale, box["y"] + 144 * scale)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -139)  # e ** 1.39 is four
    page.keyboard.up("Control")
    page.wait_for_selector("#viewer .zoomed")
    page.mouse.click(*where_dog_was)
    assert page.locator(".rows tr.selected").inner_text().split()[1] == "cat"


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
    page.click("#viewer .more summary")
    page.select_option("[data-choose=ground]", "dim")
    assert is_near(color_at(page, 20, 240), tuple(round(0.3 * channel) for channel in SKY))
    assert is_near(color_at(page, 281 / 1023 * 640, 307 / 1023 * 480), SKY)
    page.select_option("[data-choose=ground]", "cut")
    assert color_at(page, 20, 240) == (0, 0, 0)
    page.locator("[data-slide=wipe]").fill("0.5")
    assert is_near(color_at(page, 20, 240), SKY)


# Writes down where labels are painted, in CSS pixels of the canvas, and what they say.
LABELS = """
window.labels = [];
const { clearRect, roundRect, fillText } = CanvasRenderingContext2D.prototype;
Object.assign(CanvasRenderingContext2D.prototype, {
  clearRect(...given) { window.labels = []; return clearRect.apply(this, given); },
  roundRect(x, y, width, height, ...given) {
    window.labels.push({ x, y, right: x + width, bottom: y + height });
    return roundRect.call(this, x, y, width, height, ...given);
  },
  fillText(text, ...given) {
    window.labels.at(-1).text = text.replace(/[\\u2068\\u2069]/g, "");
    return fillText.call(this, text, ...given);
  },
});
"""
PHONE = {"width": 390, "height": 800}


def write_down_labels(page: Page) -> None:
    page.add_init_script(LABELS)
    page.reload()
    page.wait_for_selector("#run")


def labels_of(page: Page) -> list[dict[str, Any]]:
    """The labels on the canvas, once nothing fades in any more."""
    page.wait_for_timeout(450)
    return list(page.evaluate("window.labels"))


def outside(page: Page, labels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that are not wholly on the picture, which is 640 x 480."""
    box = page.locator("#viewer canvas").bounding_box()
    assert box
    scale = min(box["width"] / 640, box["height"] / 480)
    left, right = (box["width"] - 640 * scale) / 2, (box["width"] + 640 * scale) / 2
    return [
        one
        for one in labels
        if one["x"] < left - 0.5
        or one["right"] > right + 0.5
        or one["y"] < 0
        or one["bottom"] > 480 * scale + 0.5
    ]


@pytest.mark.parametrize(
    "words, count, size",
    [
        pytest.param("twelve", 12, PHONE, id="twelve on a phone"),
        pytest.param("sixty", 60, browsing.LAPTOP, id="sixty on a laptop"),
        pytest.param(
            "twelve", 12, browsing.LAPTOP, id="twelve on a laptop", marks=pytest.mark.slow
        ),
        pytest.param("sixty", 60, PHONE, id="sixty on a phone", marks=pytest.mark.slow),
    ],
)
def test_no_label_leaves_the_picture(
    visit: Callable[..., Page], words: str, count: int, size: dict[str, int]
) -> None:
    page = visit(viewport=size)
    write_down_labels(page)
    take_example(page)
    give_room(page)
    run(page, words)
    labels = labels_of(page)
    assert len(labels) == count and outside(page, labels) == []


def test_a_crowd_has_numbers_and_the_one_that_is_looked_at_its_name(
    visit: Callable[..., Page],
) -> None:
    page = visit()
    write_down_labels(page)
    take_example(page)
    give_room(page)
    run(page, "sixty")
    assert {one["text"] for one in labels_of(page)} == {str(n + 1) for n in range(60)}
    page.focus("#viewer canvas")
    page.keyboard.press("ArrowRight")
    (named,) = [one for one in labels_of(page) if not one["text"].isdigit()]
    assert named["text"].startswith("1  a name as long as that") and outside(page, [named]) == []
    page.locator(".rows tbody tr").nth(8).hover()
    assert any(one["text"].startswith("9  a name") for one in labels_of(page))


def test_twelve_labels_have_colours_that_differ(visit: Callable[..., Page]) -> None:
    page = visit()
    take_example(page)
    run(page, "twelve")
    swatches = page.locator(".legend .swatch").evaluate_all(
        "all => all.map(one => getComputedStyle(one).backgroundColor.match(/\\d+/g).map(Number))"
    )
    colors = [tuple(color[:3]) for color in swatches]
    assert len(colors) == 12
    assert min(difference(a, b) for a, b in combinations(colors, 2)) >= FAR


def test_a_thing_is_hidden_in_its_row_and_by_a_key(visit: Callable[..., Page]) -> None:
    page = visit()
    take_example(page)
    run(page)
    middle = (281 / 1023 * 640, 307 / 1023 * 480)
    assert not is_near(color_at(page, *middle), SKY)
    eye = page.locator(".rows .eye").first
    eye.press("Enter")
    assert is_near(color_at(page, *middle), SKY)
    assert eye.get_attribute("aria-pressed") == "false"
    assert page.locator(".rows tr.selected").count() == 0
    page.locator(".rows .number").first.click()
    page.focus("#viewer canvas")
    page.keyboard.press("h")
    assert not is_near(color_at(page, *middle), SKY)


def test_the_line_between_before_and_after_is_dragged(visit: Callable[..., Page]) -> None:
    page = visit()
    take_example(page)
    run(page)
    page.click("#viewer .more summary")
    page.locator("[data-slide=wipe]").fill("0.9")
    cat = (281 / 1023 * 640, 307 / 1023 * 480)
    assert is_near(color_at(page, *cat), SKY)
    box = page.locator("#viewer canvas").bounding_box()
    assert box
    scale = min(box["width"] / 640, box["height"] / 480)
    left, y = box["x"] + (box["width"] - 640 * scale) / 2, box["y"] + box["height"] / 3
    page.mouse.move(left + 0.9 * 640 * scale, y)
    page.mouse.down()
    page.mouse.move(left + 0.1 * 640 * scale, y, steps=5)
    page.mouse.up()
    assert not is_near(color_at(page, *cat), SKY)
    assert page.locator("[data-slide=wipe] + output").inner_text() == "10%"
    assert page.locator(".rows tr.selected").count() == 0


def test_what_is_cut_out_has_no_tint(visit: Callable[..., Page]) -> None:
    page = visit()
    take_example(page)
    run(page)
    page.click("#viewer .more summary")
    page.select_option("[data-choose=ground]", "cut")
    assert is_near(color_at(page, 281 / 1023 * 640, 307 / 1023 * 480), SKY)


def test_sliders_say_their_numbers(visit: Callable[..., Page]) -> None:
    page = visit()
    take_example(page)
    run(page)
    page.locator("[data-slide=opacity]").fill("0.8")
    assert page.locator("[data-slide=opacity] + output").inner_text() == "80%"
    assert page.locator("[data-slide=line]").is_hidden()
