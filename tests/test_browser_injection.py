"""Words that try to be code stay words: in every tab, wherever the page shows a text."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import browsing
import pytest
from browsing import give_batch, go_to_tab, run, take_example
from films import film
from PIL import Image
from playwright.sync_api import Page
from served import BOX, CODES, ROOT, Served, embedded

from postprocess import parse

browser, served, visit = browsing.browser, browsing.served, browsing.visit  # the fixtures
pytestmark = pytest.mark.browser

ANSWER = " ; ".join(f"{BOX} {code}" for code in CODES)
LABELS = tuple(mention.label for mention in parse(ANSWER))  # without brackets around them
AS_JSON = json.dumps([{"box_2d": [100, 100, 500, 450], "label": code} for code in CODES])

# Elements that no text of ours makes: none of them is on a page that only shows words.
MADE = """img[src="x"], iframe, script[src="x"], [onerror], [onload], a[href^="javascript:"],
  .gv a, .gv-talk a, .gv-inside a, .gv-progress a, .gv-lanes a"""

# Keeps what is written onto a canvas.
LISTEN = """() => {
  window.drawn = new Set();
  const { fillText } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
    drawn.add(text);
    return fillText.call(this, text, ...rest);
  };
}"""


def nothing_ran(page: Page) -> None:
    """Neither at once nor a moment later; `visit` looks for requests and complaints besides."""
    page.wait_for_timeout(250)
    assert page.evaluate("window.stolen") is None
    assert page.locator(MADE).count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def texts(page: Page, selector: str) -> list[str]:
    return page.locator(selector).all_text_contents()


def labels(page: Page, root: str) -> list[str]:
    """The labels of a viewer's table, without the mark of those that were not asked for."""
    cells = texts(page, f"{root} .rows tbody tr td:nth-child(2)")
    return [cell.removesuffix(" (not asked for)") for cell in cells]


def open_drawers(page: Page) -> None:
    for drawer in page.locator("button.label-wrap:visible").all():
        drawer.click()
    for summary in page.locator(".tokens summary:visible").all():
        summary.click()


def test_labels_in_the_viewer_are_words(visit: Callable[..., Page]) -> None:
    page = visit()
    take_example(page)
    page.locator("#task label", has_text="Detect").click()
    run(page, "codes")
    found = labels(page, "#viewer")
    assert found == list(LABELS) and len(found) == len(CODES)
    assert sorted(texts(page, "#viewer .legend .chip span:nth-child(2)")) == sorted(LABELS)
    assert all(code in page.text_content("#viewer .tokens pre") for code in CODES)
    open_drawers(page)
    page.locator("#json", has_text="constructor").first.wait_for()
    for number in (0, len(CODES) - 1):
        page.locator("#viewer .rows .number").nth(number).click()
        assert LABELS[number][:40] in page.text_content("#viewer .heard")
    nothing_ran(page)


def test_an_answer_in_words_is_words(visit: Callable[..., Page]) -> None:
    page = visit()
    take_example(page)
    page.locator("#task label", has_text="Ask").click()
    run(page, "codes")
    assert page.text_content("#viewer .said p").split("\n") == list(CODES)
    open_drawers(page)
    nothing_ran(page)


@pytest.mark.parametrize(
    "written, told", [(ANSWER, LABELS), (AS_JSON, CODES)], ids=["tokens", "JSON"]
)
def test_a_pasted_answer_is_words(
    visit: Callable[..., Page], written: str, told: tuple[str, ...]
) -> None:
    page = visit()
    go_to_tab(page, "Paste")
    page.fill("#paste-text textarea", written)
    page.click("#paste-run")
    page.wait_for_selector("#paste-viewer .gv[data-state=done]")
    assert labels(page, "#paste-viewer") == list(told)
    open_drawers(page)
    nothing_ran(page)


def test_an_error_about_words_is_words(visit: Callable[..., Page]) -> None:
    page = visit()
    take_example(page)
    for code in CODES[::3]:
        run(page, f"<image> {code}", "error")
        assert "command to the model" in page.text_content("#viewer .notes")
        run(page, "cat")
    nothing_ran(page)


