"""For the tests that look at the page: headless Chromium over a scripted model."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from served import Served
from served import served as start

# The first is without windows and menus, and loads a page in two thirds of the time.
if not (
    CHROMIUM := shutil.which("chromium-headless-shell") or shutil.which("chromium")
) and not os.environ.get("CI"):
    pytest.skip("no chromium on this machine", allow_module_level=True)

from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright

PATIENCE = 60_000  # milliseconds; a busy machine takes long to load a page
LAPTOP = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}
SKY = (0x77, 0xAA, 0xDD)

# The colour of the canvas at a point of the picture, in picture pixels.
PIXEL = """([x, y, width, height]) => {
  const canvas = document.querySelector('#viewer canvas');
  const scale = Math.min(canvas.width / width, canvas.height / height);
  const left = (canvas.width - width * scale) / 2 + x * scale;
  const top = (canvas.height - height * scale) / 2 + y * scale;
  return [...canvas.getContext('2d').getImageData(Math.round(left), Math.round(top), 1, 1).data];
}"""


@pytest.fixture(scope="module")
def served() -> Served:
    return start()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def visit(
    browser: Browser, served: Served, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Page]]:
    """Opens the page of the module's `served`. Every request has to stay on the machine, and no
    script may complain.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []
    shows: list[Callable[[], str]] = []
    request.node.shows = shows

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on(
            "console",
            lambda line: complaints.append(line.text) if line.type == "error" else None,
        )
        page.on(
            "request",
            lambda asked: (
                None
                if asked.url.startswith((served.url, "data:", "blob:"))
                else complaints.append(f"outside: {asked.url}")
            ),
        )

    def open_page(**options: Any) -> Page:
        context = browser.new_context(**({"viewport": LAPTOP} | options))
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        watch(page)
        shows.append(lambda: describe(page, complaints, served))
        page.goto(served.url)
        page.wait_for_selector("#run")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def describe(page: Page, complaints: Sequence[str], served: Served) -> str:
    """What a page shows and its server said, for whoever reads that a test failed on it."""
    shown = "[...document.querySelectorAll('.gv')].map((one) => ({ ...one.dataset }))"
    said = page.locator("body").inner_text(timeout=5000)
    told = served.log.read_text()[-2000:] if served.log.is_file() else ""
    return f"viewers: {page.evaluate(shown)}\ncomplaints: {list(complaints)}\n{said}\n{told}"


def viewer(page: Page, state: str | None = None) -> Locator:
    """The viewer, once it is in that state."""
    return page.locator("#viewer .gv" + (f"[data-state={state}]" if state else ""))


def take_example(page: Page, index: int = 0) -> None:
    """Picture, task and words of an example, and its answer."""
    before = newest_run(page)
    page.locator("#examples button").nth(index).click()
    page.wait_for_selector("#picture img")
    wait_for_run(page, before)
    is_enabled(page, "run")


def run(page: Page, words: str | None = None, state: str = "done") -> None:
    if words is not None:
        page.fill("#words textarea", words)
    before = newest_run(page)
    page.click("#run")
    wait_for_run(page, before, state)


def newest_run(page: Page) -> str:
    """Which run the viewer shows; each has a mark of its own."""
    return viewer(page).get_attribute("data-run") or ""


def wait_for_run(page: Page, before: str, state: str = "done") -> None:
    """Until another run than that one is in a state."""
    page.wait_for_selector(f"#viewer .gv[data-state={state}]:not([data-run='{before}'])")


def give_room(page: Page) -> None:
    """Let an answer be so long that Stop comes in time on a busy machine too."""
    page.locator("button.label-wrap", has_text="Settings").first.click()
    page.get_by_label("number input for Longest answer").fill("1024")


def wait_for_things(page: Page, count: int) -> None:
    """Until that many are there while the model still speaks."""
    seen = "document.querySelector('.gv[data-state=running]')?.dataset.count"
    page.wait_for_function(f"Number({seen}) >= {count}")


def color_at(page: Page, x: float, y: float, size: tuple[int, int] = (640, 480)) -> tuple[int, ...]:
    page.wait_for_timeout(350)  # things that arrive fade in
    return tuple(page.evaluate(PIXEL, [x, y, *size])[:3])


def is_near(color: tuple[int, ...], other: tuple[int, ...], slack: int = 12) -> bool:
    return all(abs(a - b) <= slack for a, b in zip(color, other, strict=True))


def is_enabled(page: Page, name: str) -> None:
    page.locator(f"#{name}:not([disabled])").wait_for()


def open_tab(page: Page, name: str, ready: str) -> None:
    page.get_by_role("tab", name=name).click()
    page.wait_for_selector(ready)


def give_batch(page: Page, files: Sequence[Path]) -> None:
    """Choose files in the Batch tab, until all are listed; a name is in sight before that, while
    its file is on its way.
    """
    page.set_input_files("#batch-files input[type=file]", list(files))
    for file in files:
        page.locator(f"#batch-files .filename[aria-label='{file.name}']").wait_for()


def tab_names(page: Page) -> list[str]:
    """All tabs, those in the overflow menu of a narrow page too."""
    page.wait_for_selector("[role=tab]")
    hidden = ".tab-wrapper > [aria-hidden=true] button"  # Gradio measures them there
    return page.locator(hidden).all_text_contents()


def go_to_tab(page: Page, name: str) -> None:
    """Open a tab as a person would, through the menu where there is no room for it."""
    tab = page.get_by_role("tab", name=name, exact=True)
    if not tab.is_visible():
        page.get_by_label("More tabs").click()
        page.locator(".overflow-dropdown button", has_text=name).click()
    else:
        tab.click()
    page.locator("[role=tab][aria-selected=true]", has_text=name).wait_for()
