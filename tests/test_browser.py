"""A person's way through the page: picture, wish, Run, Stop, errors."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import browsing
import pytest
from browsing import (
    LAPTOP,
    PHONE,
    SKY,
    color_at,
    give_room,
    is_enabled,
    is_near,
    run,
    take_example,
    viewer,
    wait_for_things,
)
from playwright.sync_api import Page
from served import Served

browser, served, visit = browsing.browser, browsing.served, browsing.visit  # the fixtures
pytestmark = pytest.mark.browser


def test_an_example_is_picked_run_and_drawn(visit: Callable[..., Page]) -> None:
    page = visit()
    take_example(page)
    assert page.input_value("#words textarea") == "cat ; dog"
    assert page.locator("#task input[value=segment]").is_checked()
    run(page)
    assert viewer(page).get_attribute("data-count") == "2"
    page.wait_for_selector(".gv[data-loaded]", state="attached")
    assert is_near(color_at(page, 20, 240), SKY)
    edge = color_at(page, 102 / 1023 * 640, 300 / 1023 * 480)
    swatch = page.locator(".rows .swatch").first.evaluate("node => node.style.background")
    assert f"rgb{edge}" == swatch.replace("rgba", "rgb")
    middle = color_at(page, 281 / 1023 * 640, 307 / 1023 * 480)
    assert not is_near(middle, SKY) and middle != edge
    is_enabled(page, "run")


def test_the_result_is_seen_without_scrolling_on_a_laptop(visit: Callable[..., Page]) -> None:
    page = visit()
    take_example(page)
    run(page)
    for part in ("#run", "#viewer canvas", ".facts"):
        box = page.locator(part).bounding_box()
        assert box and box["y"] + box["height"] <= LAPTOP["height"], part


def test_stop_keeps_what_is_there(visit: Callable[..., Page], served: Served) -> None:
    page = visit()
    take_example(page)
    give_room(page)
    before = served.engine()["cancelled"]
    page.fill("#words textarea", "long")
    page.click("#run")
    wait_for_things(page, 3)
    page.click("#stop")
    viewer(page, "stopped").wait_for()
    count = int(viewer(page).get_attribute("data-count") or 0)
    assert count >= 3 and page.locator(".rows tbody tr").count() == count
    is_enabled(page, "run")
    assert served.engine()["cancelled"] == before + 1
    steps = served.engine()["steps"]
    page.wait_for_timeout(200)
    assert served.engine()["steps"] == steps
    assert page.locator("#stop").is_disabled()
    run(page, "cat")
    assert viewer(page).get_attribute("data-count") == "2"


def test_closing_the_page_stops_the_model(visit: Callable[..., Page], served: Served) -> None:
    page = visit()
    take_example(page)
    before = served.engine()["cancelled"]
    page.fill("#words textarea", "long")
    page.click("#run")
    wait_for_things(page, 2)
    page.close()
    end = time.monotonic() + 10
    while served.engine()["cancelled"] == before and time.monotonic() < end:
        time.sleep(0.05)
    assert served.engine()["cancelled"] == before + 1


@pytest.mark.parametrize(
    "words, said",
    [
        pytest.param("", "name one thing", id="no words"),
        pytest.param("<image>", "command to the model", id="a control token"),
        pytest.param("fail", "our side", id="the model breaks"),
    ],
)
def test_an_error_is_said_and_recovered_from(
    visit: Callable[..., Page], words: str, said: str
) -> None:
    page = visit()
    take_example(page)
    run(page, words, "error")
    assert said in page.inner_text(".notes")
    is_enabled(page, "run")
    run(page, "cat ; dog")
    assert page.locator(".notes li").count() == 0
    assert viewer(page).get_attribute("data-count") == "2"


def test_what_is_no_picture_is_said(visit: Callable[..., Page], tmp_path: Path) -> None:
    page = visit()
    run(page, "cat", "error")
    assert "no picture" in page.inner_text(".notes")
    fake = tmp_path / "fake.png"
    fake.write_text("hello")
    page.set_input_files("#picture input[type=file]", fake)
    page.locator(".gv-upload-note:visible", has_text="fake.png is not a picture").wait_for()
    is_enabled(page, "run")


def test_words_answer_in_words(visit: Callable[..., Page]) -> None:
    page = visit()
    take_example(page, 1)
    assert not page.locator("#words").is_visible()
    run(page)
    assert page.inner_text(".said p") == "two animals on a lawn"
    assert not page.locator(".rows").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_scrolls_one_way_only(visit: Callable[..., Page], scheme: str) -> None:
    page = visit(viewport=PHONE, has_touch=True, is_mobile=True, color_scheme=scheme)
    width = "document.documentElement.scrollWidth"
    assert page.evaluate(width) <= PHONE["width"]
    take_example(page)
    run(page)
    assert page.evaluate(width) <= PHONE["width"]
    run_button = page.locator("#run").bounding_box()
    assert run_button
    top = page.evaluate("document.querySelector('#viewer').getBoundingClientRect().y + scrollY")
    assert top < PHONE["height"] * 1.3
    assert page.locator("footer button.settings").is_visible()
    assert "\u00b7" not in page.inner_text("footer")  # nothing else stands there to be parted from


def test_the_page_speaks_the_visitors_language(visit: Callable[..., Page]) -> None:
    page = visit(locale="ja-JP")
    assert page.inner_text("#run") == "実行"
    take_example(page)
    run(page)
    assert page.inner_text(".facts").startswith("完了")


def test_a_page_that_is_loaded_again_keeps_picture_task_and_words(
    visit: Callable[..., Page], served: Served
) -> None:
    """Gradio loads it again by itself once a lost connection is back. The answer is gone."""
    page = visit()
    take_example(page)
    page.fill("#words textarea", "red car")
    for leave in (lambda: page.reload(), lambda: (page.goto("about:blank"), page.go_back())):
        page.wait_for_timeout(500)  # a request that is cut off would be a complaint
        leave()
        page.wait_for_selector("#picture img[src$='sky.png']")
        page.locator("#task input[value=segment]:checked").wait_for(state="attached")
        assert page.input_value("#words textarea") == "red car"
        viewer(page, "idle").wait_for()
    run(page)
    page.wait_for_timeout(500)
    page.goto(served.url)
    page.wait_for_selector("#run")
    page.wait_for_timeout(500)
    assert page.input_value("#words textarea") == "" and page.locator("#picture img").count() == 0


def test_a_link_brings_its_task_and_words(visit: Callable[..., Page], served: Served) -> None:
    page = visit()
    page.goto(f"{served.url}?task=segment&text=red%20car%20;%20dog")
    page.wait_for_function("document.querySelector('#words textarea')?.value === 'red car ; dog'")
    assert page.locator("#task input[value=segment]").is_checked()
    page.goto(f"{served.url}?task=nonsense&text=x")
    page.wait_for_selector("#run")
    assert page.locator("#task input[value=detect]").is_checked()
    assert page.input_value("#words textarea") == ""
