"""Results: an answer as the viewer's value. What is sent stays small: outlines, no pixels."""

from __future__ import annotations

import hashlib
import io
import secrets
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from gemma_vision.requests.tasks import Task
from gemma_vision.web.jobs.asked import Asked
from gemma_vision.web.jobs.guidance import guide
from gemma_vision.web.jobs.outlines import Outlines
from gemma_vision.web.server.errors import coded
from gemma_vision.web.server.uploads import upload_folder

MAX_PREVIEW = 1600  # pixels of the longer side on the page; saving takes the person's own file
COSTS = {"detect": 7, "segment": 23}  # tokens of a record: 4 edges, 16 codes, name and mark

JSON = dict[str, Any]
Things = list[JSON]


@dataclass
class ViewerState:
    """One run as the page shows it: the picture, the clock, what is drawn so far."""

    image: Image.Image | None = None  # upright
    blank: tuple[int, int] | None = None  # the size of a picture that is not here
    original: Path | None = None  # the person's own file, for saving at full size
    task: str = ""
    limit: int = 0  # tokens that the answer may take
    asked: Asked | None = None  # where the page guides whoever asked
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    began: float = field(default_factory=time.monotonic)
    outlines: Outlines = field(default_factory=Outlines)
    _picture: JSON | None = None

    def view(
        self,
        answer: Mapping[str, Any] | None,
        state: str,
        *,
        partial: JSON | None = None,
        notes: Sequence[str] = (),
        hidden: Collection[int] = (),
    ) -> JSON:
        """The viewer's value. answer: the JSON of an answer, None before the first.

        state: "running", "done" (which becomes "empty" where nothing came of it), "stopped" or
        "error"; partial: from `jobs.partials`; notes: sentences shown under the status; hidden:
        which of the instances are left out until somebody wants to see them.
        """
        shown, left_out = self._things(answer or {}, hidden)
        guidance = self._guide(answer, state, shown, left_out)
        if guidance and guidance["is_empty"] and state == "done":
            state = "empty"
        answer = answer or {}
        return {
            "run": self.run,
            "image": self.picture(),
            "instances": shown,
            "left_out": left_out,
            "guidance": guidance and guidance["lines"],
            "partial": partial,
            "text": answer.get("text", ""),
            "words": spoken(answer),
            "thought": answer.get("thought", ""),
            "notes": [*notes, *dict.fromkeys(self._warnings(answer))],
            "status": self._status(answer, state),
        }

    def _status(self, answer: Mapping[str, Any], state: str) -> JSON:
        """What the line under the picture says."""
        tokens = answer.get("timing", {}).get("tokens", 0)
        return {
            "state": state,
            "model": answer.get("model") or (self.asked.model if self.asked else None),
            "masks_by": answer.get("masks_by"),
            "is_demo": bool(self.asked and self.asked.is_demo),
            "finish": answer.get("finish"),
            "task": self.task,
            "tokens": tokens,
            "limit": self.limit,
            "room": self.room(tokens),
            "seconds": round(time.monotonic() - self.began, 2),
        }

    def _things(self, answer: Mapping[str, Any], hidden: Collection[int]) -> tuple[Things, Things]:
        """What is shown, and what is left out; detect shows no masks."""
        things = self.outlines.show(answer.get("instances", ()), self.size or (1, 1))
        for index, thing in enumerate(things):
            thing["unasked"] = index in hidden or not self._is_asked(thing["label"])
            if self.task == Task.detect:
                thing["path"] = None
        shown = [thing for index, thing in enumerate(things) if index not in hidden]
        return shown, [thing for index, thing in enumerate(things) if index in hidden]

    def _is_asked(self, label: str) -> bool:
        return self.asked is None or self.asked.is_asked(label)

    def _guide(
        self, answer: Mapping[str, Any] | None, state: str, shown: Things, left_out: Things
    ) -> JSON | None:
        """What is said of an answer that is over; nothing while it runs, or where it failed."""
        if self.asked is None or state not in ("done", "empty"):
            return None
        seen = None if answer is None else {**answer, "instances": shown}
        return guide(self.asked, seen, [thing["label"] for thing in left_out])

    def _warnings(self, answer: Mapping[str, Any]) -> list[str]:
        """An answer's notices that no guidance says, as notes."""
        told = self.asked.covered if self.asked else ()
        return [note_of(one) for one in answer.get("warnings", ()) if one["code"] not in told]

    def room(self, tokens: int) -> int | None:
        """How many more things fit into the answer; None where things are not counted."""
        cost = COSTS.get(self.task)
        return None if cost is None else max(0, self.limit - tokens) // cost

    @property
    def size(self) -> tuple[int, int] | None:
        """(width, height) of the picture; None where there is none."""
        return self.image.size if self.image else self.blank

    def picture(self) -> JSON | None:
        """The picture's entry: the file that is shown, its true size, the person's own file."""
        if self.size is None:
            return None
        if self._picture is None:
            width, height = self.size
            self._picture = {
                "width": width,
                "height": height,
                "file": None if self.image is None else file_entry(preview_file(self.image)),
                "original": None if self.original is None else file_entry(self.original),
            }
        return self._picture


def note_of(warning: Mapping[str, str]) -> str:
    """A warning of an answer as the page reads it, which says it in the visitor's language."""
    return coded(f"W_{warning['code'].upper()}", warning["message"])


def file_entry(path: Path) -> JSON:
    """A file as Gradio sends it: the address is put in on the way out."""
    return dict(gr.FileData(path=str(path), meta={"_type": "gradio.FileData"}).model_dump())


def preview_file(image: Image.Image) -> Path:
    """A JPEG of the picture for the page, without metadata, named by its content.

    One that is there already is left as it is: somebody's browser may be reading it.
    """
    small = image.convert("RGB")
    small.thumbnail((MAX_PREVIEW, MAX_PREVIEW))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=88)
    folder = upload_folder() / hashlib.sha256(buffer.getvalue()).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "preview.jpg"
    if path.exists():
        path.touch()  # as young as one made now, for what deletes by age
        return path
    draft = folder / f"{secrets.token_hex(8)}.part"
    draft.write_bytes(buffer.getvalue())
    draft.replace(path)
    return path


def spoken(answer: Mapping[str, Any]) -> str:
    """The words of an answer, and how likely they were where they are one of two."""
    words = str(answer.get("plain", "")).strip()
    share = answer.get("probabilities", {}).get(words)
    return words if share is None else f"{words} · {share:.0%}"
