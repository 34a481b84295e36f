"""Reporting: what a run tells while it learns: lines on standard error, the page, a tracker."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from gemma_vision.finetuning.preparation import Prepared
from gemma_vision.finetuning.results.facts import command_of
from gemma_vision.finetuning.results.progress_page import RUNNING, left_of, write_page
from gemma_vision.finetuning.results.trackers import open_tracker
from gemma_vision.optimization.metrics_log import MetricsLog
from postprocess.streams import is_terminal, print_message

EVERY = 10.0  # seconds between lines where they cannot be rewritten


def print_sentence(sentence: str) -> None:
    """On standard error, where progress goes."""
    print_message(sentence)


class Reporter:
    """Hands the rows of a run on, and keeps its page.

    tell: takes each sentence. Lines of a terminal are rewritten only where sentences go there too.
    """

    def __init__(self, prepared: Prepared, tell: Callable[[str], None]) -> None:
        self.plan, self._tell = prepared.plan, tell
        self.resume = f"{command_of(prepared.plan)} --resume"
        self._told = -EVERY
        self._is_open = False  # a line that is rewritten stands on the terminal
        self._tracker = open_tracker(
            self.plan.log_to,
            folder=self.plan.state,
            name=self.plan.name,
            settings=prepared.beginning.settings,
        )
        self._log = MetricsLog(self.plan.state / "finetune.jsonl")
        self._rows: list[dict[str, Any]] = self._log.rows()
        self.page(RUNNING, "")

    def tell(self, sentence: str) -> None:
        """A sentence on a line of its own."""
        if self._is_open:
            print_message("")
            self._is_open = False
        self._tell(sentence)

    @property
    def is_watched(self) -> bool:
        """Whether somebody sees a line that is rewritten."""
        return self._tell is print_sentence and is_terminal()

    def rewrite(self, text: str) -> None:
        """How far it is, on the one line of a terminal that is written over."""
        if self.is_watched:
            print_message(f"\r{text}\033[K", end="")
            self._is_open = True

    def row(self, row: dict[str, Any]) -> None:
        """A row of figures, as it is written down."""
        self._rows = [one for one in self._rows if one["steps"] <= row["steps"]]
        self._rows.append(row)
        self._tracker.add(row)
        self.page(RUNNING, "")
        self.line(row)

    def line(self, row: Mapping[str, Any]) -> None:
        """How far it is."""
        is_scored, now = "held_score" in row, time.monotonic()
        if not (is_scored or self.is_watched) and now - self._told < EVERY:
            return
        self._told = now
        text = f"{row['progress']:.0%}, step {row['steps']}, {left_of(row)}"
        if is_scored:
            self.tell(f"{text}: {found_of(row)}")
        elif self.is_watched:
            self.rewrite(text)
        else:
            self.tell(f"{text}, loss {row.get('loss', 0.0):.3g}")

    def page(self, state: str, said: str) -> None:
        """Write the page anew."""
        write_page(
            self.plan.state,
            self._rows,
            name=self.plan.name,
            resume=self.resume,
            state=state,
            said=said,
        )

    def end(self, state: str, said: str) -> None:
        """The last page; no more rows come."""
        self._tracker.close()
        self.page(state, said)


def found_of(row: Mapping[str, Any]) -> str:
    """ "new 31 of 45, old 38 of 41" """
    titles = [key[5:-3] for key in row if key.startswith("held_") and key.endswith("_of")]
    return ", ".join(
        f"{title} {row[f'held_{title}_found']:g} of {row[f'held_{title}_of']:g} found"
        for title in titles
    )
