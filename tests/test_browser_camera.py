"""The Camera tab in a browser whose camera is a moving pattern."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import browsing
import pytest
from axe import in_every_look
from browsing import CHROMIUM, PHONE, go_to_tab, wait_for_run
from playwright.sync_api import Browser, Page, Route, sync_playwright

served, visit = browsing.served, browsing.visit  # the fixtures
pytestmark = pytest.mark.browser

CAMERAS = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream=device-count=2"]
ANSWER = {
    "width": 384,
    "height": 288,
    "things": [
        {
            "label": "cat",
            "box": [10, 20, 200, 200],
            "point": None,
            "score": 0.9,
            "color": "#22cc22",
            "path": None,
        }
    ],
    "partial": None,
    "finish": "stop",
    "notes": [],
    "seconds": 0.01,
    "side": 384,
}
NO_CAMERA = """navigator.mediaDevices.getUserMedia = () =>
  Promise.reject(new DOMException("", "{name}"));
null;"""
INSECURE = """Object.defineProperty(navigator, "mediaDevices", { value: undefined });
Object.defineProperty(window, "isSecureContext", { value: false });
null;"""
WATCH_CAMERA = """window.wanted = [];
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = (given) => { wanted.push(given.video); return open(given); };
null;"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        args = ["--no-sandbox", *CAMERAS]
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=args)
        yield chromium
        chromium.close()


def open_camera_tab(page: Page, words: str = "cat ; dog") -> None:
    go_to_tab(page, "Camera")
    page.locator("#live .live-start").wait_for()
    page.fill("#live-words textarea", words)


def start(page: Page, words: str = "cat ; dog") -> None:
    open_camera_tab(page, words)
    page.click("#live .live-start")


def wait_for_frames(page: Page, count: int = 3) -> None:
    """Until so many were looked at, and the last of them shows something."""
    frames = "Number(document.querySelector('#live .live').dataset.frames)"
    page.wait_for_function(f"{frames} >= {count} && document.querySelector('#live .chip')")


def note(page: Page, text: str) -> None:
    """Wait for a sentence under the picture."""
    page.locator("#live .live-note", has_text=text).wait_for()


def answer_with(page: Page, *answers: Any, delay: float = 0.0) -> list[dict[str, Any]]:
    """Frames are answered so, the last again and again; what was asked, as it comes."""
    asked: list[dict[str, Any]] = []

    def reply(route: Route) -> None:
        head = (route.request.post_data_buffer or b"").partition(b"\n")[0]
        given = answers[min(len(asked), len(answers) - 1)]
        asked.append(json.loads(head))
        page.wait_for_timeout(1000 * delay) if delay else None
        route.fulfill(status=200, body=json.dumps(given) + "\n")

    page.route("**/live", reply)
    return asked


def test_things_are_drawn_on_the_moving_picture_one_frame_after_the_other(
    visit: Callable[..., Page],
) -> None:
    page = visit()
    under_way, most = 0, 0

    def count(change: int, url: str) -> None:
        nonlocal under_way, most
        if url.endswith("/live"):
            under_way += change
            most = max(most, under_way)

    page.on("request", lambda asked: count(1, asked.url))
    page.on("requestfinished", lambda asked: count(-1, asked.url))
    page.on("requestfailed", lambda asked: count(-1, asked.url))
    start(page)
    wait_for_frames(page, 5)
    assert most == 1  # those that the camera took meanwhile were let go
    chips = page.locator("#live .legend .chip span:nth-child(2)").all_inner_texts()
    assert chips == ["cat", "dog"]
    facts = page.inner_text("#live .facts")
    assert facts.startswith("Live now · 2 objects · ") and facts.endswith(" behind")
    first = page.locator("#live canvas").screenshot()
    page.wait_for_timeout(1200)
    assert page.locator("#live canvas").screenshot() != first


def test_stop_lets_go_of_the_camera_and_the_picture_stays(visit: Callable[..., Page]) -> None:
    page = visit()
    start(page)
    wait_for_frames(page)
    page.evaluate("window.track = document.querySelector('#live video').srcObject.getTracks()[0]")
    page.locator("#live .live-stop").focus()
    page.keyboard.press("Enter")
    page.locator("#live .live[data-state=off]").wait_for()
    assert page.evaluate("track.readyState") == "ended"
    assert page.evaluate("document.activeElement.className") == "live-start"
    frames = page.get_attribute("#live .live", "data-frames")
    page.wait_for_timeout(600)
    assert page.get_attribute("#live .live", "data-frames") == frames
    assert page.locator("#live canvas").is_visible()


