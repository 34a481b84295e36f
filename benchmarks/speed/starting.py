"""Starting: what a cold process takes, by processor time.

    python -m benchmarks starting [--rounds 7] [--json FILE]

| row | what it does | bar |
|---|---|---|
| import | `import gemma_vision` | under 0.2 seconds |
| first box | imports, loads and finds something | under 1.5 times `import torch` |
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from gemma_vision.web.server.uploads import EXAMPLES

IMPORT_SECONDS, FIRST_BOX = 0.2, 1.5
PROGRAMS = {
    "import gemma_vision": "import gemma_vision",
    "import torch": "import torch",
    "first box": (
        "import gemma_vision, sys\n"
        "pipeline = gemma_vision.load('tiny')\n"
        "request = gemma_vision.Request(sys.argv[1], 'detect', 'cat')\n"
        "next(answer for answer in pipeline.stream(request) if answer.instances)"
    ),
}


def main() -> None:
    """Print the rows, and write them as JSON where asked."""
    parser = argparse.ArgumentParser("python -m benchmarks starting")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()
    picture = EXAMPLES / "scene-1.jpg"
    found: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(options.rounds):
        for name, program in PROGRAMS.items():
            found[name].append(seconds_of(program, str(picture)))
    report = judged({name: statistics.median(times) for name, times in found.items()})
    print(json.dumps(report, indent=1))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))


def seconds_of(program: str, *words: str) -> float:
    """Processor time of a process of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program, *words], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def judged(seconds: dict[str, float]) -> dict[str, Any]:
    """The medians, and whether each bar is met."""
    times = seconds["first box"] / seconds["import torch"]
    return {
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "first box, times import torch": round(times, 2),
        "import met": seconds["import gemma_vision"] < IMPORT_SECONDS,
        "first box met": times < FIRST_BOX,
    }


if __name__ == "__main__":
    main()
