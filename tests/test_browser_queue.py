"""A visitor who waits: all that the model gives at once is given to others."""

from __future__ import annotations

from collections.abc import Callable

import browsing
import pytest
from browsing import give_room, is_enabled, run, take_example, viewer, wait_for_things
from playwright.sync_api import Page
from served import ALONE, Served
from served import served as start

browser, visit = browsing.browser, browsing.visit  # the fixtures
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def served() -> Served:
    return start(ALONE)


def test_stop_works_while_waiting_for_others(visit: Callable[..., Page], served: Served) -> None:
    first, second = visit(), visit()
    for page, words in ((first, "long"), (second, "patient")):
        take_example(page)
        give_room(page)
        page.fill("#words textarea", words)
    first.click("#run")
    wait_for_things(first, 1)
    second.click("#run")
    second.locator("#viewer .progress-text", has_text="queue").wait_for()
    second.click("#stop")
    is_enabled(second, "run")
    first.click("#stop")
    viewer(first, "stopped").wait_for()
    run(first, "cat")
    assert not any("patient" in prompt[0] for prompt in served.engine()["prompts"])
