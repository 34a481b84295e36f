"""Whoever brings a photograph is never left alone: each answer is one, or says why and leads on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import browsing
import numpy as np
import pytest
from browsing import newest_run
from PIL import Image, ImageDraw, ImageFilter
from playwright.sync_api import Page
from served import Served, embedded

browser, visit = browsing.browser, browsing.visit  # the fixtures
pytestmark = pytest.mark.browser

OVER = ":is([data-state=done], [data-state=empty], [data-state=error])"
WISHES = {
    "absent name": ("Detect", "umbrella"),
    "blank answer": ("Ask", "What is the weather like on the left?"),
    "wrong word": ("Segment", "zebraa ; buterflyy"),
    "capital letters": ("Detect", "CAT"),
    "Japanese": ("Detect", "\u732b\u3001\u72ac"),
}


@pytest.fixture(scope="module")
def served() -> Served:
    return embedded("--model-choice", "any")


def photographs(folder: Path) -> list[Path]:
    """Things like photographs: landscapes, faces of light, grain, writing, and odd formats."""
    rng, paths = np.random.default_rng(7), []
    for number in range(6):
        soft = Image.fromarray(rng.integers(30, 226, (5 + number, 7, 3), dtype=np.uint8))
        image = soft.resize((480, 360), Image.Resampling.BICUBIC)
        draw = ImageDraw.Draw(image)
        for _ in range(4 * number):
            x, y = (int(at) for at in rng.integers(0, 320, 2))
            color = tuple(int(part) for part in rng.integers(0, 256, 3))
            draw.ellipse((x, y, x + 60, y + 40), fill=color)
        image = image.filter(ImageFilter.GaussianBlur(number / 2))
        grain = np.asarray(image, np.float64) + rng.normal(0, 9, (360, 480, 3))
        photo = Image.fromarray(np.clip(grain, 0, 255).astype(np.uint8))
        paths.append(folder / f"photo_{number}.jpg")
        mode = "CMYK" if number == 4 else "L" if number == 5 else "RGB"
        photo.convert(mode).save(paths[-1])
    return paths


def end_of(page: Page, task: str, words: str) -> str:
    """Ask, and wait for the end: the state that the viewer is in."""
    page.locator("#task label", has_text=task).click()
    page.wait_for_selector("#words textarea:visible")
    page.fill("#words textarea", words)
    before = newest_run(page)
    page.click("#run")
    return end_after(page, before)


def end_after(page: Page, before: str) -> str:
    """The state that the run after that one has come to."""
    page.wait_for_selector(f"#viewer .gv{OVER}:not([data-run='{before}'])")
    return page.get_attribute("#viewer .gv", "data-state") or ""


@pytest.mark.parametrize(
    "numbers", [(0, 4, 5), pytest.param((1, 2, 3), marks=pytest.mark.slow)], ids=str
)
def test_each_wish_ends_in_an_answer_or_a_sentence_and_a_way_on(
    visit: Callable[..., Page], tmp_path: Path, numbers: tuple[int, ...]
) -> None:
    page, alone = visit(), []
    paths = photographs(tmp_path)
    for path in [paths[number] for number in numbers]:
        page.set_input_files("#picture input[type=file]", path)
        page.wait_for_selector(f"#picture img[src$='{path.name}']")
        for name, (task, words) in WISHES.items():
            state = end_of(page, task, words)
            has_things = page.get_attribute("#viewer .gv", "data-count") != "0"
            words_said = page.inner_text("#viewer .said p").strip()
            has_words = bool(words_said) and not words_said.startswith("nothing")
            said = [one for one in page.locator(".guidance span").all_inner_texts() if one]
            ways = page.locator(".guidance :is(.chip, .act)").count()
            if state == "done" and not (has_things or has_words):
                alone.append((path.name, name, "done over nothing"))
            if state != "done" and not (said and ways):
                alone.append((path.name, name, state))
        page.locator("#picture button[aria-label='Clear'], #picture .icon-button").last.click()
        page.wait_for_selector("#picture img", state="detached")
    assert alone == []


def test_the_way_on_works(visit: Callable[..., Page], tmp_path: Path) -> None:
    page = visit()
    page.set_input_files("#picture input[type=file]", photographs(tmp_path)[0])
    page.wait_for_selector("#picture img")
    for task, words in WISHES.values():
        if end_of(page, task, words) != "done":
            before, chip = newest_run(page), page.locator(".guidance .chip").first
            asked = chip.inner_text()
            chip.click()
            assert end_after(page, before) in ("done", "empty")
            assert asked in page.input_value("#words textarea")
