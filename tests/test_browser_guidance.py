"""The first visitor: an example in one click, a photograph of nothing known, and the way on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import browsing
import numpy as np
import pytest
from browsing import is_enabled, newest_run, run, take_example, viewer, wait_for_run
from PIL import Image
from playwright.sync_api import Page
from served import LISTING, Served, embedded
from served import served as start

browser, visit = browsing.browser, browsing.visit  # the fixtures
pytestmark = pytest.mark.browser

CHIPS = "#viewer .guidance .chip"


@pytest.fixture(scope="module")
def served() -> Served:
    return embedded("--model-choice", "any")


@pytest.fixture(scope="module")
def photograph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Soft patches of colour, with the noise of a camera: nothing that anybody would name."""
    rng = np.random.default_rng(0)
    patches = Image.fromarray(rng.integers(60, 200, (12, 16, 3), dtype=np.uint8))
    soft = np.asarray(patches.resize((640, 480), Image.Resampling.BICUBIC), np.float64)
    path = tmp_path_factory.mktemp("photograph") / "photo.jpg"
    noisy = np.clip(soft + rng.normal(0, 8, soft.shape), 0, 255).astype(np.uint8)
    Image.fromarray(noisy).save(path)
    return path


def give(page: Page, photograph: Path) -> None:
    page.set_input_files("#picture input[type=file]", photograph)
    page.wait_for_selector("#picture img")


def lines(page: Page) -> list[str]:
    return [str(one.get_attribute("data-line")) for one in page.locator(".guidance p").all()]


def test_an_example_is_drawn_by_one_click(visit: Callable[..., Page]) -> None:
    page = visit()
    page.locator("#examples button").first.click()
    page.wait_for_selector("#viewer .gv[data-state=done][data-count='2']:not(.stale)")
    assert page.input_value("#words textarea") == "cat ; dog"
    is_enabled(page, "run")


def test_a_photograph_with_nothing_known_leads_on(
    visit: Callable[..., Page], photograph: Path
) -> None:
    page = visit()
    give(page, photograph)
    run(page, "cat", "empty")
    assert lines(page) == ["nothing_demo", "knows"]
    assert "only drawings and 3D models" in page.inner_text(".guidance")
    assert page.inner_text("#viewer .facts").startswith("Nothing found")
    assert page.inner_text("#viewer .facts").endswith("Demo model")
    before = newest_run(page)
    page.locator(CHIPS, has_text="dog").click()
    wait_for_run(page, before, "empty")
    assert page.input_value("#words textarea") == "dog"
    page.get_by_role("button", name="Choose another model").click()
    page.wait_for_selector("#header li.loaded")


def test_a_slip_of_the_pen_is_asked_back(visit: Callable[..., Page]) -> None:
    page = visit()
    take_example(page)
    run(page, "buterflyy ; zebraa", "empty")
    assert "unknown" in lines(page)
    before = newest_run(page)
    page.locator(f"{CHIPS}:visible", has_text="cat").first.click()
    wait_for_run(page, before)
    assert viewer(page).get_attribute("data-count") == "1"
    run(page, "kitten")
    assert lines(page) == ["read_as"]


def test_an_untaught_question_brings_some_that_it_was_taught(visit: Callable[..., Page]) -> None:
    page = visit()
    take_example(page)
    page.locator("#task label", has_text="Ask").click()
    page.wait_for_selector("#words textarea[placeholder='how many dogs are there?']")
    run(page, "What is on the left?")  # which it guesses
    assert lines(page) == ["untaught_ask"]
    before = newest_run(page)
    page.locator(CHIPS).first.click()
    wait_for_run(page, before)
    assert page.inner_text(".said p") == "1"


def test_a_result_from_before_says_so_until_the_form_asks_it_again(
    visit: Callable[..., Page], photograph: Path
) -> None:
    page = visit()
    take_example(page)
    assert page.locator(".gv.stale").count() == 0
    page.fill("#words textarea", "cat")
    page.wait_for_selector(".gv.stale")
    assert page.inner_text("#viewer .facts").startswith("From before")
    page.fill("#words textarea", "cat ; dog")
    page.wait_for_selector("#viewer .gv:not(.stale)")
    page.locator("#task label", has_text="Detect").click()
    page.wait_for_selector(".gv.stale")
    run(page)
    page.wait_for_selector("#viewer .gv:not(.stale)")
    give(page, photograph)
    page.wait_for_selector(".gv.stale")


def test_fields_on_a_telephone_keep_what_is_typed_and_do_not_zoom(
    visit: Callable[..., Page],
) -> None:
    page = visit(viewport=browsing.PHONE, has_touch=True, is_mobile=True)
    words = page.locator("#words textarea")
    given = {name: words.get_attribute(name) for name in ("autocapitalize", "enterkeyhint")}
    assert given == {"autocapitalize": "none", "enterkeyhint": "go"}
    assert words.evaluate("node => getComputedStyle(node).fontSize") == "16px"


@pytest.mark.slow
def test_the_way_on_is_told_in_japanese(visit: Callable[..., Page], photograph: Path) -> None:
    page = visit(locale="ja-JP")
    give(page, photograph)
    run(page, "cat", "empty")
    assert "見つかりませんでした" in page.inner_text(".guidance")
    assert "デモモデル" in page.inner_text("#header .model")


class TestFixedChoice:
    """Where visitors may not choose: the way to photographs is to run the app oneself."""

    @pytest.fixture
    def served(self) -> Served:
        return embedded("--model-choice", "fixed")

    def test_a_link_leads_on_where_no_other_model_can_be_chosen(
        self, visit: Callable[..., Page], photograph: Path
    ) -> None:
        page = visit()
        link = page.locator("#header a.photos")
        assert "Run this app yourself" in link.inner_text()
        assert page.locator("#header .model").is_disabled()
        give(page, photograph)
        run(page, "cat", "empty")
        assert page.get_by_role("button", name="Choose another model").count() == 0
        way = page.locator(".guidance a.act")
        assert way.inner_text() == link.inner_text()
        assert way.get_attribute("href") == link.get_attribute("href")
        assert page.locator(CHIPS).count() == 32  # of sixty-six, as many as are shown


class TestLeftOut:
    """What a checkpoint that lists its names finds besides what was asked for."""

    @pytest.fixture
    def served(self) -> Served:
        return start(LISTING)

    def test_a_blank_answer_brings_questions_that_have_one(
        self, visit: Callable[..., Page]
    ) -> None:
        page = visit()
        take_example(page)
        page.locator("#task label", has_text="Ask").click()
        run(page, "how blank is it?", "empty")
        assert page.locator(CHIPS).all_inner_texts()[0] == "how many cats are there?"
        before = newest_run(page)
        page.locator(CHIPS).first.click()
        wait_for_run(page, before)
        assert page.inner_text(".said p") == "two animals on a lawn"

    def test_what_was_left_out_comes_back_without_another_run(
        self, visit: Callable[..., Page], served: Served
    ) -> None:
        page = visit()
        take_example(page)
        run(page, "cat")
        assert viewer(page).get_attribute("data-count") == "1"
        asked = len(served.engine()["prompts"])
        assert "dog" in page.inner_text("[data-line=left_out]")
        page.locator("[data-line=left_out] button").click()
        page.wait_for_selector("#viewer .gv[data-count='2']")
        assert page.locator(".legend .unasked").all_inner_texts() == ["not asked for"]
        assert "dog (not asked for)" in page.inner_text(".rows tbody")
        assert page.locator("[data-line=left_out]").count() == 0
        assert len(served.engine()["prompts"]) == asked
