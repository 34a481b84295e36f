"""`annotate` over a scripted model, as a program that can be killed, and as its worker.

`python annotating.py ARGV...` is the command line, `python -m annotating` a worker of it. What the
model says of a picture follows from its pixels. A picture that is all red ends the process.
"""

from __future__ import annotations

import hashlib
import os
import random
import sys
import time
from pathlib import Path

from fake_engine import fake_pipeline
from PIL import Image

from gemma_vision.runtime.engine import Prompt

RED = (255, 0, 0)
DELAY = 0.004  # seconds a step: a batch of pictures takes about 30 ms


def say(prompt: Prompt) -> str:
    """Two boxes somewhere, by what the picture holds."""
    (image,) = prompt.images
    if image.getpixel((0, 0)) == RED:
        os._exit(9)
    digest = hashlib.sha256(image.tobytes()).digest()
    boxes = [
        f"<loc{y:04d}><loc{x:04d}><loc{y + 300:04d}><loc{x + 300:04d}>" for y, x in (digest[:2],)
    ]
    codes = "".join(f"<seg{value % 128:03d}>" for value in digest[2:18])
    return f"{boxes[0]} {codes} cat ; {boxes[0]} dog"


def write_pictures(folder: Path, count: int, *, seed: int = 0) -> None:
    """So many small pictures, in nested folders whose files share their names."""
    draw = random.Random(seed)
    for number in range(count):
        place = folder / ("", "a", "a/b c", "d")[number % 4]
        place.mkdir(parents=True, exist_ok=True)
        color = tuple(draw.randrange(200) for _ in range(3))
        Image.new("RGB", (24, 16), color).save(place / f"{number // 4:04d}.png")


def script_models(delay: float = DELAY) -> None:
    """Have every name of a model be the scripted one."""
    import gemma_vision
    from gemma_vision.registry import loading

    def load(*arguments: object, **options: object) -> object:
        time.sleep(delay)
        return fake_pipeline(say, delay=delay)

    loading.load = gemma_vision.load = load  # type: ignore[assignment]


def run_command() -> int:
    """The command line over the scripted model, which its workers have too, here or on Ray."""
    from gemma_vision.annotate import executors, ray_executor
    from gemma_vision.cli import main

    def join(address: str) -> None:
        import ray

        hook = {"worker_process_setup_hook": "annotating.script_models"}
        ray.init(address="auto", namespace="serve", log_to_driver=False, runtime_env=hook)

    executors.PROGRAM = "annotating"
    ray_executor.join_cluster = join
    return main(sys.argv[1:])


if __name__ == "__main__":
    script_models()
    if len(sys.argv) > 1:
        sys.exit(run_command())
    from gemma_vision.annotate.worker_program import main as work

    sys.exit(work())
