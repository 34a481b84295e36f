"""The Video tab in a browser: what comes out plays there, and the lanes lead into it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import browsing
import pytest
from axe import in_every_look
from browsing import PHONE, go_to_tab, is_enabled
from films import film
from playwright.sync_api import Page
from served import EVIL, Served

browser, served, visit = browsing.browser, browsing.served, browsing.visit  # the fixtures
pytestmark = pytest.mark.browser

PLAYER = "document.querySelector('#video-result video')"
STATE = "#video-progress .gv-progress[data-state={}]"


def look_at(page: Page, video: Path, words: str = "cat ; dog", state: str = "done") -> None:
    """Open the tab, hand in a video and look at every tenth frame."""
    go_to_tab(page, "Video")
    page.set_input_files("#video input[type=file]", video)
    page.wait_for_selector("#video video")
    page.fill("#video-words textarea", words)
    page.click("#video-run")
    page.wait_for_selector(STATE.format(state))


def is_playable(page: Page) -> None:
    """The browser has decoded a picture of the result (HAVE_CURRENT_DATA)."""
    page.wait_for_selector("#video-result video")
    page.wait_for_function(f"{PLAYER}.readyState >= 2")


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 800}, PHONE], ids=["desk", "phone"])
def test_a_video_is_annotated_and_plays(
    visit: Callable[..., Page], tmp_path: Path, viewport: dict[str, int]
) -> None:
    page = visit(viewport=viewport)
    look_at(page, film(tmp_path / "a.mp4", size=(320, 240), count=40))
    facts = page.inner_text("#video-progress .facts")
    assert facts == "Done · 4 of 4 frames looked at · 2 objects"
    is_playable(page)
    sizes = page.evaluate(f"[{PLAYER}.videoWidth, {PLAYER}.videoHeight, {PLAYER}.duration]")
    assert sizes == [320, 240, 4]
    page.evaluate(f"{{ {PLAYER}.muted = true; {PLAYER}.play(); }}")
    page.wait_for_function(f"{PLAYER}.currentTime > 0.3")
    page.evaluate(f"{PLAYER}.pause()")
    assert page.locator("#video-timeline li .name").all_inner_texts() == ["1 cat", "2 dog"]
    assert page.locator("#video-gallery img").count() == 4
    is_enabled(page, "video-run")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_the_timeline_is_a_file_and_is_shown(visit: Callable[..., Page], tmp_path: Path) -> None:
    page = visit()
    look_at(page, film(tmp_path / "a.webm", count=25))
    with page.expect_download() as download:
        page.click("#video-download")
    download.value.save_as(tmp_path / "timeline.json")
    timeline = json.loads((tmp_path / "timeline.json").read_text("utf-8"))
    assert [row["time"] for row in timeline["frames"]] == [0, 1, 2]
    assert [row["label"] for row in timeline["objects"]] == ["cat", "dog"]
    page.get_by_role("button", name="The timeline as JSON").click()
    page.locator("#video-json", has_text="objects").wait_for()


def test_a_bar_leads_to_its_moment(visit: Callable[..., Page], tmp_path: Path) -> None:
    page = visit()
    look_at(page, film(tmp_path / "a.mp4", count=40))
    is_playable(page)
    page.evaluate(f"{PLAYER}.currentTime = 3")
    page.wait_for_function(
        "document.querySelector('.gv-lanes').style.getPropertyValue('--now') == '75%'"
    )
    page.get_by_role("button", name="2 dog: 0.0 to 4.0 s").click()
    page.wait_for_function(f"{PLAYER}.currentTime < 0.1")


def test_each_look_opens_in_the_viewer(visit: Callable[..., Page], tmp_path: Path) -> None:
    page = visit()
    look_at(page, film(tmp_path / "a.mp4", count=40))
    shown = "#video-frame-viewer .gv"
    page.wait_for_selector(f"{shown}[data-state=done][data-count='2']")
    first = page.get_attribute(shown, "data-run")
    page.locator("#video-gallery button.thumbnail-item, #video-gallery .thumbnail-lg").nth(
        2
    ).click()
    page.wait_for_selector(f"{shown}:not([data-run='{first}'])")
    page.locator("#video-frame-viewer .rows tbody tr").first.hover()
    page.wait_for_selector("#video-frame-viewer tr.hovered")
    page.click("#video-frame-take-home .files summary")
    with page.expect_download() as download:
        page.click("#video-frame-take-home [data-kind=overlay]")
    assert download.value.suggested_filename == "a-20.overlay.png"
    page.get_by_role("button", name="1 cat: 0.0 to 4.0 s").click()
    page.wait_for_selector(f"{shown}[data-run='{first}']")


def test_what_will_be_looked_at_is_said_before_it_starts(
    visit: Callable[..., Page], tmp_path: Path
) -> None:
    page = visit()
    go_to_tab(page, "Video")
    page.set_input_files("#video input[type=file]", film(tmp_path / "a.mp4", count=40))
    said = "Will look at 4 frames, one every 1 s, over all 4.0 s."
    page.locator("#plan-progress", has_text=said).wait_for()
    page.get_by_label("Look at no more frames than").first.fill("2")
    page.keyboard.press("Tab")
    page.locator("#plan-progress", has_text="Will look at 2 frames, one every 2 s").wait_for()
    page.locator("#video-cut input").check()
    cut = "Will look at 2 frames and end the video after 2.0 of 4.0 s."
    page.locator("#plan-progress", has_text=cut).wait_for()


@pytest.mark.parametrize("rotation", [90, 180])
def test_a_phones_video_stands_upright(
    visit: Callable[..., Page], tmp_path: Path, rotation: int
) -> None:
    """The browser turns the one it was given as we turn ours."""
    page = visit()
    look_at(page, film(tmp_path / "a.mp4", size=(320, 160), count=3, rotation=rotation))
    is_playable(page)
    for name in ("#video video", "#video-result video"):
        shown = f"document.querySelector('{name}')"
        sizes = page.evaluate(f"[{shown}.videoWidth, {shown}.videoHeight]")
        assert sizes == ([160, 320] if rotation == 90 else [320, 160])


def test_stop_keeps_what_is_done(
    visit: Callable[..., Page], tmp_path: Path, served: Served
) -> None:
    page = visit()
    look_at(page, film(tmp_path / "a.mp4", count=300), "long", "running")
    page.wait_for_selector("#video-frame-viewer .gv[data-state=running]")
    page.wait_for_selector("#video-gallery img")
    page.click("#video-stop")
    page.wait_for_selector(STATE.format("stopped"))
    steps = served.engine()["steps"]
    is_playable(page)
    assert 1 <= page.evaluate(f"{PLAYER}.duration") < 30
    is_enabled(page, "video-run")
    assert served.engine()["steps"] == steps


def test_labels_that_try_to_be_code_are_words(visit: Callable[..., Page], tmp_path: Path) -> None:
    page = visit()
    look_at(page, film(tmp_path / "a.mp4", count=3), "evil")
    name = page.locator("#video-timeline .name")
    assert name.inner_text() == f"1 {EVIL}" and page.evaluate("window.stolen") is None


def test_what_is_no_video_is_said(visit: Callable[..., Page], tmp_path: Path) -> None:
    page = visit()
    sound = film(tmp_path / "a.mp4", frames=False, has_sound=True)
    look_at(page, sound, state="error")
    assert "sound and no picture" in page.inner_text("#video-progress li")
    assert page.locator("#video-result video").count() == 0
    is_enabled(page, "video-run")


@pytest.mark.slow
def test_the_tab_is_for_everybody_while_it_shows_something(
    visit: Callable[..., Page], tmp_path: Path
) -> None:
    page = visit()
    look_at(page, film(tmp_path / "a.mp4", size=(320, 240), count=25))
    is_playable(page)
    assert in_every_look(page) == {}
