"""What a person takes home: files of the result, and the wish as code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import browsing
import pytest
from browsing import go_to_tab, run, take_example, viewer
from PIL import Image
from playwright.sync_api import Page

browser, served, visit = browsing.browser, browsing.served, browsing.visit  # the fixtures
pytestmark = pytest.mark.browser


def save(page: Page, kind: str, folder: Path, menu: str = "take-home") -> Path:
    """The file of that kind, as the browser saves it."""
    with page.expect_download() as download:
        page.click(f"#{menu} [data-kind={kind}]")
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_files_are_saved_by_a_click_and_named_after_the_picture(
    visit: Callable[..., Page], tmp_path: Path
) -> None:
    photo = tmp_path / "my holiday.png"
    Image.new("RGB", (2000, 1500), (119, 170, 221)).save(photo)
    page = visit()
    assert page.locator("#take-home section").is_hidden()
    page.set_input_files("#picture input[type=file]", photo)
    page.wait_for_selector("#picture img")
    page.get_by_label("Segment").first.check(force=True)
    run(page, "cat ; dog")
    page.click("#take-home .files summary")
    overlay = save(page, "overlay", tmp_path)
    with Image.open(overlay) as image:
        assert overlay.name == "my_holiday.overlay.png" and image.size == (2000, 1500)
    coco = json.loads(save(page, "coco", tmp_path).read_text("utf-8"))
    assert [one["name"] for one in coco["categories"]] == ["cat", "dog"]
    assert page.locator("#take-home .state a").inner_text() == "my_holiday.coco.json"


def test_the_svg_is_drawn_by_a_browser_over_its_picture(
    visit: Callable[..., Page], tmp_path: Path
) -> None:
    page = visit()
    take_example(page)
    run(page)
    page.click("#take-home .files summary")
    svg = save(page, "svg", tmp_path)
    Image.new("RGB", (640, 480), (0, 0, 255)).save(tmp_path / "sky.png")
    other = page.context.new_page()
    other.set_viewport_size({"width": 640, "height": 480})
    other.goto(svg.as_uri())
    assert other.locator("svg g").count() == 2 and other.locator("parsererror").count() == 0
    other.screenshot(path=tmp_path / "shot.png")
    with Image.open(tmp_path / "shot.png") as shot:
        pixels = shot.convert("RGB")
        assert pixels.getpixel((5, 5)) == (0, 0, 255)
        assert pixels.getpixel((176, 144)) != (0, 0, 255)


def test_the_wish_is_shown_as_code_with_the_apps_own_address(visit: Callable[..., Page]) -> None:
    page = visit()
    take_example(page)
    run(page)
    page.click("#take-home .code summary")
    page.locator("#take-home pre", has_text="pipeline.segment").wait_for()
    page.select_option("#take-home select", "client")
    code = page.inner_text("#take-home pre")
    assert f'Client("{page.url}"' in code and 'text="cat ; dog"' in code
    assert "handle_file" in code and "/tmp" not in code and "sky" not in code
    run(page, "dog")
    page.locator("#take-home pre", has_text='text="dog"').wait_for()


def test_a_pasted_answer_is_taken_home_too(visit: Callable[..., Page], tmp_path: Path) -> None:
    page = visit()
    go_to_tab(page, "Paste")
    page.fill("#paste-text textarea", "<loc0102><loc0102><loc0512><loc0460> cat")
    page.click("#paste-run")
    page.locator("#paste-viewer .gv[data-state=done]").wait_for()
    page.click("#paste-take-home .files summary")
    labelme = json.loads(save(page, "labelme", tmp_path, "paste-take-home").read_text("utf-8"))
    assert [shape["label"] for shape in labelme["shapes"]] == ["cat"]
    assert page.locator("#paste-take-home [data-kind=overlay]").count() == 0
    page.click("#paste-take-home .code summary")
    page.locator("#paste-take-home pre", has_text="gemma_vision.read(").wait_for()


def test_a_new_run_takes_the_old_menu_away(visit: Callable[..., Page]) -> None:
    page = visit()
    take_example(page)
    run(page)
    page.fill("#words textarea", "fail")
    page.click("#run")
    viewer(page, "error").wait_for()
    assert page.locator("#take-home section").is_hidden()
