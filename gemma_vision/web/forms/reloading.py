"""Reloading: picture, task and words stay where the page is loaded again.

A person does that, or Gradio does once a lost connection is back. The browser keeps the form's
values for as long as the page is open in it, and tells them when it comes back to the page; an
answer is not among them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from gemma_vision.requests.request import MAX_TEXT
from gemma_vision.web.forms.carrying import CarriedFields, path_of
from gemma_vision.web.jobs.events import Updates

# A page that is opened anew begins empty. Browsers that keep nothing for a page raise.
KEEP = """() => {{
  const place = "gv-form-{tab}";
  let [newest, kept] = [null, ""];
  for (const name of ["form", "asked"])
    document.addEventListener(`gv-${{name}}-{tab}`, ({{ detail }}) => {{ newest = detail; }});
  try {{
    const [visit] = performance.getEntriesByType("navigation");
    if (visit && visit.type !== "navigate") kept = sessionStorage.getItem(place) ?? "";
    sessionStorage.removeItem(place);
    addEventListener("pagehide", () => sessionStorage.setItem(place, newest ?? kept));
  }} catch {{}}
  return [kept];
}}"""


def keep_form(tab: str) -> str:
    """The script of a page that opens: gives what a tab's form held, and keeps it from then on."""
    return KEEP.format(tab=tab)


def restore(fields: CarriedFields, names: Sequence[str], kept: object) -> Updates:
    """What becomes of a tab's form; nothing where nothing was kept, or nothing of it is left.

    names: of the fields, in the order of their values in the JSON that was `kept`.
    """
    held = read_values(names, kept)
    updates: Updates = {}
    if isinstance(words := held.get("words"), str):
        updates |= fields.fill(held.get("task"), words[:MAX_TEXT])
    if fields.upload and (path := path_of(held.get("upload"))):
        updates[fields.upload] = path
    return updates


def read_values(names: Sequence[str], kept: object) -> dict[str, Any]:
    """Values by name from the JSON of a list; none where it is no such list."""
    try:
        values = json.loads(kept) if isinstance(kept, str) else None
    except (ValueError, RecursionError):
        return {}
    if not isinstance(values, list) or len(values) != len(names):
        return {}
    return dict(zip(names, values, strict=True))
