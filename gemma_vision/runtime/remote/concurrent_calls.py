"""Concurrent calls: several models elsewhere asked at once, and what they bring as it comes."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence

from gemma_vision.runtime.engine import Chunk

Call = Callable[[], Iterator[Chunk]]
News = tuple[int, Chunk | BaseException | None]  # whose, and what; None is the end


def run_calls(
    calls: Sequence[Call],
    over: threading.Event,
    *,
    most: int,
    explained: Callable[[BaseException], BaseException] = lambda error: error,
) -> Iterator[list[Chunk | None]]:
    """The chunks of all calls in the order in which they come, as an engine gives them.

    over: set when this ends or is closed; a call looks at it to end too. most: calls at once.
    explained: an error of a call as it is raised here.
    """
    news: queue.SimpleQueue[News] = queue.SimpleQueue()
    waiting, turn = iter(list(enumerate(calls))), threading.Lock()

    def work() -> None:
        while not over.is_set():
            with turn:
                found = next(waiting, None)
            if found is None:
                return
            index, call = found
            try:
                for chunk in call():
                    news.put((index, chunk))
                news.put((index, None))
            except BaseException as error:
                news.put((index, explained(error)))

    for _ in range(min(len(calls), most)):
        threading.Thread(target=work, name="call elsewhere", daemon=True).start()
    running = len(calls)
    try:
        while running:
            index, came = news.get()
            if isinstance(came, BaseException):
                raise came
            running -= came is None
            if came is not None:
                yield [came if place == index else None for place in range(len(calls))]
    finally:
        over.set()
