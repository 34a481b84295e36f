"""axe-core over a page: what it calls serious or critical, in each look."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import axe_playwright_python
from browsing import PHONE
from playwright.sync_api import Page

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
GRAVE = ("serious", "critical")
DESK = {"width": 1280, "height": 800}
LOOKS = [("light", DESK), ("dark", PHONE)]  # each colour scheme, and each width
OTHER_LOOKS = [("dark", DESK), ("light", PHONE)]

AT_ONCE = "*, ::before, ::after { transition: none !important; animation: none !important; }"
IS_DARK = "dark => document.body.classList.contains('dark') === dark"
FIND = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations
  .map(({id, impact, nodes}) => ({id, impact, nodes: nodes.map((n) => n.target + ' ' + n.html)}))"""


def findings(page: Page) -> list[str]:
    """The grave findings about the page as it stands: the rule, the place, its HTML."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE)
        page.add_style_tag(content=AT_ONCE)  # a colour half-way to another is nobody's colour
    found = [row for row in page.evaluate(FIND) if row["impact"] in GRAVE]
    return [f"{row['id']}: {node[:200]}" for row in found for node in row["nodes"]]


def in_every_look(page: Page, looks: Sequence[Any] = LOOKS) -> dict[str, list[str]]:
    """The findings by look, where there are any."""
    found = {}
    for scheme, size in looks:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        page.wait_for_function(IS_DARK, arg=scheme == "dark")
        if grave := findings(page):
            found[f"{scheme}, {size['width']} px"] = grave
    return found
