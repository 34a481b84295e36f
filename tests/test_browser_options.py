"""What the checkpoint was taught decides what the tabs offer: crops, styles, prompts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import browsing
import pytest
from axe import findings
from browsing import PHONE, go_to_tab, run, tab_names, take_example, viewer
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


BOXES = {  # tab, what has to be there before one looks, boxes for crops
    "Batch": ("#batch-run", ["batch-crops"]),
    "Compare": ("#compare-run", ["compare-crops-left", "compare-crops-right"]),
    "Chat": ("#chat-message textarea", ["chat-crops"]),
}


def boxes_for_crops(page: Page) -> list[str]:
    """Those that can be seen now."""
    there = page.locator("[id$=crops]:visible, [id^=compare-crops]:visible")
    return [str(one.get_attribute("id")) for one in there.all()]


@gemma3
@pytest.mark.parametrize("screen", [{}, {"viewport": PHONE, "is_mobile": True}], ids=["", "phone"])
def test_every_tab_that_asks_about_pictures_offers_crops(
    visit: Callable[..., Page], screen: dict[str, object]
) -> None:
    page = visit(**screen)
    assert boxes_for_crops(page) == ["crops"]
    for name, (ready, boxes) in BOXES.items():
        go_to_tab(page, name)
        page.wait_for_selector(ready)
        if name == "Chat":
            open_settings(page)
        page.locator(f"#{boxes[0]}:visible").wait_for()
        assert boxes_for_crops(page) == boxes
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert findings(page) == []


@paligemma
def test_no_tab_offers_crops_where_the_checkpoint_has_none(visit: Callable[..., Page]) -> None:
    page = visit()
    for name in set(tab_names(page)) & set(BOXES):
        go_to_tab(page, name)
        page.wait_for_selector(f"{BOXES[name][0]}:visible")
        assert boxes_for_crops(page) == []


def open_settings(page: Page) -> None:
    page.locator("button.label-wrap:visible", has_text="Settings").click()


@gemma3
def test_a_conversation_keeps_its_crops_until_a_new_one_begins(
    visit: Callable[..., Page], files: dict[str, Path]
) -> None:
    page = visit()
    go_to_tab(page, "Chat")
    page.set_input_files("#chat-message input[type=file]", files["long"])
    page.wait_for_selector("#chat-message .thumbnail-item img, #chat-message img")
    open_settings(page)
    page.locator("#chat-crops input").check()
    page.fill("#chat-message textarea", "what is it?")
    page.keyboard.press("Enter")
    page.locator(".gv-talk .assistant", has_text="two animals on a lawn").wait_for()
    page.wait_for_selector("#chat-crops input:disabled:checked")
    page.locator("#chat-stop[disabled]").wait_for()
    page.fill("#chat-message textarea", "and where?")
    page.keyboard.press("Enter")
    page.locator(".gv-talk .assistant").nth(1).wait_for()
    page.locator("#chat-stop[disabled]").wait_for()
    assert page.is_checked("#chat-crops input") and page.is_disabled("#chat-crops input")
    page.click("#chat-anew")
    page.wait_for_selector("#chat-crops input:enabled:checked")
    assert "Pan and scan" in page.inner_text("#chat-crops")


@gemma3
def test_a_box_in_a_closed_drawer_keeps_its_words(
    visit: Callable[..., Page], files: dict[str, Path]
) -> None:
    page = visit()
    go_to_tab(page, "Chat")
    page.set_input_files("#chat-message input[type=file]", files["long"])
    page.wait_for_selector("#chat-message .thumbnail-item img, #chat-message img")
    page.fill("#chat-message textarea", "what is it?")
    page.keyboard.press("Enter")
    page.locator(".gv-talk .assistant", has_text="two animals on a lawn").wait_for()
    page.locator("#chat-stop[disabled]").wait_for()
    open_settings(page)
    page.wait_for_selector("#chat-crops input:disabled:not(:checked)")
    assert "Pan and scan" in page.inner_text("#chat-crops")


@pytest.mark.parametrize("served", ["gemma4e"], indirect=True)
def test_a_thought_is_folded_and_a_budget_chosen(
    visit: Callable[..., Page], files: dict[str, Path], served: Served
) -> None:
    page = visit()
    take(page, files["square"])
    page.locator("#task label", has_text="Detect").click()
    page.locator("button.label-wrap", has_text="Settings").first.click()
    page.locator("#budget input").click()
    page.get_by_role("option", name="70", exact=True).click()
    page.fill("#thinking input[type=number]", "64")
    page.press("#thinking input[type=number]", "Tab")
    run(page, "ponder")
    assert viewer(page).get_attribute("data-count") == "1"
    thought = page.locator("#viewer .thought")
    assert thought.get_attribute("open") is None and not thought.locator("p").is_visible()
    thought.locator("summary").click()
    assert "Perhaps" in thought.locator("p").inner_text()
    assert "<b>no</b>" in thought.locator("p").inner_text(), "as it was said, and not as HTML"
    assert served.engine()["chosen"][-1] == [70, 64]
