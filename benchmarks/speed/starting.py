"""Starting: what a cold process takes, by processor time, and its peak of memory.

    python -m benchmarks starting [--model tiny | FOLDER] [--rounds 7] [--json FILE]

| row | what it does | bar |
|---|---|---|
| import | `import gemma_vision` | under 0.2 seconds |
| first box | imports, loads and finds something | under 1.5 times `import torch` |
| load.first_token | imports, loads and writes a token | 4 times as fast as transformers |
| mem.peak | five things found in one picture after another | 1.02 times theirs at most |

transformers does the last two from the same folder, on one thread: `AutoProcessor`,
`AutoModelForImageTextToText` and a greedy `generate`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from gemma_vision.checkpoints.hub import find
from gemma_vision.web.server.uploads import EXAMPLES

IMPORT_SECONDS, FIRST_BOX, FIRST_TOKEN, PEAK = 0.2, 1.5, 4.0, 1.02
TOKENS = 40  # of an answer whose memory is measured

OURS = """
import gemma_vision, sys
pipeline = gemma_vision.load(sys.argv[2], device="cpu")
request = gemma_vision.Request(sys.argv[1], "detect", "cat", max_tokens={tokens})
"""
THEIRS = """
import sys, torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor
processor = AutoProcessor.from_pretrained(sys.argv[2])
model = AutoModelForImageTextToText.from_pretrained(sys.argv[2]).eval()
picture = Image.open(sys.argv[1]).convert("RGB")
inputs = processor(images=picture, text="<image>detect cat", return_tensors="pt")
with torch.inference_mode():
    for _ in range({rounds}):
        model.generate(**inputs, max_new_tokens={tokens}, do_sample=False)
"""
# Its own peak: what getrusage tells of a child is at least the size of the process it came from.
TELL_PEAK = """
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM:")))
"""
PROGRAMS = {
    "import gemma_vision": "import gemma_vision",
    "import torch": "import torch",
    "first box": OURS.format(tokens=64)
    + "next(answer for answer in pipeline.stream(request) if answer.instances)",
    "first token": OURS.format(tokens=1) + "pipeline.run(request)",
    "first token, transformers": THEIRS.format(tokens=1, rounds=1),
    "answers": OURS.format(tokens=TOKENS) + "for _ in range(5): pipeline.run(request)",
    "answers, transformers": THEIRS.format(tokens=TOKENS, rounds=5),
}


class Spent(NamedTuple):
    """What a process took: seconds of processor time, and its peak of memory in MB."""

    seconds: float
    memory: float


def main() -> None:
    """Print the rows, and write them as JSON where asked."""
    parser = argparse.ArgumentParser("python -m benchmarks starting")
    parser.add_argument("--model", default="tiny", help="tiny, a folder or a Hub id")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()
    words = (str(EXAMPLES / "scene-1.jpg"), str(find(options.model)))
    found: dict[str, list[Spent]] = {name: [] for name in PROGRAMS}
    for _ in range(options.rounds):
        for name, program in PROGRAMS.items():
            found[name].append(run(program, *words))
    report = judged({name: median(spent) for name, spent in found.items()})
    print(json.dumps(report, indent=1))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))


def run(program: str, *words: str) -> Spent:
    """What a Python of its own takes for a program, on one thread."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    line = [sys.executable, "-W", "ignore", "-c", program + TELL_PEAK, *words]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"A program ended with {done.returncode}:\n{program}\n{done.stderr}")
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(seconds, int(done.stdout.split()[-2]) / 1024)


def median(spent: list[Spent]) -> Spent:
    """Of both figures."""
    return Spent(*(statistics.median(figures) for figures in zip(*spent, strict=True)))


def judged(spent: dict[str, Spent]) -> dict[str, Any]:
    """The medians, and whether each bar is met."""
    box = spent["first box"].seconds / spent["import torch"].seconds
    token = spent["first token, transformers"].seconds / spent["first token"].seconds
    peak = spent["answers"].memory / spent["answers, transformers"].memory
    return {
        "seconds": {name: round(value.seconds, 3) for name, value in spent.items()},
        "peak MB": {name: round(value.memory) for name, value in spent.items()},
        "first box, times import torch": round(box, 2),
        "load.first_token, times as fast": round(token, 2),
        "mem.peak, times theirs": round(peak, 2),
        "import met": spent["import gemma_vision"].seconds < IMPORT_SECONDS,
        "first box met": box < FIRST_BOX,
        "load.first_token met": token >= FIRST_TOKEN,
        "mem.peak met": peak <= PEAK,
    }


if __name__ == "__main__":
    main()
