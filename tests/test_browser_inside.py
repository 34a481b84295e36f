"""The Inside tab in a browser, over the checkpoint that comes inside."""

from __future__ import annotations

from collections.abc import Callable

import browsing
import pytest
from axe import findings, in_every_look
from browsing import PHONE, go_to_tab, is_enabled, open_tab
from playwright.sync_api import Page
from served import Served, embedded

browser, visit = browsing.browser, browsing.visit  # the fixtures
pytestmark = pytest.mark.browser

NAMES = ["pixels", "patches", "features", "soft", "merged", "tokens"]
IS_DRAWN = "nodes => nodes.every(node => node.complete && node.naturalWidth > 0)"


@pytest.fixture(scope="module")
def served() -> Served:
    return embedded()


def follow(page: Page) -> None:
    open_tab(page, "Inside the model", "#inside-run")
    page.wait_for_selector("#inside-picture img")
    page.click("#inside-run")
    page.wait_for_selector(".gv-inside[data-state=done]")


def test_the_example_is_followed_to_its_end(visit: Callable[..., Page]) -> None:
    page = visit()
    follow(page)
    found = page.eval_on_selector_all(".stages > li", "nodes => nodes.map(one => one.dataset.name)")
    assert found[:6] == NAMES and found[6:] in ([], ["masks"])
    assert page.inner_text(".stage-pixels .shape") == "3 \u00d7 168 \u00d7 168"
    assert page.locator(".stage-merged .run.soft").inner_text() == "picture \u00d7 144"
    assert page.eval_on_selector_all(".gv-inside img", IS_DRAWN)
    is_enabled(page, "inside-run")


def test_a_token_tells_what_else_it_could_have_been(visit: Callable[..., Page]) -> None:
    page = visit()
    follow(page)
    page.locator(".token").first.focus()
    page.keyboard.press("Enter")
    assert page.locator(".token").first.get_attribute("aria-pressed") == "true"
    assert "It could have been:" in page.inner_text(".stage-tokens .rivals")
    assert page.locator(".stage-tokens .rivals .run").count() == 3


@pytest.mark.slow
def test_the_tab_is_for_everybody(visit: Callable[..., Page]) -> None:
    page = visit()
    open_tab(page, "Inside the model", "#inside-run")
    assert findings(page) == []
    follow(page)
    page.locator(".gv-inside .token").first.click()
    assert in_every_look(page) == {}


@pytest.mark.slow
def test_it_fits_a_phone(visit: Callable[..., Page]) -> None:
    page = visit(viewport=PHONE)
    go_to_tab(page, "Inside the model")
    page.click("#inside-run")
    page.wait_for_selector(".gv-inside[data-state=done]")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
