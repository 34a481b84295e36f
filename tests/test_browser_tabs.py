"""The other tabs: Paste, Batch, Compare and Chat, and the examples that they have."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import browsing
import pytest
from browsing import go_to_tab, is_enabled, open_tab
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
    page.set_input_files("#paste-picture input[type=file]", picture_file)
    page.wait_for_selector("#paste-picture img")
    page.click("#paste-run")
    page.locator("#paste-viewer .rows", has_text="0, 0, 320, 240").wait_for()
    page.fill("#paste-text textarea", "nothing that is a box")
    page.click("#paste-run")
    page.wait_for_selector("#paste-viewer .gv[data-count='0']")


def test_tabs_that_take_files_have_an_example(visit: Callable[..., Page]) -> None:
    page = visit()
    go_to_tab(page, "Paste")
    page.click("#paste-example")
    page.wait_for_selector("#paste-picture img")
    page.click("#paste-run")
    page.wait_for_selector("#paste-viewer .gv[data-state=done][data-count='2']")
    go_to_tab(page, "Batch")
    page.click("#batch-example")
    page.locator("#batch-files", has_text="sand").wait_for()
    assert page.input_value("#batch-words textarea") == "cat ; tree ; car"
    page.click("#batch-run")
    page.wait_for_selector("#batch-progress .gv-progress[data-state=done]")
    assert "2 of 2 pictures · 4 objects" in page.inner_text("#batch-progress")
    go_to_tab(page, "Video")
    page.click("#video-example")
    page.wait_for_selector("#video video")
    assert page.input_value("#video-words textarea") == "dog"
    page.click("#video-run")
    page.wait_for_selector("#video-progress .gv-progress[data-state=done]")
    assert "4 of 4 frames" in page.inner_text("#video-progress")


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
    page.set_input_files("#batch-files input[type=file]", [picture_file, broken, packed])
    page.locator("#batch-files", has_text="more").wait_for()
    page.fill("#batch-words textarea", "cat ; dog")
    page.click("#batch-run")
    page.wait_for_selector("#batch-progress .gv-progress[data-state=done]")
    assert "3 of 3 pictures · 4 objects" in page.inner_text("#batch-progress .gv-progress .facts")
    assert "broken.png" in page.inner_text("#batch-progress .gv-progress li")
    assert page.locator("#gallery img").count() >= 2
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
    page.set_input_files("#batch-files input[type=file]", [picture_file])
    page.locator("#batch-files", has_text="picture.png").wait_for()
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
