"""The page's language is Gradio's, for components and scripts alike, while the page is open too."""

from __future__ import annotations

import re
from collections.abc import Callable

import browsing
import pytest
from browsing import PHONE, run, take_example, viewer
from playwright.sync_api import Page

from gemma_vision.web.i18n.texts import all_texts

browser, served, visit = browsing.browser, browsing.served, browsing.visit  # the fixtures
pytestmark = pytest.mark.browser

# Titles of examples that stand on more lines than they have words.
BROKEN = """() => [...document.querySelectorAll('#examples .cards b')].filter((title) => {
  const range = document.createRange();
  range.selectNodeContents(title);
  const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)));
  return lines.size > title.textContent.trim().split(/\\s+/).length;
}).map((title) => title.textContent)"""


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
    notes = page.locator("#viewer .notes li")
    notes.get_by_text(all_texts("de")["sentences:no_picture"], exact=True).wait_for()
    switch(page, "English")
    notes.get_by_text(all_texts("en")["sentences:no_picture"], exact=True).wait_for()


def switch(page: Page, language: str) -> None:
    """Choose a language in Gradio's own settings."""
    page.locator("footer button.settings").click()
    page.locator(".banner-wrap").get_by_label("Language", exact=True).click()
    page.get_by_role("option", name=language, exact=True).click()


def test_an_empty_field_invites_in_the_language_that_was_switched_to(
    visit: Callable[..., Page],
) -> None:
    page = visit(locale="en-GB")
    switch(page, "Deutsch")
    invitation = all_texts("de")["gradio:gradio_drop_image"]
    page.locator("#picture").get_by_text(invitation).wait_for()
    page.locator(f"#picture button[aria-label='{invitation}']").wait_for()


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


# Everything that is read, heard or shown on hover, with what it was before it.
WORDS = """() => {
  const isSeen = (node) => node.checkVisibility({ checkVisibilityCSS: true });
  const found = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { textContent, parentElement } = texts.currentNode;
    if (!parentElement.closest("script, style") && isSeen(parentElement))
      found.add(textContent.trim());
  }
  for (const name of ["placeholder", "aria-label", "title", "alt"])
    for (const node of document.querySelectorAll(`[${name}]`))
      if (isSeen(node)) found.add(node.getAttribute(name).trim());
  return [...found];
}"""
UNFOLD = """() => {
  for (const one of document.querySelectorAll("details")) one.open = true;
  for (const one of document.querySelectorAll("button.label-wrap:not(.open)")) one.click();
}"""
# What people, models, files and formats are called, and what a model or a program is given.
NAMES = r"Gemma Vision|fake.*|\d.*|cat.*|dog|.*cat ; dog.*|how many .*\?|sky|sand|clip|.*\.\w{3,4}"
CODE = r"<.*|\".*|import .*|null|Array\(\d+\)|Object\(\d+\)|two animals .*|logo|\W*\w?\W*"
KEPT = re.compile(f"(?:{NAMES}|{CODE})", re.DOTALL)
LANGUAGE_NAMES_OF_GRADIO = {
    "ja": "日本語",
    "fr": "Français",
    "de": "Deutsch",
    "es": "Español",
    "pt": "Português",
    "ko": "한국어",
    "zh": "简体中文",
}


def words_of_tabs(page: Page) -> list[set[str]]:
    """What stands in each tab."""
    found = []
    for index in range(page.locator("[role=tab]").count()):
        page.locator("[role=tab]").nth(index).click()
        page.wait_for_timeout(400)
        found.append(set(page.evaluate(WORDS)))
    return found


@pytest.mark.parametrize(
    "languages",
    [("ja",), pytest.param(("de", "es", "fr", "ko", "pt", "zh"), marks=pytest.mark.slow)],
    ids=" ".join,
)
def test_no_word_of_any_tab_stays_english_in_an_open_page(
    visit: Callable[..., Page], languages: tuple[str, ...]
) -> None:
    page = visit(locale="en-GB", viewport={"width": 1500, "height": 900})
    take_example(page)
    run(page)
    for index in range(page.locator("[role=tab]").count()):
        page.locator("[role=tab]").nth(index).click()
        page.evaluate(UNFOLD)
        page.wait_for_timeout(300)
    english = words_of_tabs(page)
    left: dict[str, set[str]] = {}
    for code in languages:
        page.locator("[role=tab]").first.click()
        switch(page, LANGUAGE_NAMES_OF_GRADIO[code])
        reads(page, code)
        page.locator(".backdrop").click(position={"x": 5, "y": 5})
        page.locator(".backdrop").wait_for(state="detached")
        own = set(all_texts(code).values())
        for tab, before in zip(words_of_tabs(page), english, strict=True):
            same = {text for text in tab & before - own if not KEPT.fullmatch(text)}
            for text in same:
                left.setdefault(text, set()).add(code)
    assert not left, sorted(left)


def test_no_word_is_broken_in_the_title_of_an_example_on_a_phone(
    visit: Callable[..., Page],
) -> None:
    page = visit(viewport=PHONE, locale="de-DE")
    page.locator("#examples .cards b", has_text="Beschreiben").first.wait_for()
    assert page.evaluate(BROKEN) == []
