"""Model choice: who may change the checkpoint of a running app, and what there is to choose.

"fixed": nobody. "listed": every visitor, among the checkpoints of the catalogue. "any": a folder
or a Hub id may be typed as well, which is for a machine's own people.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from gemma_vision.checkpoints.model_names import clean_name
from gemma_vision.registry.hub_access import HubAccess
from gemma_vision.registry.loading import models
from gemma_vision.registry.model_switcher import ModelSwitcher
from gemma_vision.registry.published import FILE_PARAMETERS, numbers_of
from gemma_vision.requests.prompts import FAMILIES
from gemma_vision.requests.validation import TaskError, broken
from gemma_vision.web.server.guards.clients import is_forwarded

JSON = dict[str, Any]

FIXED, LISTED, ANY = "fixed", "listed", "any"
FREEDOMS = (FIXED, LISTED, ANY)
VARIABLE = "GEMMA_VISION_MODEL_CHOICE"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
MAX_NAME = 500  # characters of a typed folder or Hub id
KIND = re.compile(r"-(pt|mix|ft|it)(?=-|$)")
FILE_BYTES = 2  # of a number, as checkpoints are published


def freedom(requested: str | None, host: str) -> str:
    """What visitors may choose, by what was requested and by the address listened on.

    Where nothing is, it is "any" for an app that only its own machine reaches, else "fixed". A
    Space never goes beyond "listed", ZeroGPU never beyond "fixed": there a checkpoint is loaded at
    the start.
    """
    is_own = host in LOOPBACK and not os.environ.get("GRADIO_ROOT_PATH")  # else behind a proxy
    requested = requested or os.environ.get(VARIABLE) or (ANY if is_own else FIXED)
    if requested not in FREEDOMS:
        known = ", ".join(FREEDOMS)
        raise ValueError(f"{requested!r} is no way to choose models; take {known}.")
    if os.environ.get("SPACES_ZERO_GPU"):
        return FIXED
    if os.environ.get("SPACE_ID"):
        listed = {ANY: LISTED, LISTED: LISTED, FIXED: FIXED}
        return listed[requested]
    return requested


@dataclass(frozen=True)
class Choice:
    """What visitors of an app may change. `host` is the address it listens on.

    access: the token that the Hub is asked with.
    """

    switcher: ModelSwitcher
    freedom: str = FIXED
    host: str = LOOPBACK[0]
    access: HubAccess = field(default_factory=HubAccess)

    @property
    def is_open(self) -> bool:
        """Whether visitors may change anything."""
        return self.freedom != FIXED

    @property
    def takes_token(self) -> bool:
        """Whether the page asks for a token: only where its visitors are this machine's people."""
        return self.freedom == ANY and self.host in LOOPBACK

    def choose(self, name: str, headers: Mapping[str, str], visitor: str = "") -> None:
        """Begin to load a checkpoint; what may not be chosen raises, in words.

        visitor: who alone may call it off, besides this machine's own people.
        """
        name = name.strip() if isinstance(name, str) else ""
        self.check(headers)
        if not name or len(name) > MAX_NAME or broken(name):
            raise TaskError("Name a checkpoint: a folder or a Hub id.", "E_MODEL_UNKNOWN")
        name = clean_name(name)
        is_own = self.is_own(headers)
        if not is_own and name not in self._known():
            message = "Here only checkpoints of the list can be loaded; take one of those."
            raise TaskError(message, "E_MODEL_CHOICE")
        self.check_room(name)
        self.switcher.switch(name, self.access.token)
        self.switcher.claim("" if is_own else visitor)

    def cancel(self, headers: Mapping[str, str], visitor: str = "") -> None:
        """Call off what is being loaded; what another visitor began is theirs."""
        self.check(headers)
        self.switcher.cancel("" if self.is_own(headers) else visitor)

    def check_room(self, name: str) -> None:
        """Refuse a checkpoint of the list that memory cannot hold, before it is fetched."""
        row = next((row for row in models() if row["id"] == name), None)
        need = self.switcher.weigh((row or {}).get("parameters") or 0)
        if row is not None and not row["here"] and need > self.switcher.room():
            gigabytes, room = need / 1e9, self.switcher.room() / 1e9
            message = (
                f"{name} needs {gigabytes:.1f} GB and there are {room:.1f}. Take a smaller one."
            )
            raise TaskError(message, "E_MEMORY")

    def is_own(self, headers: Mapping[str, str]) -> bool:
        """Whether one of this machine's own people asks, who may load any folder of it.

        What came through a proxy may come from anywhere.
        """
        return self.freedom == ANY and not is_forwarded(headers)

    def give_token(self, text: object, headers: Mapping[str, str]) -> None:
        """Ask the Hub with this token from now on; what cannot be one, or may not, raises."""
        self.check_token(headers)
        self.access.give(text)

    def forget_token(self, headers: Mapping[str, str]) -> None:
        """Let go of the token that was given."""
        self.check_token(headers)
        self.access.forget()

    def token_state(self) -> JSON:
        """Where the token is from, and whether one can be given here; never the token."""
        return {"source": self.access.source, "taken": self.takes_token}

    def check_token(self, headers: Mapping[str, str]) -> None:
        """Refuse a token where others can reach the app, and pages that are not its own."""
        self.check(headers)
        if not self.takes_token or is_forwarded(headers):
            message = "No token is taken here: others reach this app. Its operator sets HF_TOKEN."
            raise TaskError(message, "E_MODEL_CHOICE")

    def check(self, headers: Mapping[str, str]) -> None:
        """Refuse where nothing may be changed, and pages that are not this app's own."""
        if not self.is_open:
            message = "The checkpoint is fixed here; run the app yourself to choose another."
            raise TaskError(message, "E_MODEL_CHOICE")
        host, origin = headers.get("host", ""), headers.get("origin")
        is_local = self.host not in LOOPBACK or urlsplit(f"//{host}").hostname in LOOPBACK
        if not is_local or (origin and urlsplit(origin).netloc != host):
            raise TaskError("Only this app's own page can change its checkpoint.", "E_ORIGIN")

    def listing(self) -> JSON:
        """What the dialog shows: the one to begin with, the token's state, and all rows."""
        best, free = self.switcher.recommend(), self.switcher.recommend_open()
        return {
            "rows": self.rows(),
            "room": best.room,
            "recommended": asdict(best),
            "open": asdict(free) if free and self.access.source == "none" else None,
            "token": self.token_state(),
            "note": "",
        }

    def rows(self) -> list[JSON]:
        """The checkpoints there are, as the page lists them: those that are here come first."""
        room = self.switcher.room()
        rows = self._known().values()
        return [self._row(row, room) for row in sorted(rows, key=lambda row: not row["here"])]

    def _known(self) -> dict[str, JSON]:
        """The catalogue, and whatever was loaded since the start."""
        return {row["id"]: row for row in (*models(), *self.switcher.seen.values())}

    def _row(self, row: JSON, room: int) -> JSON:
        parameters = row["parameters"] or 0
        need = self.switcher.weigh(numbers_of(row["id"], parameters))
        family = FAMILIES.get(row["family"])
        return row | {
            "kind": kind_of(row["id"]),
            "title": family.title if family else row["family"],
            "bytes": FILE_PARAMETERS.get(row["id"], parameters) * FILE_BYTES,
            "need": need,
            "fits": need <= room,
            "loaded": row["id"] == self.switcher.pipeline.name,
        }


def kind_of(name: str) -> str:
    """What a published checkpoint was made for: "pt", "mix", "ft" or "it"; "" of any other.

    google/paligemma2-3b-ft-docci-448  ->  ft
    """
    found = KIND.search(name)
    return found[1] if found else ""
