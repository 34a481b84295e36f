"""A token is asked with, refused in its own sentence, and shown nowhere."""

from __future__ import annotations

import copy
import functools
import logging
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import huggingface_hub
import pytest
from hub_server import GATED, LICENSED, NARROW, UNLICENSED, Hub, playing_hub
from tiny_models import make_model, save

from gemma_vision.checkpoints import hub
from gemma_vision.checkpoints.access_token import (
    ENVIRONMENT,
    LOGIN,
    NONE,
    AccessToken,
    TokenError,
    machine_source,
)
from gemma_vision.errors import CheckpointError

MODEL = "someone/something"
GOOD, UNSIGNED, SCOPED = "hf_goodGOODgood", "hf_unsignedUNSIGNED", "hf_narrowNARROW"
ACCOUNTS = {GOOD: LICENSED, UNSIGNED: UNLICENSED, SCOPED: NARROW}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(make_model(), tmp_path_factory.mktemp("published"))


@pytest.fixture(autouse=True)
def no_token_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A home without a login; the file in which one would stand."""
    login = tmp_path / "login" / "token"
    login.parent.mkdir()
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_TOKEN_PATH", str(login))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", False)
    return login


@pytest.fixture
def gated(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """A Hub on this machine whose models are gated, and an empty cache."""
    constants, download = huggingface_hub.constants, huggingface_hub.snapshot_download
    cache = tmp_path / "hub"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)  # loopback only
    with playing_hub(folder, GATED) as server:
        server.accounts = dict(ACCOUNTS)
        client = functools.partial(download, endpoint=server.url, cache_dir=cache)
        monkeypatch.setattr(huggingface_hub, "snapshot_download", client)
        yield server


REFUSALS = [
    pytest.param(None, "E_MODEL_GATED", "no token was given", id="no token"),
    pytest.param("hf_mistypedTOKEN", "E_TOKEN_REFUSED", "does not accept the token", id="refused"),
    pytest.param(UNSIGNED, "E_LICENCE", "has not accepted the licence", id="no licence"),
    pytest.param(SCOPED, "E_TOKEN_SCOPE", "may not read", id="a token for less"),
]


@pytest.mark.parametrize("secret, code, said", REFUSALS)
def test_each_refusal_has_its_own_code_and_sentence(
    secret: str | None, code: str, said: str, gated: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(CheckpointError) as caught:
        hub.find(MODEL, token=AccessToken(secret) if secret else None)
    message = str(caught.value)
    assert (caught.value.code, "\n" in message) == (code, False)
    assert said in message and MODEL in message and message.endswith(".")
    assert gated.tokens == {secret}
    assert secret is None or secret not in message + caplog.text


def test_a_model_that_is_not_there_is_told_apart_from_a_gated_one(gated: Hub) -> None:
    gated.mood = "no such model"
    with pytest.raises(CheckpointError, match="or none that this token may see") as caught:
        hub.find(MODEL, token=AccessToken(GOOD))
    assert caught.value.code == "E_MODEL_UNKNOWN"


def test_no_network_is_told_without_the_token(
    gated: Hub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = functools.partial(huggingface_hub.snapshot_download, endpoint="http://127.0.0.1:9")
    monkeypatch.setattr(huggingface_hub, "snapshot_download", client)
    with pytest.raises(CheckpointError, match="cannot be reached") as caught:
        hub.find(MODEL, token=AccessToken(GOOD))
    assert caught.value.code == "E_OFFLINE"
    assert GOOD not in str(caught.value) + caplog.text and gated.tokens == set()


def test_a_token_that_was_given_opens_the_door(gated: Hub) -> None:
    assert hub.find(MODEL, token=AccessToken(GOOD)).is_dir()
    assert gated.tokens == {GOOD}


def by_environment(login: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", GOOD)


def by_login(login: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    login.write_text(f"{GOOD}\n")


MACHINES = [
    pytest.param(by_environment, ENVIRONMENT, id="HF_TOKEN"),
    pytest.param(by_login, LOGIN, id="hf auth login"),
]


@pytest.mark.parametrize("bring, source", MACHINES)
def test_the_machines_own_token_is_taken_and_told_apart(
    bring: Callable[[Path, pytest.MonkeyPatch], None],
    source: str,
    gated: Hub,
    no_token_of_the_machine: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert machine_source() == NONE
    bring(no_token_of_the_machine, monkeypatch)
    assert machine_source() == source
    assert hub.find(MODEL).is_dir()
    assert gated.tokens == {GOOD}
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", True)
    assert machine_source() == NONE


def test_a_token_given_goes_before_the_machines_own(
    gated: Hub, no_token_of_the_machine: Path
) -> None:
    no_token_of_the_machine.write_text("hf_expiredEXPIRED")
    assert hub.find(MODEL, token=AccessToken(GOOD)).is_dir()
    assert gated.tokens == {GOOD}


def test_the_base_of_an_adapter_is_fetched_with_the_same_token(gated: Hub, tmp_path: Path) -> None:
    from gemma_vision.weights.adapted_model import find_base

    adapter = {"base_model_name_or_path": MODEL}
    assert find_base(tmp_path, adapter, token=AccessToken(GOOD)).is_dir()
    assert gated.tokens == {GOOD}


def test_no_text_of_a_token_shows_it() -> None:
    token = AccessToken.parse(f"  {GOOD}\n")
    assert token.secret == GOOD
    texts = [repr(token), str(token), f"{token}", f"{token!r} {[token]} { ({'a': token}) }"]
    assert not any(GOOD in text for text in texts)
    for way in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="memory of its process"):
            way(token)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        None,
        7,
        "hf_ two words",
        "hf_a\r\nHost: evil",
        "hf_\u00e9t\u00e9-1234",
        "hf_" * 999,
    ],
    ids=["empty", "blank", "none", "number", "words", "header", "letters", "long"],
)
def test_what_can_be_no_token_is_refused_without_being_quoted(text: object) -> None:
    with pytest.raises(TokenError, match="no token of the Hub") as caught:
        AccessToken.parse(text)
    assert caught.value.code == "E_TOKEN"
    assert not str(text).strip() or str(text) not in str(caught.value)
