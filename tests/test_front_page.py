"""The front page travels packed, and is the same page."""

from __future__ import annotations

import json
import re

import httpx
import pytest
from served import served

WITHOUT = {"Accept-Encoding": "identity"}
PACKED = {"Accept-Encoding": "gzip"}


def words_of(page: str) -> str:
    """The page without what differs from one call to the next."""
    return re.sub(r'"(app_id|page_id|session_hash)":\s*("[^"]*"|\d+)', "", page)


@pytest.mark.parametrize("path", ["", "config"])
def test_the_page_is_packed_for_those_who_unpack(path: str) -> None:
    plain = httpx.get(served().url + path, headers=WITHOUT)
    packed = httpx.get(served().url + path, headers=PACKED)
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 2
    assert words_of(packed.text) == words_of(plain.text)


def test_an_answer_that_grows_is_not_held_back() -> None:
    url = f"{served().url}gradio_api/call/models"
    asked = httpx.post(url, json={"data": []}, headers=PACKED)
    with httpx.stream("GET", f"{url}/{asked.json()['event_id']}", headers=PACKED) as events:
        assert "content-encoding" not in events.headers
        told = "".join(events.iter_text())
    (models,) = json.loads(told.split("data: ")[1].splitlines()[0])
    assert models["models"]


@pytest.mark.parametrize("coding, most", [("br", 160_000), ("gzip", 300_000)])
def test_the_page_stays_small(coding: str, most: int) -> None:
    """A quarter of a megabyte more would be felt on a phone's network."""
    page = httpx.get(served().url, headers={"accept-encoding": coding})
    assert page.headers["content-encoding"] == coding
    assert int(page.headers["content-length"]) < most
