"""Worker program: a process of its own that annotates for another, one group behind the other.

`python -m gemma_vision.annotate.worker_program` reads a line of JSON that says what is asked, of
which pictures and of which model, then lines with the names of some pictures. It answers each of
these with a line {"rows": [...]}, or {"error": {"code", "message"}} where it cannot work at all.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from functools import cache
from typing import TYPE_CHECKING, Any, TextIO

import gemma_vision
from gemma_vision.annotate.group_run import annotate_names
from gemma_vision.annotate.plan import AnnotationPlan
from gemma_vision.annotate.sources import PictureSource
from gemma_vision.errors import describe
from postprocess.errors import UserError

if TYPE_CHECKING:
    from gemma_vision.pipeline import Pipeline


def main() -> int:
    """Work until the input ends, as it does when whoever started this is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started this decides
    answers = own_output()
    begun = json.loads(sys.stdin.readline() or "null")
    if begun is None:
        return 0
    plan, source = AnnotationPlan(**begun["plan"]), PictureSource(begun["source"])

    @cache
    def load() -> Pipeline:
        return gemma_vision.load(**begun["model"])

    for line in sys.stdin:
        try:
            came: dict[str, Any] = {"rows": annotate_names(plan, source, json.loads(line), load)}
        except UserError as error:
            code, message = describe(error)
            came = {"error": {"code": code, "message": message}}
        print(json.dumps(came), file=answers, flush=True)
    return 0


def own_output() -> TextIO:
    """Where answers go; whatever else is printed goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    return answers


if __name__ == "__main__":
    sys.exit(main())
