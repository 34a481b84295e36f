"""The door to a real checkpoint: one to begin with, three steps, at most four clicks.

The app reaches a Hub on this machine whose models are gated; it believes in 12 GiB of free memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import browsing
import httpx
import pytest
from axe import DESK, in_every_look
from browsing import PHONE
from gradio_client import Client
from hub_server import GATED, LICENSED, UNLICENSED, Hub, playing_hub
from playwright.sync_api import Page
from served import Served, free_port, start
from tiny_models import make_model, save

browser, visit = browsing.browser, browsing.visit  # the fixtures
pytestmark = pytest.mark.browser

BEST = "google/paligemma2-3b-mix-224"
GOOD, UNSIGNED = "hf_goodGOODgood", "hf_unsignedUNSIGNED"
APP = """
import sys
from gemma_vision.weights import memory
memory.free = lambda device: {gib} * 2**30
from gemma_vision.web.app import main
sys.exit(main({arguments}))
"""
DOOR = "#header .door"
TOKEN = "#gv-hub-token"


def app_of(hub: Hub, home: Path, gib: int, *arguments: str) -> Served:
    """The app on a machine with so much memory free, where nobody has logged in."""
    own = {"HF_HOME": str(home), "HF_HUB_CACHE": str(home / "hub"), "HF_ENDPOINT": hub.url}
    code = APP.format(gib=gib, arguments=list(arguments))
    variables = own | {"HF_HUB_OFFLINE": "0", "HF_TOKEN": ""}
    return start(free_port(), ["-c", code], "is up at", variables)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = save(make_model("paligemma2"), tmp_path_factory.mktemp("published"))
    with playing_hub(folder, GATED) as server:
        server.accounts = {GOOD: LICENSED, UNSIGNED: UNLICENSED}
        yield server


@pytest.fixture(scope="module")
def served(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Served:
    return app_of(hub, tmp_path_factory.mktemp("home"), 12, "--model-choice", "any")


@pytest.fixture(autouse=True)
def nobody_gave_a_token(served: Served) -> None:
    httpx.delete(f"{served.url}model/token").raise_for_status()


def open_door(page: Page) -> None:
    page.click("#header .model")
    page.wait_for_selector(f"{DOOR} .source:not(:empty), {DOOR} .best p")


def give(page: Page, token: str) -> None:
    page.fill(TOKEN, token)
    page.click(f"{DOOR} .give button")


def test_one_checkpoint_is_recommended_with_what_it_needs(visit: Callable[..., Page]) -> None:
    page = visit()
    open_door(page)
    best = page.inner_text(f"{DOOR} .best")
    assert BEST in best and "Finds and outlines things in photographs" in best
    assert "needs 6.5 GiB of memory, you have 12.0 GiB on cpu · 5.6 GiB to fetch" in best
    assert page.inner_text(f"{DOOR} h3") == "Recommended for this machine"
    link = page.locator(f"{DOOR} a")
    assert link.get_attribute("href") == f"https://huggingface.co/{BEST}"
    assert "noopener" in (link.get_attribute("rel") or "")
    assert page.get_attribute(TOKEN, "type") == "password"
    assert page.get_attribute(TOKEN, "name") is None  # what has no name enters no address


def test_the_others_are_folded_by_line_with_their_kinds_explained(
    visit: Callable[..., Page],
) -> None:
    page = visit()
    open_door(page)
    lines = page.locator("#header .line")
    heads = [text.strip() for text in lines.locator("summary").all_inner_texts()]
    assert heads[0] == "PaliGemma 2: 17 checkpoints"
    assert [head.split(":")[0] for head in heads] == [
        "PaliGemma 2",
        "PaliGemma",
        "Gemma 3",
        "ShieldGemma 2",
        "Gemma 4",
    ]
    assert page.locator("#header .line li:visible").count() == 0
    lines.first.locator("summary").click()
    kinds = lines.first.locator(".kind").all_inner_texts()
    assert kinds[0] == "mix ready for use as is" and len(kinds) == 3
    row = lines.first.locator(f'li[data-id="{BEST}"]')
    assert row.locator("a").get_attribute("href") == f"https://huggingface.co/{BEST}"
    lines.nth(2).locator("summary").press("Enter")
    assert "follows instructions" in lines.nth(2).locator(".kind").inner_text()


REFUSALS = [
    pytest.param(None, "no token was given", "token", id="no token"),
    pytest.param("hf_mistypedMISTYPED", "does not accept the token", "token", id="refused"),
    pytest.param(UNSIGNED, "has not accepted the licence", "licence", id="no licence"),
]


@pytest.mark.parametrize("token, said, step", REFUSALS)
def test_a_refusal_is_a_sentence_and_marks_its_step(
    token: str | None, said: str, step: str, visit: Callable[..., Page]
) -> None:
    page = visit()
    open_door(page)
    if token:
        give(page, token)
        page.locator(f"{DOOR} .forget").wait_for()
    page.click(f"{DOOR} .load")
    page.locator("#header .note", has_text=said).wait_for()
    assert "Demo model answers as before" in page.inner_text("#header .note")
    assert page.locator(f"{DOOR} .fault").get_attribute("data-step") == step


def test_a_token_is_told_by_its_source_and_can_be_forgotten(visit: Callable[..., Page]) -> None:
    page = visit()
    open_door(page)
    assert "there is no token yet" in page.inner_text(f"{DOOR} .source")
    give(page, "not a token")
    page.locator("#header .note", has_text="That is no token").wait_for()
    assert page.input_value(TOKEN) == ""
    page.fill(TOKEN, GOOD)
    page.press(TOKEN, "Enter")
    page.locator(f"{DOOR} .source", has_text="from you").wait_for()
    assert page.inner_text("#header .note") == ""
    assert not page.is_visible(TOKEN)
    assert page.evaluate("document.activeElement.className") == "load"
    page.click(f"{DOOR} .forget")
    page.locator(f"{DOOR} .source", has_text="no token yet").wait_for()
    assert page.evaluate("document.activeElement.id") == "gv-hub-token"


@pytest.mark.slow
def test_every_look_of_the_open_door_is_for_everybody(visit: Callable[..., Page]) -> None:
    page = visit(viewport=DESK)
    open_door(page)
    for summary in page.locator("#header summary").all():
        summary.click()
    assert in_every_look(page) == {}
    give(page, GOOD)
    page.locator(f"{DOOR} .forget").wait_for()
    assert in_every_look(page) == {}


def test_the_door_works_by_keyboard(visit: Callable[..., Page]) -> None:
    page = visit()
    page.focus("#header .model")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{DOOR} .source:not(:empty)")
    met: list[str] = []
    for _ in range(14):
        page.keyboard.press("Tab")
        met.append(
            page.evaluate(
                "(({id, className, localName}) => id || className || localName)"
                "(document.activeElement)"
            )
        )
    wanted = ["load", "a", "gv-hub-token", "button", "gv-models-typed", "summary"]
    places = [met.index(one) for one in wanted]
    assert places == sorted(places)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_door_fits_on_a_phone(language: str, visit: Callable[..., Page]) -> None:
    page = visit(viewport=PHONE, locale=language)
    open_door(page)
    for summary in page.locator("#header summary").all():
        summary.click()
    widths = page.evaluate(
        "['.body', '.door', '.list'].map((one) => {"
        " const part = document.querySelector(`.gv-models ${one}`);"
        " return part.scrollWidth - part.clientWidth; })"
    )
    assert widths == [0, 0, 0]
    is_japanese = "おすすめ" in page.inner_text(f"{DOOR} h3")
    assert is_japanese == (language == "ja")


def test_four_clicks_lead_to_a_loaded_checkpoint_and_the_page_keeps_no_token(
    visit: Callable[..., Page], hub: Hub, served: Served
) -> None:
    page, asked = visit(), []
    page.on("request", lambda request: asked.append(request))
    open_door(page)  # one
    assert page.is_visible(f"{DOOR} a")  # two, which leaves this machine
    give(page, GOOD)  # three
    page.locator(f"{DOOR} .forget").wait_for()
    hub.tokens.clear()
    page.click(f"{DOOR} .steps .load")  # four
    page.locator("#header .note", has_text=f"{BEST} answers from now on").wait_for()
    page.locator(f"{DOOR} .mark").wait_for()
    assert hub.tokens == {GOOD} and not page.is_visible(f"{DOOR} .steps")
    carriers = [one.url for one in asked if GOOD in f"{one.url} {one.post_data}"]
    assert carriers == [f"{served.url}model/token"]
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    fields = page.evaluate("[...document.querySelectorAll('input')].map((one) => one.value)")
    assert GOOD not in page.content() + stored + page.context.storage_state().__repr__()
    assert GOOD not in fields
    Client(served.url, verbose=False).predict("tiny", api_name="/choose")


@pytest.fixture(scope="module")
def small_and_public(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Served:
    home = tmp_path_factory.mktemp("home")
    return app_of(hub, home, 4, "--model-choice", "listed", "--host", "0.0.0.0")


def test_a_small_machine_is_told_what_would_do_and_strangers_give_no_token(
    small_and_public: Served, browser: Any
) -> None:
    page = browser.new_page()
    page.goto(small_and_public.url)
    page.wait_for_selector("#run")
    open_door(page)
    assert "fits here" in page.inner_text(f"{DOOR} h3")
    said = page.inner_text(f"{DOOR} .best")
    assert "needs 6.3 GiB of memory, and 4.0 GiB are free on cpu" in said
    assert "--dtype int4" in said
    assert not page.is_visible(f"{DOOR} .steps") and not page.is_visible(TOKEN)
    page.close()
