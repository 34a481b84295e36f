"""Download: a model's files brought from the Hub, with a count of the bytes and a way to stop.

The Hub's client draws progress bars; here it gets a `Bar` that draws nothing and tells a reporter.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from gemma_vision.checkpoints.access_token import AccessToken
from gemma_vision.checkpoints.progress import Cancelled, ProgressReporter

LOOK = 0.2  # seconds between two looks at whether it was called off
PATIENCE = 10.0  # seconds that a transfer which was called off is waited for
CONNECT = 4.0  # seconds within which a Hub that can be reached says something


def download(
    hub_id: str,
    patterns: Sequence[str],
    reporter: ProgressReporter | None = None,
    revision: str | None = None,
    token: AccessToken | None = None,
) -> Path:
    """The folder of a model's files that match the patterns, fetched where they are not here.

    revision: a commit; None is the newest. token: None is the machine's own, if any.
    Raises what the Hub's client raises, and Cancelled when `reporter` was called off.
    """
    from huggingface_hub import snapshot_download

    fetch = partial(snapshot_download, hub_id, allow_patterns=list(patterns), revision=revision)
    if token is not None:
        fetch = partial(fetch, token=token.secret)
    if reporter is None:
        return Path(fetch())
    reporter.report("fetching")
    told = reporter

    class Told(Bar):
        reporter = told

    return _followed(lambda: Path(fetch(tqdm_class=Told)), reporter)


def fetch_file(space: str, name: str) -> Path:
    """One small file of a Space: from the Hub's cache, or fetched where it is not there.

    The Hub's client tries five times more where it cannot reach the Hub, for half a minute; here
    it is asked once what it knows of the file. Raises what the client raises, and TimeoutError.
    """
    from huggingface_hub import hf_hub_download, hf_hub_url, try_to_load_from_cache

    kept = try_to_load_from_cache(space, name, repo_type="space")
    if isinstance(kept, str):
        return Path(kept)
    _ask(hf_hub_url(space, name, repo_type="space"))
    return Path(hf_hub_download(space, name, repo_type="space", etag_timeout=CONNECT))


def _ask(url: str) -> None:
    """Ask about a file, in a thread: the look-up of a name knows no time limit of its own."""
    from huggingface_hub import get_hf_file_metadata

    ended: list[BaseException | None] = []

    def work() -> None:
        try:
            get_hf_file_metadata(url, timeout=CONNECT)
            ended.append(None)
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=work, name="ask", daemon=True)
    thread.start()
    thread.join(2 * CONNECT)  # a connection, then an answer
    error = ended[0] if ended else TimeoutError(f"no answer in {2 * CONNECT} seconds")
    if error is not None:
        raise error


def _followed(fetch: Callable[[], Path], reporter: ProgressReporter) -> Path:
    """Run `fetch` in a thread, so that it can be called off while it waits for the network."""
    ended: list[Path | BaseException] = []

    def work() -> None:
        try:
            ended.append(fetch())
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=work, name="fetch", daemon=True)
    thread.start()
    while thread.is_alive() and not reporter.is_cancelled:
        thread.join(LOOK)
    if reporter.is_cancelled:
        _abort()
        thread.join(PATIENCE)
        raise Cancelled
    (result,) = ended
    if isinstance(result, BaseException):
        raise result
    return result


def _abort() -> None:
    """End what the client has under way in its own transfer library, which hears no exception."""
    with contextlib.suppress(ImportError):
        from huggingface_hub.utils import _xet

        with contextlib.suppress(Exception):  # where nothing is under way
            _xet.abort_xet_session()  # type: ignore[no-untyped-call]


class Bar:
    """Stands in for tqdm in the Hub's client.

    Of the bars that count bytes (one for the network, one for the disk) the reporter is told the
    furthest.
    """

    reporter: ProgressReporter
    _lock = threading.Lock()

    def __init__(self, *_: Any, total: int | None = None, initial: int = 0, **options: Any) -> None:
        self.total = total or 0
        self.n = initial
        self._counts_bytes = options.get("unit") == "B"
        self.format_dict: dict[str, Any] = {}  # the client reads a rate here

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was drawn."""

    def update(self, count: float | None = 1) -> None:
        """So many bytes, or files, more; ends the transfer by an exception when called off."""
        if self.reporter.is_cancelled:
            raise Cancelled
        with self._lock:
            self.n += int(count or 0)
        self.refresh()

    def refresh(self, *_: Any, **__: Any) -> None:
        """Tell how far it is; the client calls this too when it learns of a further file."""
        if self._counts_bytes and not self.reporter.is_cancelled:
            progress = self.reporter.progress
            done = max(self.n, progress.done if progress else 0)
            self.reporter.report("fetching", done, max(done, self.total))

    def close(self, *_: Any, **__: Any) -> None:
        """Nothing was drawn."""

    set_postfix_str = set_description = set_description_str = close