def test_a_link_brings_words(visit: Callable[..., Page], served: Served) -> None:
    page = visit()
    whole = " ; ".join(CODES)[:1500]
    for task in ("detect", CODES[0]):
        page.goto(f"{served.url}?task={quote(task)}&text={quote(whole)}")
        page.wait_for_selector("#run")
        page.wait_for_timeout(300)
        assert page.input_value("#words textarea") in ("", whole)
        nothing_ran(page)


@pytest.mark.slow
def test_a_batch_shows_names_and_answers_as_words(
    visit: Callable[..., Page], tmp_path: Path
) -> None:
    packed = tmp_path / "all.zip"
    bad = "<img src=x onerror=window.stolen=1>.png"
    with zipfile.ZipFile(packed, "w") as archive:
        for number, code in enumerate(CODES[:6]):
            Image.new("RGB", (64, 48), "teal").save(tmp_path / "a.png")
            archive.write(tmp_path / "a.png", f"{number} {code[:40].replace('/', ' ')}.png")
        archive.writestr(bad, "no picture")
        archive.writestr("../../outside.png", (tmp_path / "a.png").read_bytes())
    page = visit()
    go_to_tab(page, "Batch")
    give_batch(page, [packed])
    page.fill("#batch-words textarea", "codes")
    page.click("#batch-run")
    page.wait_for_selector("#batch-progress .gv-progress[data-state=done]")
    (note,) = texts(page, "#batch-progress li")
    assert note.startswith(f"{bad}: ")
    page.wait_for_selector("#gallery img")
    page.locator("#gallery button.thumbnail-item, #gallery .thumbnail-lg").first.click()
    nothing_ran(page)
    with page.expect_download() as download:
        page.click("#batch-download")
    download.value.save_as(tmp_path / "found.zip")
    with zipfile.ZipFile(tmp_path / "found.zip") as archive:
        names = archive.namelist()
        told = {row["name"] for row in json.loads(archive.read("annotations.json"))["categories"]}
    assert len(names) == 2 * 7 + 2 and set(LABELS) <= told
    assert all(".." not in Path(name).parts and not name.startswith("/") for name in names)
    assert all(len(Path(name).name.encode()) <= 255 for name in names)


def test_a_conversation_is_words(visit: Callable[..., Page], picture_file: Path) -> None:
    page = visit()
    go_to_tab(page, "Chat")
    page.set_input_files("#chat-message input[type=file]", [picture_file])
    page.wait_for_selector("#chat-message img")
    said = "codes " + " ".join(CODES[:-1])
    page.fill("#chat-message textarea", said)
    page.keyboard.press("Enter")
    page.locator(".gv-talk .assistant", has_text="constructor").wait_for()
    assert page.text_content(".gv-talk li.user:not(.picture)") == said
    page.wait_for_selector("#chat-stop[disabled]")
    assert texts(page, ".gv-talk li.assistant") == ["\n".join(CODES)]
    nothing_ran(page)


@pytest.mark.slow
def test_both_sides_of_a_comparison_are_words(visit: Callable[..., Page]) -> None:
    page = visit()
    go_to_tab(page, "Compare")
    page.wait_for_selector("#compare-picture img")
    page.locator("#compare-task label", has_text="Detect").click()
    for side in ("left", "right"):
        page.fill(f"#compare-words-{side} textarea", "codes")
    page.click("#compare-run")
    page.wait_for_selector("#compare-right .gv[data-state=done]")
    for side in ("left", "right"):
        assert labels(page, f"#compare-{side}")[:3] == list(LABELS[:3])
    page.fill("#compare-words-right textarea", f"<image>{CODES[0]}")
    page.click("#compare-run")
    page.wait_for_selector(".gv-differences.bad")
    nothing_ran(page)


