"""A folder annotated on Ray by a program that is killed: `python ray_annotating.py OUT [COUNT]`.

In a network of its own. What was seen is in OUT/results.json.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import annotating
from namespaces import HEAD, own_cluster, start_node
from PIL import Image

ASKED = ("--task", "segment", "--text", "cat ; dog", "--as", "coco,csv")
HERE = ("--workers", "2")
ENGINE = ("--engine", "ray", "--workers", "2")
KILLS = 3


def start(source: Path, out: Path, *words: str) -> subprocess.Popen[bytes]:
    """`annotate` as a process of its own, over the scripted model."""
    asked = ("annotate", str(source), *ASKED, "--save", str(out), *words)
    return subprocess.Popen([sys.executable, annotating.__file__, *asked])


def shards(folder: Path) -> list[Path]:
    return list(folder.glob(".annotate/*/0*.jsonl"))


def killed_at_random(out: Path, count: int) -> dict[str, Any]:
    """The same folder on this machine undisturbed, and on Ray by a program killed three times."""
    annotating.write_pictures(out / "in", count)
    began = time.monotonic()
    codes = [start(out / "in", out / "undisturbed", *HERE).wait()]
    seconds = [time.monotonic() - began]
    moments = sorted(random.Random(count).sample(range(1, count // 18), KILLS))
    killed = []
    for moment in moments:
        process = start(out / "in", out / "disturbed", *ENGINE)
        while len(shards(out / "disturbed")) < moment and process.poll() is None:
            time.sleep(0.01)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            killed.append(len(shards(out / "disturbed")))
        process.wait()
    began = time.monotonic()
    codes.append(start(out / "in", out / "disturbed", *ENGINE).wait())
    seconds.append(time.monotonic() - began)
    folders = [str(out / "undisturbed"), str(out / "disturbed")]
    same = subprocess.run(["diff", "-r", *folders]).returncode == 0
    rows = [row for path in shards(out / "disturbed") for row in path.read_text().splitlines()]
    files = [json.loads(row)["file"] for row in rows]
    before, began = os.times(), time.monotonic()
    codes.append(start(out / "in", out / "disturbed", *ENGINE).wait())
    after = os.times()
    again = after.children_user - before.children_user
    again += after.children_system - before.children_system
    return {
        "codes": codes,
        "killed": killed,
        "same": same,
        "rows": len(files),
        "unique": len(set(files)),
        "seconds": [round(one, 1) for one in seconds],
        "again": {"processor": again, "wall": time.monotonic() - began},
    }


def a_picture_ends_its_actor(out: Path) -> dict[str, Any]:
    """A picture that ends whatever looks at it, here and on Ray."""
    annotating.write_pictures(out / "some", 64)
    Image.new("RGB", (24, 16), annotating.RED).save(out / "some" / "0002.png")
    codes = [start(out / "some", out / "here", *HERE).wait()]
    began = time.monotonic()
    codes.append(start(out / "some", out / "there", *ENGINE).wait())
    seconds = time.monotonic() - began
    folders = [str(out / "here"), str(out / "there")]
    same = subprocess.run(["diff", "-r", *folders]).returncode == 0
    rows = [row for path in shards(out / "there") for row in path.read_text().splitlines()]
    failed = [one["file"] for one in map(json.loads, rows) if "error" in one]
    return {"codes": codes, "same": same, "failed": failed, "seconds": seconds}


def main(out: Path, count: int) -> None:
    """Both, one after the other."""
    with own_cluster(out) as results:
        start_node(*HEAD, "--num-cpus", "3", "--object-store-memory", str(120 * 2**20))
        results["killed"] = killed_at_random(out, count)
        print(results, flush=True)
        results["ended"] = a_picture_ends_its_actor(out)
        print(results, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5000)
