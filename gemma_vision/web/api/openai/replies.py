"""Replies: answers in the shapes of OpenAI's API, whole or in pieces."""

from __future__ import annotations

import json
import math
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from gemma_vision.web.api.openai.chat_call import ChatCall
from gemma_vision.web.api.openai.token_log import Piece

UNLIKELY = -9999.0  # the logarithm where the probability is not known, as that API has it
SMALLEST = 1e-12
JSON = dict[str, Any]


class Reply:
    """What one call is answered with."""

    def __init__(self, call: ChatCall) -> None:
        self._call = call
        self._head = {
            "id": f"chatcmpl-{uuid.uuid4().hex}",
            "created": int(time.time()),
            "model": call.model,
            "system_fingerprint": None,
        }

    def whole(self, content: str, pieces: Sequence[Piece], finish: str, usage: JSON) -> JSON:
        """The answer to a call that does not stream."""
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": content, "refusal": None},
            "logprobs": self._logprobs(pieces),
            "finish_reason": finish,
        }
        return {**self._head, "object": "chat.completion", "choices": [choice], "usage": usage}

    def first(self) -> str:
        """The first piece of a stream: who speaks."""
        return self._piece({"role": "assistant", "content": "", "refusal": None})

    def delta(self, content: str, pieces: Sequence[Piece] = ()) -> str:
        """Some words more, and the tokens that they were written with."""
        return self._piece({"content": content}, self._logprobs(pieces))

    def last(self, finish: str) -> str:
        """The piece that says how it ended."""
        return self._piece({}, finish=finish)

    def usage(self, usage: JSON) -> str:
        """The piece that counts the tokens."""
        return event(self._chunk([], usage))

    def _piece(self, delta: JSON, logprobs: Any = None, finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        return event(self._chunk([choice]))

    def _chunk(self, choices: list[JSON], usage: JSON | None = None) -> JSON:
        chunk = {**self._head, "object": "chat.completion.chunk", "choices": choices}
        return chunk | ({"usage": usage} if self._call.has_usage else {})

    def _logprobs(self, pieces: Sequence[Piece]) -> JSON | None:
        if not self._call.has_logprobs:
            return None
        return {"content": [token_json(piece) for piece in pieces], "refusal": None}


def usage_json(num_prompt: int, num_tokens: int) -> JSON:
    """How many tokens a call took; 0 of a prompt where nobody counts them."""
    return {
        "prompt_tokens": num_prompt,
        "completion_tokens": num_tokens,
        "total_tokens": num_prompt + num_tokens,
    }


def token_json(piece: Piece) -> JSON:
    """A token and the logarithm of its score; of a <loc> that of its neighbourhood."""
    text, score = piece
    logprob = UNLIKELY if score is None else math.log(min(max(score, SMALLEST), 1.0))
    return {
        "token": text,
        "logprob": logprob,
        "bytes": list(text.encode()),
        "top_logprobs": [],
    }


class StopWords:
    """Cuts a growing list of tokens before the first of the words that an answer stops at."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = stops
        self._text = ""
        self._given = 0  # characters that are out
        self._pieces: list[Piece] = []  # that are not
        self.is_hit = False

    def feed(self, pieces: Sequence[Piece], *, is_over: bool = False) -> list[Piece]:
        """The tokens that can be given out by now; some wait while a word may be beginning."""
        if self.is_hit:
            return []
        self._text += "".join(text for text, _ in pieces)
        self._pieces += pieces
        places = [place for stop in self._stops if (place := self._text.find(stop)) >= 0]
        self.is_hit = bool(places)
        longest = max(map(len, self._stops), default=1)
        end = min(places) if places else len(self._text)
        return self._take(end if places or is_over else end - longest + 1)

    def _take(self, end: int) -> list[Piece]:
        """Whole tokens up to a place; where a word was hit, the last one up to it."""
        taken = []
        while self._pieces and self._given < end:
            text, score = self._pieces[0]
            room = end - self._given
            if len(text) > room and not self.is_hit:
                break
            taken.append((text[:room], score))
            self._given += len(text[:room])
            self._pieces.pop(0)
        return taken


def finish_of(finish: str | None) -> str:
    """How an answer ended, in that API's words: one that repeated itself has stopped."""
    return "length" if finish == "length" else "stop"


def event(value: Mapping[str, Any]) -> str:
    """A value as an event of a stream."""
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"


DONE = "data: [DONE]\n\n"
WAITING = ": waiting\n\n"
