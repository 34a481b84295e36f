"""Engines: a pipeline over a model that runs elsewhere, by the address that names it.

openai:http://127.0.0.1:8000/v1      a server of OpenAI's API: vLLM, SGLang, llama-server, Ollama
ray://127.0.0.1:10001, ray           replicas on Ray Serve (serving/)
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

from gemma_vision.errors import CheckpointError, list_names
from gemma_vision.requests.family import Family
from gemma_vision.requests.prompts import FAMILIES
from gemma_vision.runtime.engine import Engine
from gemma_vision.runtime.remote.openai_engine import OpenAiEngine
from gemma_vision.runtime.remote.openai_server import OpenAiServer
from gemma_vision.runtime.remote.ray_engine import RayEngine

log = logging.getLogger("gemma_vision")

LOCAL = "local"
ABOUT = "local, ray, ray://HOST:PORT, or openai:http://HOST:PORT/v1"
RAY = re.compile(r"ray(://[^/]+)?/?")
OPENAI = re.compile(r"openai[:+](?P<address>https?://.+)")
CAUSAL = (
    "%s is a PaliGemma: servers of this kind are not known to let its picture and its prompt see "
    "each other wholly, so that boxes and masks may be off; compare some before you trust them."
)
CODE = "E_ENGINE"


def connect(address: str, name: str, family_for: Callable[[str], Family]) -> Engine:
    """The engine behind an address. name: of the model; one that is alone there needs none.

    family_for: how a model of that name is asked. Raises CheckpointError (E_ENGINE) for an address
    of no engine, RemoteError for one that does not answer.
    """
    if found := OPENAI.fullmatch(address):
        return connect_openai(found["address"], name, family_for)
    if RAY.fullmatch(address):
        return RayEngine.connect(address.rstrip("/"), name)
    raise CheckpointError(f"{address!r} is no engine; take {ABOUT}.", CODE)


def connect_openai(address: str, name: str, family_for: Callable[[str], Family]) -> Engine:
    """The engine of one model of a server."""
    server = OpenAiServer(address)
    served = server.models()
    if name not in served and len(served) != 1:
        message = f"{address} has {list_names(served) or 'no model'}; name one with --model."
        raise CheckpointError(message, CODE)
    served_name = name if name in served else served[0]
    family = family_for(served_name)
    if not family.has_turns:
        log.warning(CAUSAL, served_name)
    return OpenAiEngine(server, served_name, family)


def guess_family(name: str) -> Family:
    """How a model is asked, by what it is called; CheckpointError where that tells nothing.

    "gemma3:4b-it"  ->  Gemma 3
    """
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    rows = sorted(FAMILIES.values(), key=lambda row: -len(row.name))
    found = next((row for row in rows if row.name in plain), None)
    if found is None:
        titles = ", ".join(dict.fromkeys(row.title for row in FAMILIES.values()))
        message = f"{name!r} does not say of which family it is; name it after one of {titles}."
        raise CheckpointError(message, CODE)
    return found
