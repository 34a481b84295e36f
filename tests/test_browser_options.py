"""What the checkpoint was taught decides what the Image tab offers: crops, styles, prompts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import browsing
import pytest
from browsing import PHONE, run, take_example, viewer
from PIL import Image
from playwright.sync_api import Page
from served import Served
from served import served as start

browser, visit = browsing.browser, browsing.visit  # the fixtures
pytestmark = pytest.mark.browser

gemma3 = pytest.mark.parametrize("served", ["gemma3"], indirect=True)
paligemma = pytest.mark.parametrize("served", ["paligemma"], indirect=True)


@pytest.fixture(scope="module")
def served(request: pytest.FixtureRequest) -> Served:
    return start(request.param)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A picture that is cropped and one that is not."""
    paths = {name: tmp_path / f"{name}.png" for name in ("long", "square")}
    colors = ("#cc3333", "#33cc33", "#3333cc")
    image = Image.new("RGB", (900, 300))
    for index, color in enumerate(colors):
        image.paste(color, (index * 300, 0, (index + 1) * 300, 300))
    image.save(paths["long"])
    Image.new("RGB", (400, 400), "#77aadd").save(paths["square"])
    return paths


def take(page: Page, path: Path) -> None:
    page.set_input_files("#picture input[type=file]", path)
    page.wait_for_selector("#picture img")


def colors(page: Page) -> list[list[int]]:
    """The colour in the middle of every small picture."""
    return page.evaluate(
        """[...document.querySelectorAll('#seen canvas')].map((canvas) => {
          const brush = canvas.getContext('2d');
          const at = brush.getImageData(canvas.width / 2 + 4, canvas.height * 0.7, 1, 1);
          return [...at.data].slice(0, 3);
        })"""
    )


@gemma3
@pytest.mark.parametrize("screen", [{}, {"viewport": PHONE, "is_mobile": True}], ids=["", "phone"])
def test_the_crops_that_were_looked_at_are_shown(
    visit: Callable[..., Page], files: dict[str, Path], screen: dict[str, object]
) -> None:
    page = visit(**screen)
    take(page, files["long"])
    page.locator("#crops input").check()
    run(page)
    page.locator("#seen canvas").nth(3).wait_for()
    assert "3 crops" in page.inner_text("#seen p")
    whole, *crops = colors(page)
    assert len(crops) == 3
    for color, (high, *_) in zip(crops, ((0,), (1,), (2,)), strict=True):
        assert color[high] == max(color) > 150 and sorted(color)[1] < 90
    assert whole[1] == max(whole)
    told = page.locator("#seen figcaption").all_inner_texts()[1:]
    assert [text.split() for text in told] == [[str(n), "300", "\u00d7", "300"] for n in (1, 2, 3)]
    width = "document.documentElement.scrollWidth <= innerWidth"
    assert page.evaluate(width)
    page.locator("#crops input").uncheck()
    run(page)
    page.locator("#seen section").wait_for(state="hidden")


@gemma3
def test_a_picture_without_crops_is_said_to_have_none(
    visit: Callable[..., Page], files: dict[str, Path]
) -> None:
    page = visit()
    take(page, files["square"])
    page.locator("#crops input").check()
    run(page)
    page.locator("#seen p", has_text="No crops").wait_for()
    assert page.locator("#seen canvas").count() == 0


@paligemma
def test_a_checkpoint_without_pan_and_scan_does_not_offer_it(visit: Callable[..., Page]) -> None:
    page = visit()
    assert page.locator("#crops").count() == 0


@paligemma
def test_a_caption_is_asked_for_in_its_style(visit: Callable[..., Page], served: Served) -> None:
    page = visit()
    take_example(page)
    page.locator("#task input[value=caption]").check()
    page.locator("#style input[value=caption]:checked").wait_for()
    page.locator("#style label", has_text="a few words (pt only)").click()
    run(page)
    assert served.engine()["prompts"][-1][0] == "cap en"
    page.locator("#task input[value=ask]").check()
    page.locator("#style").wait_for(state="hidden")
    page.locator("#task input[value=caption]").check()
    page.locator("#style input[value=cap]:checked").wait_for()  # what was chosen stays


@paligemma
def test_a_part_of_the_picture_is_asked_for_in_the_settings(
    visit: Callable[..., Page], served: Served
) -> None:
    page = visit()
    take_example(page, 1)
    page.get_by_role("button", name="Settings").first.click()
    page.fill("#region input, #region textarea", "0, 0, 0.5, 1")
    run(page)
    assert served.engine()["prompts"][-1][0] == "caption <loc0000><loc0000><loc1023><loc0512>"
    page.fill("#region input, #region textarea", "the left half")
    run(page, state="error")
    assert "four numbers" in page.inner_text("#viewer .notes")


@paligemma
def test_a_prompt_of_paligemmas_language_is_picked_and_marked(
    visit: Callable[..., Page], served: Served
) -> None:
    page = visit()
    take_example(page)
    page.locator("#task input[value=free]").check()
    page.locator("#prompts input").click()
    options = page.locator("[role=option]")
    options.first.wait_for()
    told = options.all_inner_texts()
    marked = [text.split(":")[0].strip("✓ \n") for text in told if "(pt only)" in text]
    assert (len(told), marked) == (8, ["cap", "question"])
    page.get_by_role("option", name="question: a question with this answer").click()
    page.wait_for_function(
        "document.querySelector('#words textarea').value === 'question en two cats'"
    )
    run(page)
    assert served.engine()["prompts"][-1][0] == "question en two cats"
    assert viewer(page).get_attribute("data-state") == "done"
