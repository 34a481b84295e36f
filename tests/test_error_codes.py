"""Refusals of what lies under the app: each has a code and a sentence, in the shape of its door."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from gemma_vision.web.server.guards.error_codes import ERROR_CODES


def answering(response: Response) -> object:
    async def end(request: Request) -> Response:
        return response

    return end


async def fail(request: Request) -> Response:
    raise KeyError("what a visitor wrote")


async def break_off(request: Request) -> Response:
    async def parts() -> AsyncIterator[str]:
        yield "event: error\n\n"
        raise HTTPException(404)

    return StreamingResponse(parts(), media_type="text/event-stream")


ENDS = {
    "/words": PlainTextResponse("Invalid Content-Type header", 400),
    "/detail": JSONResponse({"detail": "Session hash not found."}, 400),
    "/coded": JSONResponse({"detail": "E_BUSY: Wait."}, 429, {"Retry-After": "3"}),
    "/full": JSONResponse({"detail": "Queue is full. Max size is 3 and size is 3."}, 503),
    "/own": JSONResponse({"code": "E_TEXT", "message": "Mine."}, 422),
    "/rpc": JSONResponse({"error": {"code": -32700, "message": "Parse error"}}, 400),
    "/nothing": Response(status_code=404),
    "/file": JSONResponse({"detail": "File not allowed: /uploads/visitor/gone.jpg."}, 403),
    "/fine": PlainTextResponse("well", 200),
    "/v1/words": PlainTextResponse("nothing for clients", 400),
}


@pytest.fixture(scope="module")
def client() -> TestClient:
    routes = [Route(path, answering(response), methods=["GET"]) for path, response in ENDS.items()]
    routes += [Route("/fail", fail), Route("/broken", break_off)]
    return TestClient(Starlette(routes=routes, middleware=[ERROR_CODES]))


@pytest.mark.parametrize(
    "path, status, code, said",
    [
        pytest.param("/words", 400, "E_ARGUMENTS", "Invalid Content-Type header; GET", id="words"),
        pytest.param("/full", 503, "E_BUSY", "Too many requests wait", id="a full queue"),
        pytest.param("/detail", 400, "E_ARGUMENTS", "Session hash not found; GET", id="detail"),
        pytest.param("/coded", 429, "E_BUSY", "Wait.", id="a code in its words"),
        pytest.param("/nothing", 404, "E_ENDPOINT", "There is no such address", id="no words"),
        pytest.param("/nowhere", 404, "E_ENDPOINT", "There is no such address", id="no address"),
        pytest.param("/file", 403, "E_UPLOAD", "The file is none that is kept here", id="a file"),
        pytest.param("/fail", 500, "E_INTERNAL", "Something went wrong", id="our error"),
    ],
)
def test_a_refusal_in_a_librarys_words_has_a_code(client, path, status, code, said) -> None:
    answer = client.get(path)
    told = answer.json()
    assert (answer.status_code, told["code"]) == (status, code)
    assert told["message"].startswith(said) and told["detail"] == f"{code}: {told['message']}"
    assert "visitor" not in answer.text


def test_a_method_that_an_address_does_not_take_names_those_that_it_does(client) -> None:
    answer = client.post("/fine")
    assert answer.status_code == 405 and "GET" in answer.headers["allow"]
    assert answer.json()["message"] == "This address takes no POST; send GET or HEAD."


@pytest.mark.parametrize("path", ["/own", "/rpc", "/fine"])
def test_what_has_a_code_and_what_is_fine_stay_as_they_are(client, path) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.content) == (ENDS[path].status_code, ENDS[path].body)


def test_headers_stay_and_the_door_of_openai_has_its_own_shape(client) -> None:
    assert client.get("/coded").headers["retry-after"] == "3"
    assert client.get("/v1/words").json()["error"]["code"] == "E_ARGUMENTS"


def test_a_stream_that_told_its_error_comes_to_its_end(client) -> None:
    assert client.get("/broken").text == "event: error\n\n"
