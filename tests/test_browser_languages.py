"""The page's language is Gradio's, for components and scripts alike, while the page is open too."""

from __future__ import annotations

from collections.abc import Callable

import browsing
import pytest
from browsing import run, take_example, viewer
from playwright.sync_api import Page

from gemma_vision.web.i18n.texts import all_texts

browser, served, visit = browsing.browser, browsing.served, browsing.visit  # the fixtures
pytestmark = pytest.mark.browser


def reads(page: Page, language: str) -> None:
    """Wait until components, scripts and the page itself are in that language."""
    texts = all_texts(language)
    page.wait_for_selector(f"html[lang={texts['language_tag']}]")
    page.locator("#run", has_text=texts["run"]).wait_for()
    page.locator(".gv-head p", has_text=texts["tagline"]).wait_for()
    page.locator("#viewer .save", has_text=texts["viewer:save"]).wait_for(state="attached")
    zoom = page.locator("#viewer [data-do=zoom_in]")
    assert zoom.get_attribute("aria-label") == texts["viewer:zoom_in"]


@pytest.mark.parametrize(
    "locale, language",
    [
        ("en-GB", "en"),
        ("ja-JP", "ja"),
        ("fr-CA", "fr"),
        ("pt-BR", "pt"),
        ("zh-CN", "zh"),
        ("nl-NL", "en"),
    ],
)
def test_the_page_opens_in_the_browsers_language(
    visit: Callable[..., Page], locale: str, language: str
) -> None:
    reads(visit(locale=locale), language)


def test_an_error_is_told_in_the_pages_language(visit: Callable[..., Page]) -> None:
    page = visit(locale="de-DE")
    run(page, "cat", "error")
    meaning = all_texts("de")["notes:E_NO_IMAGE"]
    note = page.locator("#viewer .notes li", has_text=meaning).first
    sentence = note.text_content().removeprefix(f"{meaning} (").removesuffix(")")
    switch(page, "English")
    page.locator("#viewer .notes li").get_by_text(sentence, exact=True).wait_for()


def switch(page: Page, language: str) -> None:
    """Choose a language in Gradio's own settings."""
    page.locator("footer button.settings").click()
    page.locator(".banner-wrap").get_by_label("Language", exact=True).click()
    page.get_by_role("option", name=language).click()


def test_gradios_own_switch_changes_all_of_the_open_page(visit: Callable[..., Page]) -> None:
    page = visit(locale="en-GB")
    take_example(page)
    run(page)
    german, objects = all_texts("de"), all_texts("de")["viewer:objects"].format(n=2)
    switch(page, "Deutsch")
    reads(page, "de")
    page.locator("#viewer .facts", has_text=f"{german['viewer:state_done']} · {objects}").wait_for()
    assert viewer(page, "done").get_attribute("data-count") == "2"
    page.locator("#examples b", has_text=german["segment"]).first.wait_for()
    caption = page.locator("#viewer caption")
    assert caption.text_content() == german["viewer:instances"]
