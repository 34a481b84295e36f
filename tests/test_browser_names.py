"""What the checkpoint inside knows is one click away, and another click asks for it."""

from __future__ import annotations

import re
from collections.abc import Callable

import browsing
import httpx
import pytest
from browsing import newest_run, take_example, wait_for_run
from playwright.sync_api import Page
from served import Served, embedded

browser, visit = browsing.browser, browsing.visit  # the fixtures
pytestmark = pytest.mark.browser

NAMES = "#known-names button"


@pytest.fixture(scope="module")
def served() -> Served:
    return embedded()


def open_names(page: Page) -> None:
    page.locator("#known-names summary").click()
    page.locator(NAMES).first.wait_for()


def test_every_name_is_there_with_its_drawing(visit: Callable[..., Page]) -> None:
    page = visit()
    assert "66" in page.inner_text("#known-names summary")
    open_names(page)
    assert page.locator(NAMES).count() == 66
    assert page.locator(NAMES).nth(1).inner_text() == "dog"
    images = page.eval_on_selector_all(
        f"{NAMES} i", "all => all.map(one => getComputedStyle(one).backgroundImage)"
    )
    assert len(images) == 66 and len(set(images)) == 1
    sheet = re.fullmatch(r'url\("(.+/drawings/tiny\.webp\?\w+)"\)', images[0])
    assert sheet and httpx.get(sheet[1]).headers["content-type"] == "image/webp"
    places = page.eval_on_selector_all(
        f"{NAMES} i", "all => all.map(one => one.style.backgroundPosition)"
    )
    assert places[0] == "0px 0px" and len(set(places)) == 66


def test_a_name_waits_in_the_form_where_there_is_no_picture(visit: Callable[..., Page]) -> None:
    page = visit()
    before = newest_run(page)
    open_names(page)
    page.locator(NAMES, has_text="butterfly").click()
    page.wait_for_function("document.querySelector('#words textarea').value === 'butterfly'")
    assert newest_run(page) == before


def test_a_name_is_asked_of_the_picture_that_is_there(visit: Callable[..., Page]) -> None:
    page = visit()
    take_example(page)
    before = newest_run(page)
    open_names(page)
    page.get_by_role("button", name="dog", exact=True).click()
    wait_for_run(page, before)
    assert page.input_value("#words textarea") == "dog"
    page.wait_for_selector("#viewer .gv[data-state=done][data-count='1']")
