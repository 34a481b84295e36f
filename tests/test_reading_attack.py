"""No file of the machine is read through any door, however it is named.

A few names go through every door here; `make test-all` sends every name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from reading_attack import (
    FORWARDED,
    Bait,
    by_address,
    by_chat,
    by_component,
    by_endpoint,
    by_event,
    by_tool,
    by_upload,
)
from served import Served
from served import served as start

from gemma_vision.requests.tasks import FORM_TASKS, TASKS

FEW = 23  # every so many names, where there is little time
SPARSE = {"events of the page": 9, "addresses": 4, "components": 4}  # and fewer still
Attack = Callable[[Served, list[str], httpx.Client], Iterator[str]]


def config_of(served: Served) -> dict[str, Any]:
    return dict(httpx.get(f"{served.url}config").json())


def endpoint(name: str) -> Attack:
    words: list[Any] = ["cat"] if name in TASKS and TASKS[name].words else []
    return lambda served, names, client: by_endpoint(served, names, client, name, words)


DOORS: dict[str, Attack] = {
    "addresses": by_address,
    **{name: endpoint(name) for name in (*FORM_TASKS, "parse", "models", "model")},
    "events of the page": lambda served, names, client: by_event(
        served, names, client, config_of(served)
    ),
    "components": lambda served, names, client: by_component(
        served, names, client, config_of(served)
    ),
    "uploads": lambda served, names, client: by_upload(served, client),
    "tools": by_tool,
    "chat": by_chat,
}


@pytest.fixture(scope="module")
def served() -> Served:
    return start()


@pytest.fixture(scope="module")
def bait(tmp_path_factory: pytest.TempPathFactory) -> Bait:
    return Bait(tmp_path_factory.mktemp("bait"))


def attack(served: Served, bait: Bait, door: str, every: int, headers: dict[str, str]) -> int:
    """Send every so many names through a door; how many tries there were."""
    names = bait.names(served.folder)[::every]
    prompts, tries = len(served.engine()["prompts"]), 0
    with httpx.Client(headers=headers, timeout=60) as client:
        for said in DOORS[door](served, names, client):
            tries += 1
            assert not bait.came_through(said), (bait.came_through(said), said[:500])
    assert len(served.engine()["prompts"]) == prompts, "the model saw a picture"
    assert bait.copies(served.folder) == [], "a file was copied to where everybody gets it"
    assert bait.asked == [], "the app asked an address of its own machine"
    return tries


@pytest.mark.parametrize("door", DOORS)
def test_a_door_gives_no_file(served: Served, bait: Bait, door: str) -> None:
    every = FEW * SPARSE.get(door, 1)
    assert attack(served, bait, door, every, {}) > 0


@pytest.mark.slow
@pytest.mark.parametrize("door", DOORS)
def test_a_door_gives_no_file_by_any_name(served: Served, bait: Bait, door: str) -> None:
    every = FEW if door.startswith("events") else 1
    print(door, attack(served, bait, door, every, {}), "tries")  # -s shows them


@pytest.mark.slow
@pytest.mark.parametrize("headers", FORWARDED[1:])
@pytest.mark.parametrize("door", ["addresses", "detect", "tools", "components"])
def test_a_door_gives_no_file_through_a_proxy(
    served: Served, bait: Bait, door: str, headers: dict[str, str]
) -> None:
    assert attack(served, bait, door, FEW, headers) > 0


def test_the_bait_would_be_seen(served: Served, bait: Bait, tmp_path: Path) -> None:
    """The tests above fail where something comes through."""
    with httpx.Client() as client:
        assert bait.came_through(client.get(bait.addresses[0]).text)
    assert bait.asked.pop() and not bait.asked
    copied = served.folder / ("a" * 64) / "b.png"
    copied.parent.mkdir(parents=True)
    copied.write_bytes((bait.folder / "private.png").read_bytes())
    assert bait.copies(served.folder) == [copied]
    sent = {"path": str(copied), "meta": {"_type": "gradio.FileData"}}
    with httpx.Client(timeout=60) as client:
        (said,) = list(endpoint("caption")(served, [str(copied)], client))[1:2]
    assert bait.came_through(said), (sent, said)
    copied.unlink()
