"""The OpenAPI document is valid for the version that it names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from served import Served
from served import served as start

from gemma_vision.web.server.openapi_document import FILE, valid_document


@pytest.fixture(scope="module")
def served() -> Served:
    return start()


@pytest.mark.parametrize(
    "part, valid",
    [
        pytest.param({"type": "number"}, {"type": "number"}, id="no null"),
        pytest.param(
            {"oneOf": [{"type": "null"}, {"type": "number"}], "default": None},
            {"type": "number", "nullable": True, "default": None},
            id="a number or null",
        ),
        pytest.param(
            {"oneOf": [{"type": "string"}, {"type": "null"}, {"type": "number"}]},
            {"oneOf": [{"type": "string"}, {"type": "number"}], "nullable": True},
            id="two kinds or null",
        ),
        pytest.param({"a": [{"oneOf": [{"type": "null"}]}]}, None, id="deep inside"),
    ],
)
def test_null_is_said_as_the_version_says_it(part: Any, valid: Any) -> None:
    made = valid_document(part)
    assert '"null"' not in json.dumps(made)
    assert valid is None or made == valid


def test_the_app_says_no_null_type_and_calls_a_picture_an_object(served: Served) -> None:
    answer = httpx.get(f"{served.url}gradio_api/openapi.json")
    document = answer.json()
    assert document["openapi"].startswith("3.0")
    for part in parts(document):
        assert part.get("type") not in ("null", []) and "const" not in part
    body = document["paths"]["/gradio_api/call/v2/detect"]["post"]["requestBody"]
    taken = body["content"]["application/json"]["schema"]["properties"]
    assert taken["image"]["properties"] == FILE["properties"]
    assert taken["max_overlap"] == {"type": "number", "nullable": True}


def parts(document: Any) -> Iterator[dict[str, Any]]:
    if isinstance(document, dict):
        yield document
        for value in document.values():
            yield from parts(value)
    elif isinstance(document, list):
        for value in document:
            yield from parts(value)
