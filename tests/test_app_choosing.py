"""Another checkpoint for a running app, through the Python client and plain HTTP."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from fake_engine import fake_pipeline
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from served import Served, embedded
from tiny_models import make_model, save

from gemma_vision.registry.model_cache import ModelCache
from gemma_vision.registry.model_switcher import ModelSwitcher
from gemma_vision.web import app as web_app
from gemma_vision.web.components.model_choice import ANY, FIXED, Choice

ROOT = Path(__file__).parent.parent
HANDLERS = {"begin", "call_off", "list_models", "choose"}


@pytest.fixture(scope="module")
def started() -> Served:
    return embedded("--model-choice", "any")


@pytest.fixture(scope="module")
def client(started: Served) -> Client:
    return Client(started.url, verbose=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(make_model("gemma3"), tmp_path_factory.mktemp("choice") / "chat")


def state(served: Served) -> dict[str, Any]:
    return dict(httpx.get(f"{served.url}model").raise_for_status().json())


def test_a_plain_get_tells_what_is_loaded(started: Served, client: Client) -> None:
    told = state(started)
    assert (told["id"], told["device"], told["dtype"]) == ("tiny", "cpu", "float32")
    assert (told["state"], told["change"]) == ("ready", None)
    assert client.predict(api_name="/model") == told


def test_what_is_remembered_is_told_in_numbers(
    started: Served, client: Client, tmp_path: Path
) -> None:
    """A picture that comes again is found, and nothing but counts says so."""
    path = tmp_path / "never-seen-before.png"
    Image.new("RGB", (80, 60), (12, 34, 56)).save(path)
    before = state(started)["remembered"]
    for _ in range(3):
        client.predict(handle_file(str(path)), "cat", max_tokens=4, api_name="/detect")
    told = state(started)["remembered"]
    assert client.predict(api_name="/model")["remembered"] == told
    pictures, former = told["pictures"], before["pictures"]
    assert pictures["misses"] - former["misses"] == 1 and pictures["hits"] - former["hits"] == 2
    assert pictures["kept"] == former["kept"] + 1
    assert former["bytes"] < pictures["bytes"] < pictures["limit"]
    assert told["prefixes"] == before["prefixes"]  # PaliGemma reads every prompt anew
    counts = ["kept", "bytes", "limit", "hits", "misses"]
    assert {name: list(kept) for name, kept in told.items()} == {
        "pictures": counts,
        "prefixes": counts,
    }
    assert all(type(n) is int for kept in told.values() for n in kept.values())


def test_an_engine_that_keeps_nothing_tells_nothing() -> None:
    switcher = ModelSwitcher(ModelCache(fake_pipeline()), threading.Lock())
    assert switcher.state()["remembered"] is None


def test_the_docs_show_what_is_told(started: Served) -> None:
    blocks = re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "api.md").read_text("utf-8"), re.S)
    shown = [json.loads(block) for block in blocks if '"revision"' in block]
    assert [one.keys() for one in shown] == [state(started).keys()]
    told = state(started)
    assert shown[0]["tasks"] == told["tasks"]
    for part, kept in shown[0]["remembered"].items():
        assert kept.keys() == told["remembered"][part].keys()
        assert kept["limit"] == told["remembered"][part]["limit"]


def test_a_program_loads_another_and_comes_back(
    started: Served, client: Client, folder: Path, picture_file: Path
) -> None:
    image = handle_file(str(picture_file))
    before = client.predict(image, "cat", api_name="/detect")
    revision = state(started)["revision"]
    job = client.submit(str(folder), api_name="/choose")
    assert job.result()["id"] == folder.name
    assert state(started)["revision"] == revision + 1
    assert client.predict(api_name="/models")["models"][0]["id"] == folder.name
    with pytest.raises(AppError, match="E_TASK_UNSUPPORTED"):
        client.predict(image, "cat", api_name="/detect")
    words = client.predict(image, "what is it", max_tokens=8, api_name="/ask")
    assert words["model"] == folder.name
    assert client.predict("tiny", api_name="/choose")["id"] == "tiny"
    again = client.predict(image, "cat", api_name="/detect")
    assert again["text"] == before["text"] and again["model"] == "tiny"


def test_what_cannot_be_loaded_is_said_and_the_former_answers(
    started: Served, client: Client, folder: Path, tmp_path: Path, picture_file: Path
) -> None:
    broken = shutil.copytree(folder, tmp_path / "broken")
    (broken / "model.safetensors").unlink()
    with pytest.raises(AppError, match=r"E_NOT_LOADED: .* lacks model.safetensors.* tiny answers"):
        client.predict(str(broken), api_name="/choose")
    answer = client.predict(handle_file(str(picture_file)), "cat", api_name="/detect")
    assert answer["model"] == "tiny" and state(started)["outcome"]["result"] == "failed"


def test_another_page_cannot_choose(started: Served, folder: Path) -> None:
    """A browser sends the page's origin with every request that one makes."""
    body, evil = {"data": [str(folder)]}, {"origin": "http://evil.example"}
    call = f"{started.url}gradio_api/call/choose"
    refused = httpx.post(call, json=body, headers=evil)
    assert refused.status_code == 403 and "E_ORIGIN" in refused.text
    assert state(started)["id"] == "tiny"


@pytest.mark.parametrize("given, offered", [(FIXED, set()), (ANY, HANDLERS)])
def test_an_app_offers_a_choice_only_where_there_is_one(given: str, offered: set[str]) -> None:
    async def build() -> Any:  # outside a running loop Gradio opens several and closes none
        switcher = ModelSwitcher(ModelCache(fake_pipeline()), threading.Lock())
        return web_app.build_app(switcher.pipeline, Choice(switcher, given))

    fns = asyncio.run(build()).fns.values()
    names = {str(fn.api_name).removeprefix("page/") for fn in fns}
    assert names & HANDLERS == offered and "model" in names
