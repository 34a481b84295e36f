"""A token of the Hub in a running app: it opens gated models, and no byte that leaves has it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from hub_server import GATED, LICENSED, UNLICENSED, Hub, playing_hub
from served import Served, embedded
from tiny_models import make_model, save

MODEL = "someone/something"
GOOD, UNSIGNED, UNKNOWN = "hf_goodGOODgood", "hf_unsignedUNSIGNED", "hf_mistypedMISTYPED"
SECRETS = (GOOD, UNSIGNED, UNKNOWN, "hf_not a token")
TOLD = ("config", "gradio_api/info", "gradio_api/openapi.json", "model", "")  # by GET


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = save(make_model("gemma3"), tmp_path_factory.mktemp("published"))
    with playing_hub(folder, GATED) as server:
        server.accounts = {GOOD: LICENSED, UNSIGNED: UNLICENSED}
        yield server


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the Hub's client keeps its files: nobody has logged in there."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def started(hub: Hub, home: Path) -> Served:
    """The app of somebody's own machine."""
    own = {"HF_HOME": str(home), "HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "0", "HF_TOKEN": ""}
    return embedded("--model-choice", "any", HF_HUB_CACHE=str(home / "hub"), **own)


@pytest.fixture(scope="module")
def client(started: Served) -> Client:
    return Client(started.url, verbose=False)


def give(served: Served, token: Any, **headers: str) -> httpx.Response:
    return httpx.post(f"{served.url}model/token", json={"token": token}, headers=headers)


def everything_told(served: Served) -> str:
    """What anybody can fetch, and what the process wrote."""
    pages = [httpx.get(f"{served.url}{path}").text for path in TOLD]
    return "\n".join([*pages, served.log.read_text()])


def opened(client: Client) -> Iterator[str]:
    """Every event of a choice, as text."""
    job = client.submit(MODEL, api_name="/choose")
    try:
        yield str(job.result(timeout=60))
    except AppError as error:
        yield str(error)
    yield str(job.outputs())


REFUSALS = [
    pytest.param(None, "no token was given", "E_MODEL_GATED", id="no token"),
    pytest.param(UNKNOWN, "does not accept the token", "E_TOKEN_REFUSED", id="a refused token"),
    pytest.param(UNSIGNED, "has not accepted the licence", "E_LICENCE", id="no licence"),
]


@pytest.mark.parametrize("token, said, code", REFUSALS)
def test_a_refusal_is_told_in_its_sentence_and_without_the_token(
    token: str | None, said: str, code: str, started: Served, client: Client, hub: Hub
) -> None:
    httpx.delete(f"{started.url}model/token").raise_for_status()
    if token is not None:
        assert give(started, token).json() == {"source": "given", "taken": True}
    hub.tokens.clear()
    events = "".join(opened(client))
    assert said in events and hub.tokens == {token}
    assert httpx.get(f"{started.url}model").json()["outcome"]["code"] == code
    assert not any(secret in events + everything_told(started) for secret in SECRETS)


def test_a_token_opens_the_door_and_no_byte_has_it(
    started: Served, client: Client, hub: Hub, home: Path
) -> None:
    given = give(started, GOOD, origin=started.url.rstrip("/"))
    hub.tokens.clear()
    events = "".join(opened(client))
    assert httpx.get(f"{started.url}model").json()["id"] == MODEL
    assert hub.tokens == {GOOD}
    shown = "".join(part.text for part in listing(started))
    assert '"source":"given"' in shown.replace(" ", "")
    written = [*files(started.folder.parent), *files(home)]
    kept = "".join(path.read_text("utf-8", "replace") for path in written)
    told = given.text + str(given.headers) + events + shown + kept + everything_told(started)
    assert not any(secret in told for secret in SECRETS)
    assert client.predict("tiny", api_name="/choose")["id"] == "tiny"


def files(folder: Path) -> list[Path]:
    """All that a process has written below a folder."""
    return [path for path in folder.rglob("*") if path.is_file()]


def listing(served: Served) -> Iterator[httpx.Response]:
    """The page's own event behind the dialog, as a browser asks for it: its answer, its stream."""
    config = httpx.get(f"{served.url}config").json()
    (index,) = (
        one["id"] for one in config["dependencies"] if one["api_name"] == "page/list_models"
    )
    session = {"session_hash": "a-visitor", "fn_index": index}
    yield httpx.post(f"{served.url}gradio_api/queue/join", json={"data": [], **session})
    yield httpx.get(
        f"{served.url}gradio_api/queue/data", params={"session_hash": "a-visitor"}, timeout=20
    )


def test_forgetting_takes_it_back(started: Served) -> None:
    give(started, GOOD)
    answer = httpx.delete(f"{started.url}model/token")
    assert answer.json() == {"source": "none", "taken": True}
    assert answer.headers["cache-control"] == "no-store"


NO_TOKENS = [
    pytest.param(b'{"token": "hf_not a token"}', id="two words"),
    pytest.param(b'{"token": 7}', id="a number"),
    pytest.param(b'["hf_goodGOODgood"]', id="a list"),
    pytest.param(b"hf_goodGOODgood", id="no JSON"),
    pytest.param(b'{"token": "hf_' + b"x" * 5000 + b'"}', id="long"),
    pytest.param(b"\xff\xfe", id="no text"),
    pytest.param(b"[" * 2000 + b"]" * 2000, id="nested without end"),
]


@pytest.mark.parametrize("body", NO_TOKENS)
def test_what_is_no_token_is_refused_unquoted(body: bytes, started: Served) -> None:
    answer = httpx.post(f"{started.url}model/token", content=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "E_TOKEN")
    assert "hf_not" not in answer.text and "GOOD" not in answer.text + started.log.read_text()


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
def test_another_page_can_neither_give_nor_forget(origin: str, started: Served) -> None:
    give(started, GOOD)
    refused = give(started, UNKNOWN, origin=origin)
    assert (refused.status_code, refused.json()["code"]) == (403, "E_ORIGIN")
    gone = httpx.delete(f"{started.url}model/token", headers={"origin": origin})
    assert (gone.status_code, gone.json()["code"]) == (403, "E_ORIGIN")
    assert httpx.delete(f"{started.url}model/token").json()["source"] == "none"


def test_an_address_takes_no_token_in_its_query(started: Served) -> None:
    answer = httpx.get(f"{started.url}model/token", params={"token": GOOD})
    assert answer.status_code == 405


def test_an_app_for_others_asks_for_no_token() -> None:
    public = embedded("--model-choice", "any", "--host", "0.0.0.0")
    answer = give(public, GOOD)
    assert (answer.status_code, answer.json()["code"]) == (403, "E_MODEL_CHOICE")
    assert GOOD not in answer.text + everything_told(public)
