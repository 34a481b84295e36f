"""Everybody can use every tab: axe-core finds nothing serious, empty or filled, in each look."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import browsing
import pytest
from axe import DESK, LOOKS, OTHER_LOOKS, findings, in_every_look
from browsing import give_batch, go_to_tab, tab_names
from playwright.sync_api import Page

browser, served, visit = browsing.browser, browsing.served, browsing.visit  # the fixtures
pytestmark = pytest.mark.browser


def fill_image(page: Page, picture: Path) -> None:
    browsing.take_example(page)
    browsing.run(page)
    page.click("#viewer .tokens summary")
    page.locator(".rows tbody .number").first.click()
    for drawer in page.locator("button.label-wrap").all():
        drawer.click()


def fill_paste(page: Page, picture: Path) -> None:
    page.fill("#paste-text textarea", "<loc0000><loc0000><loc0512><loc0512> cat ; <loc0001>")
    page.click("#paste-run")
    page.wait_for_selector("#paste-viewer .notes li")


def fill_batch(page: Page, picture: Path) -> None:
    broken = picture.with_name("broken.png")
    broken.write_text("hello")
    give_batch(page, [picture, broken])
    page.fill("#batch-words textarea", "cat ; dog")
    page.click("#batch-run")
    page.wait_for_selector(".gv-progress[data-state=done] li")
    page.wait_for_selector("#batch-download")


def fill_chat(page: Page, picture: Path) -> None:
    page.set_input_files("#chat-message input[type=file]", [picture])
    page.wait_for_selector("#chat-message img")
    page.fill("#chat-message textarea", "what is it?")
    page.keyboard.press("Enter")
    page.locator(".gv-talk .assistant", has_text="two animals").wait_for()


def fill_compare(page: Page, picture: Path) -> None:
    page.wait_for_selector("#compare-picture img")
    page.fill("#compare-words-left textarea", "cat ; dog")
    page.fill("#compare-words-right textarea", "cat")
    page.click("#compare-run")
    page.wait_for_selector("#compare-right .gv[data-state=done]")


FILLS: dict[str, Callable[[Page, Path], None]] = {
    "Image": fill_image,
    "Paste": fill_paste,
    "Batch": fill_batch,
    "Chat": fill_chat,
    "Compare": fill_compare,
}
OFTEN = ("Image", "Paste")


def test_every_tab_is_for_everybody_before_it_is_used(visit: Callable[..., Page]) -> None:
    page = visit()
    for name in tab_names(page):
        go_to_tab(page, name)
        assert (name, in_every_look(page)) == (name, {})


@pytest.mark.parametrize(
    "looks", [LOOKS, pytest.param(OTHER_LOOKS, marks=pytest.mark.slow)], ids=["looks", "others"]
)
@pytest.mark.parametrize(
    "name",
    [
        name if name in OFTEN else pytest.param(name, marks=pytest.mark.slow)  # half a minute each
        for name in FILLS
    ],
)
def test_every_tab_is_for_everybody_while_it_shows_something(
    visit: Callable[..., Page], picture_file: Path, name: str, looks: list[Any]
) -> None:
    page = visit()
    go_to_tab(page, name)
    FILLS[name](page, picture_file)
    assert in_every_look(page, looks) == {}


@pytest.mark.slow
def test_every_tab_is_for_everybody_in_japanese(visit: Callable[..., Page]) -> None:
    page = visit(locale="ja-JP", viewport=DESK)
    for name in tab_names(page):
        go_to_tab(page, name)
        assert (name, findings(page)) == (name, [])


def test_errors_are_for_everybody(visit: Callable[..., Page]) -> None:
    page = visit()
    browsing.run(page, "cat", "error")
    assert in_every_look(page) == {}