def test_whoever_opens_another_tab_has_done_with_the_camera(visit: Callable[..., Page]) -> None:
    page = visit()
    start(page)
    wait_for_frames(page)
    page.evaluate("window.track = document.querySelector('#live video').srcObject.getTracks()[0]")
    go_to_tab(page, "Paste")
    page.wait_for_function("track.readyState === 'ended'")


def test_a_frame_is_taken_over_to_be_looked_at_closer(visit: Callable[..., Page]) -> None:
    page = visit()
    start(page)
    wait_for_frames(page)
    before = browsing.newest_run(page)
    page.click("#live .live-freeze")
    wait_for_run(page, before)
    page.wait_for_selector("#picture img[src*='camera.jpg']")
    page.locator("[role=tab][aria-selected=true]", has_text="Image").wait_for()
    assert page.locator("#viewer canvas").is_visible()
    assert page.input_value("#words textarea") == "cat ; dog"
    width = page.evaluate("document.querySelector('#picture img').naturalWidth")
    assert width > 384  # as the camera took it, not as it was sent


def test_other_words_hold_from_the_next_frame_on(visit: Callable[..., Page]) -> None:
    page = visit()
    asked = answer_with(page, ANSWER)
    start(page, "")
    note(page, "Write what to look for.")
    assert asked == []
    page.fill("#live-words textarea", "cat")
    wait_for_frames(page, 2)
    page.locator("#live-task label", has_text="Segment").click()
    page.wait_for_timeout(800)
    assert {one["words"] for one in asked} == {"cat"}
    assert (asked[0]["task"], asked[-1]["task"]) == ("detect", "segment")
    assert len({one["page"] for one in asked}) == 1


@pytest.mark.parametrize(
    "script, sentence",
    [
        (NO_CAMERA.replace("{name}", name), sentence)
        for name, sentence in {
            "NotAllowedError": "The camera was refused.",
            "NotFoundError": "No camera was found.",
            "NotReadableError": "another program uses it",
            "TypeError": "could not be opened",
        }.items()
    ]
    + [(INSECURE, "Browsers give a camera to secure pages alone")],
    ids=["refused", "none", "taken", "failed", "insecure"],
)
def test_why_there_is_no_picture_is_said(
    visit: Callable[..., Page], script: str, sentence: str
) -> None:
    page = visit()
    open_camera_tab(page)
    page.evaluate(script)
    page.click("#live .live-start")
    note(page, sentence)
    assert page.locator("#live .live-start").is_visible()
    assert page.locator("#live .live-note.bad").is_visible()


def test_a_model_that_is_too_slow_is_said_with_its_seconds(visit: Callable[..., Page]) -> None:
    page = visit()
    answer_with(page, ANSWER, delay=2.0)
    start(page)
    note(page, "Too slow for a moving picture")
    assert " s for each frame" in page.inner_text("#live .live-note")
    page.click("#live .live-stop")
    page.unroute_all(behavior="wait")


def test_a_busy_model_and_a_refusal_are_said_and_the_camera_goes_on(
    visit: Callable[..., Page],
) -> None:
    page = visit()
    busy = {"code": "E_BUSY", "message": "The model has other work to do."}
    answer_with(page, busy, busy, busy, ANSWER)
    start(page)
    note(page, "The model is at work for others.")
    wait_for_frames(page, 2)
    assert page.inner_text("#live .live-note") == ""


def test_enter_starts_and_everything_is_for_everybody(visit: Callable[..., Page]) -> None:
    page = visit()
    open_camera_tab(page)
    page.focus("#live-words textarea")
    page.keyboard.press("Enter")
    wait_for_frames(page)
    assert in_every_look(page) == {}
    page.click("#live .live-stop")


def test_another_camera_is_chosen_and_a_phone_looks_away_from_its_owner(
    visit: Callable[..., Page],
) -> None:
    page = visit(viewport=PHONE)
    open_camera_tab(page)
    page.evaluate(WATCH_CAMERA)
    page.click("#live .live-start")
    wait_for_frames(page)
    options = page.locator("#live .live-camera option")
    options.nth(1).wait_for(state="attached")
    page.select_option("#live .live-camera select", index=1)
    page.wait_for_function("wanted.length === 2")
    first, second = page.evaluate("wanted")
    assert first["facingMode"] == {"ideal": "environment"}
    assert second["deviceId"] == {"exact": options.nth(1).get_attribute("value")}
    wait_for_frames(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_tab_speaks_the_pages_language_while_it_runs(visit: Callable[..., Page]) -> None:
    page = visit(locale="ja-JP")
    go_to_tab(page, "カメラ")
    page.fill("#live-words textarea", "cat")
    page.get_by_role("button", name="カメラを始める").click()
    wait_for_frames(page)
    assert "コマ" in page.inner_text("#live .facts") and "遅れ" in page.inner_text("#live .facts")
    assert page.inner_text("#live .live-freeze") == "詳しく見る"
