"""The page without a mouse: everything is reached, and where one is can be seen."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import browsing
import pytest
from browsing import tab_names, viewer, wait_for_things
from PIL import Image, ImageChops
from playwright.sync_api import Page

browser, served, visit = browsing.browser, browsing.served, browsing.visit  # the fixtures
pytestmark = pytest.mark.browser

MOST = 120  # stops of a page; more would be a trap

# Where the keyboard is: null on the page itself. `ring` is the width of the outline that shows it,
# drawn by the element or, for radios hidden in pills, by what stands around it.
WHERE = """() => {
  const here = document.activeElement;
  if (!here || here === document.body) return null;
  const around = [here, here.parentElement, here.parentElement.parentElement];
  const rings = around.map((node) => {
    const style = getComputedStyle(node), frame = node.getBoundingClientRect();
    const is_there = style.outlineStyle !== 'none' && frame.width > 3 && frame.height > 3;
    return is_there && style.visibility === 'visible' ? parseFloat(style.outlineWidth) : 0;
  });
  const name = here.getAttribute('aria-label') || here.innerText || here.placeholder || here.value;
  return {
    tag: here.tagName, name: (name || '').trim(), ring: Math.max(...rings),
    id: here.closest('[id]:not([id=""])')?.id ?? '',
    in: around.map((node) => node.className).join(' '),
  };
}"""


def stops(page: Page) -> Iterator[dict[str, Any]]:
    """Every stop of the Tab key, until it leaves the page or comes round."""
    for _ in range(MOST):
        page.keyboard.press("Tab")
        here = page.evaluate(WHERE)
        if here is None:
            return
        yield here
    raise AssertionError(f"no end after {MOST} stops")


def walk_to(page: Page, is_it: Callable[[dict[str, Any]], bool], key: str = "Tab") -> None:
    """Press Tab until that is reached."""
    for _ in range(MOST):
        page.keyboard.press(key)
        here = page.evaluate(WHERE)
        if here is not None and is_it(here):
            return
    raise AssertionError("it is not reached")


def in_part(name: str) -> Callable[[dict[str, Any]], bool]:
    """Inside the component of that id."""
    return lambda here: here["id"] == name


def test_a_wish_is_made_with_keys_alone(visit: Callable[..., Page]) -> None:
    page = visit()
    walk_to(page, lambda here: here["tag"] == "BUTTON" and here["name"].startswith("Segment"))
    page.keyboard.press("Enter")
    page.wait_for_selector("#picture img")
    browsing.wait_for_run(page, "")
    before = browsing.newest_run(page)
    walk_to(page, in_part("words"), "Shift+Tab")
    walk_to(page, in_part("task"), "Shift+Tab")
    page.keyboard.press("ArrowLeft")
    page.locator("#task label.selected input[value=detect]").wait_for(state="attached")
    walk_to(page, in_part("words"))
    page.keyboard.press("Control+a")
    page.keyboard.type("dog")
    walk_to(page, in_part("run"))
    page.keyboard.press("Space")
    browsing.wait_for_run(page, before)
    walk_to(page, lambda here: here["tag"] == "CANVAS")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.locator(".rows tr.selected").inner_text().split()[0] == "2"
    assert page.inner_text(".heard").split()[:2] == ["2", "dog"]
    walk_to(page, lambda here: "number" in here["in"].split())
    page.keyboard.press("Enter")
    assert page.locator(".rows tr.selected").inner_text().split()[0] == "1"
    walk_to(page, lambda here: here["tag"] == "SUMMARY" and "tokens" in here["in"].split())
    page.keyboard.press("Enter")
    page.locator("#viewer .tokens pre").wait_for()


def test_enter_runs_and_stop_is_reached_while_it_runs(visit: Callable[..., Page]) -> None:
    page = visit()
    browsing.take_example(page)
    browsing.give_room(page)
    page.locator("#words textarea").fill("long")
    page.locator("#words textarea").focus()
    page.keyboard.press("Enter")
    wait_for_things(page, 1)
    walk_to(page, in_part("stop"))
    page.keyboard.press("Enter")
    viewer(page, "stopped").wait_for()


def test_every_tab_is_opened_and_walked_through_and_each_stop_is_seen(
    visit: Callable[..., Page],
) -> None:
    page = visit()
    for name in tab_names(page):
        page.get_by_role("tab", name=name, exact=True).focus()
        page.keyboard.press("Enter")
        page.locator("[role=tab][aria-selected=true]", has_text=name).wait_for()
        found = list(stops(page))
        assert [stop for stop in found if stop["ring"] < 2 or not stop["name"]] == [], name
        assert any(stop["id"] for stop in found), f"nothing of {name} is reached"


def test_a_group_of_radios_is_one_stop_with_a_name(visit: Callable[..., Page]) -> None:
    page = visit()
    page.locator("[role=tab]").first.focus()
    assert [stop["id"] for stop in stops(page)].count("task") == 1
    assert page.get_by_role("group", name="Task").get_by_role("radio").count() == 7


def test_the_result_is_walked_through_and_each_stop_is_seen(visit: Callable[..., Page]) -> None:
    page = visit()
    browsing.take_example(page)
    browsing.run(page)
    page.click("#viewer .tokens summary")
    page.locator("[role=tab]").first.focus()
    found = list(stops(page))
    assert [stop for stop in found if stop["ring"] < 2 or not stop["name"]] == []
    names = [stop["name"] for stop in found]
    for name in ("The picture with cat, dog", "Zoom in", "Save PNG", "Boxes", "1", "2", "Copy"):
        assert name in names


def look(page: Page) -> Image.Image:
    return Image.open(io.BytesIO(page.screenshot())).convert("L")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("part", ["#words textarea", "#run", "#task label:has(:checked) input"])
def test_the_ring_is_there_in_pixels(visit: Callable[..., Page], part: str, scheme: str) -> None:
    page = visit(color_scheme=scheme)
    page.add_style_tag(content="* { transition: none !important; caret-color: transparent; }")
    page.locator(part).focus()
    page.keyboard.press("Shift")  # from now on the keyboard leads
    before = look(page)
    page.evaluate("document.activeElement.blur()")
    changed = ImageChops.difference(before, look(page)).point(lambda level: 255 * (level > 40))
    assert changed.histogram()[255] > 200
