"""Another checkpoint chosen on the page: what changes, what stays, and what others see."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import browsing
import httpx
import pytest
from browsing import PHONE, open_tab, run, take_example
from gradio_client import Client
from playwright.sync_api import Page
from served import Served, embedded
from tiny_models import make_model, save

browser, visit = browsing.browser, browsing.visit  # the fixtures
pytestmark = pytest.mark.browser

TASKS = "#task label:visible"


@pytest.fixture(scope="module")
def served() -> Served:
    return embedded("--model-choice", "any")


@pytest.fixture(autouse=True)
def tiny_answers(served: Served) -> Iterator[None]:
    yield
    if httpx.get(f"{served.url}model").json()["id"] != "tiny":
        Client(served.url, verbose=False).predict("tiny", api_name="/choose")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("choice")
    save(make_model("gemma3"), root / "chatty")
    shutil.copytree(root / "chatty", root / "broken")
    (root / "broken" / "model.safetensors").write_bytes(b"nothing of the kind")
    return {name: str(root / name) for name in ("chatty", "broken")}


def open_list(page: Page) -> None:
    page.click("#header .model")
    page.wait_for_selector("#header li.loaded")


def load_typed(page: Page, name: str) -> None:
    page.fill("#gv-models-typed", name)
    page.click("#header .typed button")


def take_model(page: Page, side: str, name: str) -> None:
    """Ask another checkpoint on one side of a comparison."""
    page.click(f"#compare-model-{side} input")
    page.get_by_role("option", name=name).click()
    page.wait_for_function("!document.querySelector('[role=option]')")  # it closes slowly


def shown(page: Page, selector: str) -> list[str]:
    return [text.strip() for text in page.locator(selector).all_inner_texts()]


def wait_for_tasks(page: Page, *tasks: str) -> None:
    page.wait_for_function(
        "([selector, wanted]) => [...document.querySelectorAll(selector)]"
        ".map((one) => one.innerText.trim()).join() === wanted",
        arg=["#task label", ",".join(tasks)],
    )


TINY = ("Detect", "Segment", "Caption", "Ask", "Free prompt")
CHATTY = ("Caption", "Ask", "Read text", "Free prompt")


def test_the_header_says_in_words_what_answers_and_has_the_facts_as_a_detail(
    visit: Callable[..., Page],
) -> None:
    page = visit()
    assert page.inner_text("#header .model") == "Demo model: drawings of 66 things"
    assert page.inner_text("#header .detail") == "tiny · 4.6 M · cpu · float32"
    assert "tiny · 4.6 M" in (page.get_attribute("#header .model", "title") or "")
    assert page.get_attribute("#header .model", "data-state") == "ready"


def test_tabs_offer_what_the_chosen_checkpoint_can_and_come_back(
    visit: Callable[..., Page], folders: dict[str, str]
) -> None:
    page = visit()
    assert tuple(shown(page, TASKS)) == TINY
    assert page.get_by_role("tab", name="Chat").count() == 0
    open_list(page)
    load_typed(page, folders["chatty"])
    wait_for_tasks(page, *CHATTY)
    note = page.inner_text("#header .note")
    assert note.startswith("chatty") and folders["chatty"] not in note
    page.keyboard.press("Escape")
    assert page.inner_text("#header .model") == "Gemma 3 · 0.2 M parameters"
    assert page.inner_text("#header .detail") == "chatty · 0.2 M · cpu · float32"
    assert not page.locator("#header .photos").first.is_visible()
    page.get_by_role("tab", name="Chat").wait_for()
    assert set(shown(page, ".cards button:visible b")) == {"Ask", "Caption"}
    open_tab(page, "Compare", "#compare-run")
    left = page.input_value("#compare-model-left input")
    assert left == "chatty"
    page.locator("#compare-crops-left label").wait_for()
    assert "Pan and scan" in page.inner_text("#compare-crops-left")
    assert page.locator("#compare-crops-right").count() == 0  # which asks the former one still
    page.check("#compare-crops-left input")
    take_model(page, "left", "Demo model")
    page.locator("#compare-crops-left").wait_for(state="detached")
    take_model(page, "right", "chatty")
    page.locator("#compare-crops-right input:not(:checked)").wait_for()
    open_tab(page, "Inside the model", "#inside-crops:visible")
    open_tab(page, "Batch", "#batch-crops:visible")
    open_tab(page, "Image", "#crops:visible")
    open_list(page)
    page.click('#header li[data-id="tiny"] button')
    wait_for_tasks(page, *TINY)
    page.click("#header .close")
    page.locator("#crops").wait_for(state="detached")
    page.wait_for_function(
        "![...document.querySelectorAll('[role=tab]')].some(t => t.innerText === 'Chat')"
    )
    take_example(page)
    run(page)


def test_who_has_photographs_is_led_to_the_list(visit: Callable[..., Page]) -> None:
    page = visit()
    page.get_by_role("button", name="Your own photos?").click()
    page.wait_for_selector("#header li.loaded")


@pytest.mark.slow
def test_a_visitor_who_chats_is_led_back_when_nobody_can_chat_any_more(
    visit: Callable[..., Page], folders: dict[str, str], served: Served
) -> None:
    client = Client(served.url, verbose=False)
    client.predict(folders["chatty"], api_name="/choose")
    page = visit()
    open_tab(page, "Chat", "#chat-message")
    client.predict("tiny", api_name="/choose")
    page.wait_for_selector("#run:visible")
    wait_for_tasks(page, *TINY)


def test_a_broken_folder_is_one_sentence_and_the_former_answers(
    visit: Callable[..., Page], folders: dict[str, str]
) -> None:
    page = visit()
    open_list(page)
    load_typed(page, folders["broken"])
    page.locator("#header .note", has_text="no whole safetensors file").wait_for()
    assert "Demo model answers as before" in page.inner_text("#header .note")
    page.keyboard.press("Escape")
    take_example(page)
    run(page)
    assert page.inner_text("#header .detail").startswith("tiny")


def test_others_see_the_change_where_they_are(
    visit: Callable[..., Page], folders: dict[str, str], served: Served
) -> None:
    page = visit()
    Client(served.url, verbose=False).predict(folders["chatty"], api_name="/choose")
    wait_for_tasks(page, *CHATTY)
    told = page.locator("#header .told", has_text="answers from now on")
    told.wait_for()
    again = visit()  # a page that is opened later is fitted at once
    wait_for_tasks(again, *CHATTY)
    assert again.inner_text("#header .told") == ""


def test_a_page_that_is_opened_after_a_change_keeps_what_its_link_says(
    visit: Callable[..., Page], folders: dict[str, str], served: Served
) -> None:
    Client(served.url, verbose=False).predict(folders["chatty"], api_name="/choose")
    page = visit()
    page.goto(f"{served.url}?task=ask&text=why")
    wait_for_tasks(page, *CHATTY)
    page.locator("#task input[value=ask]:checked").wait_for(state="attached")
    assert page.input_value("#words textarea") == "why"


def test_names_of_folders_stay_words(visit: Callable[..., Page]) -> None:
    page = visit()
    open_list(page)
    load_typed(page, "<img src=x onerror=window.stolen=1>`${window.stolen=1}`")
    page.locator("#header .note", has_text="There is no model").wait_for()
    assert page.evaluate("window.stolen") is None
    assert page.locator("#header img").count() == 0


@pytest.mark.parametrize(
    "look",
    [{"color_scheme": "light"}, pytest.param({"color_scheme": "dark"}, marks=pytest.mark.slow)],
    ids=str,
)
def test_the_list_fits_on_a_phone_and_works_by_keyboard(
    look: dict[str, Any], visit: Callable[..., Page]
) -> None:
    page = visit(viewport=PHONE, **look)
    page.focus("#header .model")
    page.keyboard.press("Enter")
    page.wait_for_selector("#header li.loaded")
    box = page.locator("#header dialog").bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.evaluate("document.querySelector('.gv-models .list').scrollWidth") <= PHONE["width"]
    assert page.evaluate("document.activeElement.closest('dialog') !== null")
    page.keyboard.press("Escape")
    assert page.locator("#header dialog[open]").count() == 0
    assert page.evaluate("document.activeElement.className") == "model"


def test_a_fixed_checkpoint_is_told_and_not_offered(browser: Any) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(browsing.start().url)  # the scripted app, whose checkpoint is fixed
    page.wait_for_selector("#run")
    assert page.is_disabled("#header .model")
    assert not any(url.endswith("/model") for url in asked)
    page.close()
