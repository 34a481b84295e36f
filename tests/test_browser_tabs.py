"""The other tabs: Paste, Batch, Compare and Chat, and the examples that they have."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import browsing
import pytest
from browsing import give_batch, go_to_tab, is_enabled, open_tab
from PIL import Image
from playwright.sync_api import Page
from served import EVIL, Served

browser, served, visit = browsing.browser, browsing.served, browsing.visit  # the fixtures
pytestmark = pytest.mark.browser


def test_a_pasted_answer_is_shown_with_and_without_its_picture(
    visit: Callable[..., Page], picture_file: Path
) -> None:
    page = visit()
    open_tab(page, "Paste", "#paste-run")
    page.fill("#paste-text textarea", "<loc0000><loc0000><loc0512><loc0512> cat")
    page.click("#paste-run")
    page.wait_for_selector("#paste-viewer .gv[data-state=done]")
    row = page.locator("#paste-viewer .rows tbody tr")
    assert "0, 0, 513, 384" in row.inner_text()
    assert not page.locator("#paste-viewer .scores-only:visible").count(), "nothing has a score"
    page.set_input_files("#paste-picture input[type=file]", picture_file)
    page.wait_for_selector("#paste-picture img")
    page.click("#paste-run")
    page.locator("#paste-viewer .rows", has_text="0, 0, 320, 240").wait_for()
    page.fill("#paste-text textarea", "nothing that is a box")
    page.click("#paste-run")
    page.wait_for_selector("#paste-viewer .gv[data-state=empty][data-count='0']")


def test_every_tab_has_examples_with_pictures_that_run_by_a_click(
    visit: Callable[..., Page],
) -> None:
    page = visit()
    for name in ("Paste", "Batch", "Video", "Compare"):
        go_to_tab(page, name)
        cards = page.locator(f"#{name.lower()}-examples button:visible")
        assert cards.first.locator("img").get_attribute("src").startswith("data:image/jpeg")
        cards.first.click()
        if name == "Paste":
            page.wait_for_selector("#paste-viewer .gv[data-state=done][data-count='2']")
            assert page.locator("#paste-picture img").count() == 1
        if name == "Batch":
            page.wait_for_selector("#batch-progress .gv-progress[data-state=done]")
            assert page.input_value("#batch-words textarea") == "cat ; tree ; car"
            assert "2 of 2 pictures · 4 objects" in page.inner_text("#batch-progress")
        if name == "Video":
            page.wait_for_selector("#video-progress .gv-progress[data-state=done]")
            assert page.input_value("#video-words textarea") == "dog"
            assert "4 of 4 frames" in page.inner_text("#video-progress")
        if name == "Compare":
            page.wait_for_selector("#compare-right .gv[data-state=done][data-count='2']")


def test_each_picture_of_a_batch_opens_in_the_viewer_with_its_downloads(
    visit: Callable[..., Page], tmp_path: Path
) -> None:
    page = visit()
    open_tab(page, "Batch", "#batch-run")
    page.locator("#batch-examples button").first.click()
    page.wait_for_selector("#batch-viewer .gv[data-state=done][data-count='2']")
    page.wait_for_selector("#batch-progress .gv-progress[data-state=done]")
    before = page.get_attribute("#batch-viewer .gv", "data-run")
    page.locator("#gallery button.thumbnail-item, #gallery .thumbnail-lg").nth(1).click()
    page.wait_for_selector(f"#batch-viewer .gv:not([data-run='{before}'])")
    page.locator("#batch-viewer .rows tbody tr").first.hover()
    page.wait_for_selector("#batch-viewer tr.hovered")
    page.click("#batch-take-home .files summary")
    with page.expect_download() as download:
        page.click("#batch-take-home [data-kind=coco]")
    assert download.value.suggested_filename == "sand.coco.json"
    page.click("#batch-take-home .code summary")
    page.locator("#batch-take-home pre", has_text="cat ; tree ; car").wait_for()
    page.fill("#batch-words textarea", "dog")
    page.wait_for_selector("#batch-viewer .gv.stale")


@pytest.mark.slow
def test_each_side_of_a_comparison_is_taken_home(visit: Callable[..., Page]) -> None:
    page = visit()
    open_tab(page, "Compare", "#compare-run")
    page.locator("#compare-examples button:visible").first.click()
    page.wait_for_selector("#compare-right .gv[data-state=done]")
    for side in ("left", "right"):
        page.click(f"#compare-take-home-{side} .files summary")
        with page.expect_download() as download:
            page.click(f"#compare-take-home-{side} [data-kind=overlay]")
        assert download.value.suggested_filename == "sky.overlay.png"


def test_a_text_without_a_box_leads_to_an_example(visit: Callable[..., Page]) -> None:
    page = visit()
    open_tab(page, "Paste", "#paste-run")
    page.fill("#paste-text textarea", "nothing that is a box")
    page.click("#paste-run")
    page.wait_for_selector("#paste-viewer .gv[data-state=empty]")
    page.locator("#paste-viewer [data-line=nothing_pasted] button").click()
    page.wait_for_selector("#paste-viewer .gv[data-state=done][data-count='2']")


def test_picture_and_words_go_along_from_tab_to_tab(
    visit: Callable[..., Page], picture_file: Path
) -> None:
    page = visit()
    page.set_input_files("#picture input[type=file]", picture_file)
    page.wait_for_selector("#picture img")
    page.locator("#task label", has_text="Detect").click()
    page.fill("#words textarea", "horse")
    go_to_tab(page, "Video")
    page.wait_for_function("document.querySelector('#video-words textarea').value == 'horse'")
    go_to_tab(page, "Compare")
    page.wait_for_selector(f"#compare-picture img[src$='{picture_file.name}']")
    assert page.input_value("#compare-words-right textarea") == "horse"
    page.fill("#compare-words-left textarea", "my own")
    go_to_tab(page, "Image")
    page.fill("#words textarea", "goat")
    go_to_tab(page, "Batch")
    page.wait_for_function("document.querySelector('#batch-words textarea').value == 'goat'")
    go_to_tab(page, "Compare")
    page.wait_for_timeout(500)
    assert page.input_value("#compare-words-left textarea") == "my own"


def test_a_file_that_is_no_picture_is_a_sentence_and_no_broken_mark(
    visit: Callable[..., Page], tmp_path: Path
) -> None:
    (tmp_path / "paper.jpg").write_bytes(b"%PDF-1.4")
    Image.new("RGB", (64, 48), "teal").save(tmp_path / "scan.tif")
    page = visit()
    page.set_input_files("#picture input[type=file]", tmp_path / "paper.jpg")
    page.locator("#picture-note", has_text="paper.jpg is not a picture").wait_for()
    page.wait_for_selector("#picture img", state="detached")
    page.set_input_files("#picture input[type=file]", tmp_path / "scan.tif")
    page.locator("#picture-note", has_text="scan.tif: browsers show no picture").wait_for()
    assert page.eval_on_selector("#picture img", "node => node.style.visibility") == "hidden"
    page.locator("#task label", has_text="Segment").click()
    page.fill("#words textarea", "cat ; dog")
    page.click("#run")
    page.wait_for_selector("#viewer .gv[data-state=done][data-count='2']")


def test_slips_of_the_pen_are_marked_in_sentences_alone(visit: Callable[..., Page]) -> None:
    page = visit()
    marked = "node => node.getAttribute('spellcheck')"
    assert page.eval_on_selector("#words textarea", marked) == "false"
    page.locator("#task label", has_text="Ask").click()
    page.wait_for_selector("#words textarea[placeholder='how many dogs are there?']")
    assert page.eval_on_selector("#words textarea", marked) == "true"
    open_tab(page, "Paste", "#paste-run")
    assert page.eval_on_selector("#paste-text textarea", marked) == "false"
    open_tab(page, "Chat", "#chat-message textarea")
    assert page.eval_on_selector("#chat-message textarea", marked) == "true"


def test_a_batch_fills_a_gallery_and_a_zip(
    visit: Callable[..., Page], picture_file: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_text("hello")
    packed = tmp_path / "more.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(picture_file, "deep/picture.png")
        archive.writestr("notes.txt", "not a picture")
    page = visit()
    open_tab(page, "Batch", "#batch-run")
    give_batch(page, [picture_file, broken, packed])
    page.fill("#batch-words textarea", "cat ; dog")
    page.click("#batch-run")
    page.wait_for_selector("#batch-progress .gv-progress[data-state=done]")
    facts = page.inner_text("#batch-progress .gv-progress .facts")
    assert "3 of 3 pictures · 4 objects · 1 failed" in facts
    assert "broken.png" in page.inner_text("#batch-progress .gv-progress li")
    assert page.locator("#gallery img").count() >= 2
    last = page.locator("#gallery .gallery-item").last.bounding_box()
    frame = page.locator("#gallery").bounding_box()
    assert last and frame  # no higher than its pictures
    assert frame["y"] + frame["height"] - (last["y"] + last["height"]) < 30
    with page.expect_download() as download:
        page.click("#batch-download")
    download.value.save_as(tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        names = archive.namelist()
        coco = json.loads(archive.read("annotations.json"))
    assert {"picture.overlay.png", "more_deep_picture.overlay.png", "answers.jsonl"} <= set(names)
    called = [image["file_name"] for image in coco["images"]]
    assert called == ["picture.png", "more/deep/picture.png"] and len(coco["annotations"]) == 4
    is_enabled(page, "batch-run")


def test_a_batch_stops_and_keeps_what_is_done(
    visit: Callable[..., Page], picture_file: Path, served: Served
) -> None:
    page = visit()
    open_tab(page, "Batch", "#batch-run")
    give_batch(page, [picture_file])
    page.fill("#batch-words textarea", "long")
    before = served.engine()["cancelled"]
    page.click("#batch-run")
    page.wait_for_selector("#batch-progress .gv-progress[data-state=running]")
    page.wait_for_timeout(300)
    page.click("#batch-stop")
    page.wait_for_selector("#batch-progress .gv-progress[data-state=stopped]")
    assert served.engine()["cancelled"] == before + 1
    is_enabled(page, "batch-run")


def test_two_sides_are_compared(visit: Callable[..., Page]) -> None:
    page = visit()
    open_tab(page, "Compare", "#compare-run")
    page.wait_for_selector("#compare-picture img")
    page.fill("#compare-words-left textarea", "cat ; dog")
    page.fill("#compare-words-right textarea", "cat ; dog")
    page.click("#compare-run")
    for side in ("left", "right"):
        page.wait_for_selector(f"#compare-{side} .gv[data-state=done][data-count='2']")
    assert page.inner_text(".gv-differences") == "Both said the very same"
    is_enabled(page, "compare-run")


def test_a_conversation_is_held_and_words_stay_words(
    visit: Callable[..., Page], picture_file: Path
) -> None:
    page = visit()
    open_tab(page, "Chat", "#chat-message textarea")
    page.set_input_files("#chat-message input[type=file]", [picture_file])
    page.wait_for_selector("#chat-message .thumbnail-item img, #chat-message img")
    page.fill("#chat-message textarea", EVIL)
    page.keyboard.press("Enter")
    page.locator(".gv-talk .assistant", has_text="two animals on a lawn").wait_for()
    assert page.locator(".gv-talk li.user:not(.picture)").inner_text() == EVIL
    assert page.locator(".gv-talk img").count() == 1
    assert page.evaluate("window.stolen") is None
    page.locator("#chat-anew").click()
    page.wait_for_selector(".gv-talk[data-state=empty]")
