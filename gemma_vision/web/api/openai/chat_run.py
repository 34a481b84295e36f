"""Chat run: one call carried out, piece by piece, by the app's pipeline."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeVar

from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.request import Request, Turn
from gemma_vision.requests.tasks import Task
from gemma_vision.web.api.openai.api_errors import ApiError
from gemma_vision.web.api.openai.chat_call import ChatCall, joined
from gemma_vision.web.api.openai.replies import JSON, StopWords, finish_of, usage_json
from gemma_vision.web.api.openai.token_log import Piece, logged
from gemma_vision.web.jobs.job import MAX_SECONDS, StreamRun
from gemma_vision.web.server.picture_worker import open_pictures

if TYPE_CHECKING:
    from PIL.Image import Image

T = TypeVar("T")


class ChatRun:
    """A call on its way. `pieces` gives what it writes; after it `content` and `finish` are whole.

    Raises ApiError, TaskError or ImageError for what cannot work, at the first piece at the latest.
    """

    def __init__(self, pipeline: Pipeline, call: ChatCall) -> None:
        if call.model != pipeline.name:
            message = f"The model {call.model[:80]!r} is not here; {pipeline.name} is."
            raise ApiError(message, "model_not_found", param="model", status=404)
        self.call = call
        self.content = ""
        self.finish = "stop"
        self.is_begun = False  # the pictures are open and the request is one
        self._pipeline, self._log = logged(pipeline)

    def pieces(self) -> Iterator[list[Piece]]:
        """Tokens again and again, an empty list now and then so that whoever reads can stop.

        An answer as JSON has none: its whole is in `content` at the end. Closing this stops it.
        """
        request = None
        for request in self._prepared():
            if request is None:
                yield []
        assert request is not None, "an error was raised"
        pipeline, sent, self.is_begun = self._pipeline, 0, True
        run = StreamRun(lambda: pipeline.stream(request), None, seconds=MAX_SECONDS)
        stops = StopWords(self.call.stops)
        answer = None
        for answer in run.follow():
            is_over = answer is not None and answer.finish is not None
            fresh = self._log.pieces[sent:]
            sent += len(fresh)
            yield self._given(stops.feed(fresh, is_over=is_over))
            if stops.is_hit:
                break
        if answer is not None:
            self.finish = "stop" if stops.is_hit else finish_of(answer.finish)
            if self.call.is_json:
                projection = self.call.projection
                whole = answer.to_dict()
                shown = whole if projection is None else projection.project(whole)
                self.content = json.dumps(shown, ensure_ascii=False)

    def usage(self) -> JSON:
        """How many tokens it took."""
        return usage_json(self._log.count_prompt(), self._log.num_tokens)

    def _given(self, pieces: list[Piece]) -> list[Piece]:
        if self.call.is_json:
            return []
        self.content += "".join(text for text, _ in pieces)
        return pieces

    def _prepared(self) -> Iterator[Request | None]:
        """The request with its pictures opened; None now and then until it is there."""
        opening = StreamRun(lambda: once(self._request), None, lock=None)
        for _ in opening.result():
            yield None
        yield opening.latest

    def _request(self) -> Request:
        """What the call asks for: a conversation where the checkpoint can, or its prompt alone."""
        files = [one.images for one in self.call.messages]
        opened = open_pictures(chain.from_iterable(files))
        images = [tuple(islice(opened, len(own))) for own in files]
        if Task.chat in self._pipeline.tasks:
            return chat_request(self.call, images)
        return prompt_request(self.call, images, self._pipeline.name)


def chat_request(call: ChatCall, images: list[tuple[Image, ...]]) -> Request:
    """A conversation; the last message is the user's."""
    turns = [
        Turn(one.role, joined(one.texts, "\n"), pictures)
        for one, pictures in zip(call.messages, images, strict=True)
    ]
    *earlier, last = turns
    if last.role != "user":
        message = "The last of the messages has to be the user's."
        raise ApiError(message, "invalid_messages", param="messages")
    return Request(last.images, Task.chat, last.text, turns=tuple(earlier), **call.options)


def prompt_request(call: ChatCall, images: list[tuple[Image, ...]], name: str) -> Request:
    """The words of the one message as the checkpoint's prompt, word for word: "detect cat"."""
    (first, *others) = call.messages
    if others or first.role != "user":
        message = f"{name} holds no conversations: send one message of the user."
        raise ApiError(message, "unsupported_messages", param="messages")
    return Request(images[0], Task.free, joined(first.texts, " "), **call.options)


def once(work: Callable[[], T]) -> Iterator[T]:
    """What a function gives, as a stream of one that can be stopped."""
    yield work()