@pytest.mark.slow
def test_the_lanes_of_a_video_are_words(visit: Callable[..., Page], tmp_path: Path) -> None:
    page = visit()
    go_to_tab(page, "Video")
    page.set_input_files("#video input[type=file]", film(tmp_path / "a.mp4", count=3))
    page.wait_for_selector("#video video")
    page.fill("#video-words textarea", "codes")
    page.click("#video-run")
    page.wait_for_selector("#video-progress .gv-progress[data-state=done]")
    names = texts(page, "#video-timeline .name")
    assert len(names) > 3
    assert all(name.split(" ", 1)[1] in LABELS for name in names)
    open_drawers(page)
    nothing_ran(page)


def test_a_name_turned_around_turns_nothing_else(visit: Callable[..., Page]) -> None:
    """A mark that makes letters run to the left ends with the label it stands in."""
    page = visit()
    take_example(page)
    page.locator("#task label", has_text="Detect").click()
    page.evaluate(LISTEN)
    run(page, "codes")
    drawn = [line for line in page.evaluate("[...drawn]") if "gnp.exe" in line]
    assert drawn == ["14  \u2068cat \u202egnp.exe\u2069  90%"]


class TestInside:
    """The tab that is there over a real checkpoint only."""

    @pytest.fixture
    def served(self) -> Served:
        return embedded()

    def test_the_prompt_inside_the_model_is_words(self, visit: Callable[..., Page]) -> None:
        page = visit()
        go_to_tab(page, "Inside the model")
        page.wait_for_selector("#inside-picture img")
        page.locator("#inside-task label", has_text="Ask").click()
        page.wait_for_timeout(1000)
        page.fill("#inside-words textarea", " ; ".join(CODES[:6]))
        page.click("#inside-run")
        page.wait_for_selector(".gv-inside[data-state=done]")
        assert "onerror" in page.text_content(".stage-merged .runs").replace("·", "")
        nothing_ran(page)


EVIL_NAME = "<img src=x onerror=window.stolen=1>`${window.stolen=1}`{{value}}[here](javascript:x)"


@pytest.fixture(scope="module")
def badly_named(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint whose folder has a name that tries to be code."""
    folder = tmp_path_factory.mktemp("names") / EVIL_NAME
    return Path(shutil.copytree(ROOT / "gemma_vision" / "checkpoints" / "tiny", folder))


class TestNames:
    """A checkpoint's name is that of the folder somebody put it into."""

    @pytest.fixture
    def served(self, badly_named: Path) -> Served:
        return embedded("--model", str(badly_named), "--model-choice", "any")

    def test_the_name_of_a_checkpoint_is_words(
        self, visit: Callable[..., Page], badly_named: Path
    ) -> None:
        page = visit()
        assert EVIL_NAME in page.text_content("#header .detail")
        assert EVIL_NAME in page.get_attribute("#header .model", "title")
        nothing_ran(page)
        page.click("#header .model")
        page.locator("#header li", has_text=EVIL_NAME).first.wait_for()
        nothing_ran(page)
        page.keyboard.press("Escape")
        go_to_tab(page, "Compare")
        assert EVIL_NAME in page.input_value("#compare-model-left input")
        page.click("#compare-model-right input")
        page.locator("[role=option]", has_text=EVIL_NAME).first.wait_for()
        nothing_ran(page)
        page.keyboard.press("Escape")
        go_to_tab(page, "Inside the model")
        page.click("#inside-run")
        page.wait_for_selector(".gv-inside[data-state=done]")
        nothing_ran(page)

    def test_the_name_of_one_that_cannot_be_loaded_is_words(
        self, visit: Callable[..., Page], badly_named: Path
    ) -> None:
        page = visit()
        page.click("#header .model")
        page.wait_for_selector("#header li.loaded")
        page.fill("#gv-models-typed", str(badly_named.parent / "none" / EVIL_NAME))
        page.click("#header .typed button")
        page.locator("#header .gv-models", has_text="answers as before").wait_for()
        nothing_ran(page)
        page.keyboard.press("Escape")
        nothing_ran(page)
