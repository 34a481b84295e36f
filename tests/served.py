"""A running app for tests: the real page and endpoints over a scripted model, in its own process.

`python served.py PORT [FAMILY]` is that process; `served()` starts it once for all tests. What the
scripted engine was asked and did is read from a file that it writes at every step.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).parent.parent
START_SECONDS = 120
LISTING = "listing"
ALONE = "alone"

SEGS = "".join(f"<seg{code:03d}>" for code in range(16))
CAT_AND_DOG = "<loc0102><loc0102><loc0512><loc0460> cat ; <loc0307><loc0562><loc0921><loc0972> dog"
BOX = "<loc0102><loc0102><loc0512><loc0460>"
TWO_MASKS = CAT_AND_DOG.replace(" cat", f" {SEGS} cat").replace(" dog", f" {SEGS} dog")
THOUGHTFUL = (  # of Gemma 4: a box in the thought is none of the answer's
    '<|channel>thought\nPerhaps [{"box_2d": [1, 2, 3, 4], "label": "dog"}], or '
    "<b>no</b>.\n<channel|>"
    '[{"box_2d": [100, 100, 500, 450], "label": "cat"}]'
)
LONG = " ; ".join(
    f"<loc{n:04d}><loc{n:04d}><loc{n + 200:04d}><loc{n + 200:04d}> cat" for n in range(0, 800, 4)
)
TWELVE = " ; ".join(
    f"<loc{80 * n:04d}><loc{80 * n:04d}><loc{80 * n + 100:04d}><loc{80 * n + 100:04d}> thing {n}"
    for n in range(12)
)
SIXTY = " ; ".join(
    f"<loc{y:04d}><loc{x:04d}><loc{y + 90:04d}><loc{x + 90:04d}> a name as long as that"
    for y in range(0, 900, 150)
    for x in range(0, 1000, 100)
)
# Words that try to be code, or to be taken for something else; none holds a mark of the language.
CODES = (
    "<img src=x onerror=window.stolen=1>",
    "<svg onload=window.stolen=1>",
    "</td></p><script>window.stolen=1</script>",
    "<iframe srcdoc='<script>parent.stolen=1</script>'>",
    '"><a href=javascript:window.stolen=1 autofocus onfocus=window.stolen=1>here</a>',
    "`${window.stolen=1}`",
    "{{constructor.constructor('window.stolen=1')()}}",
    "{% raw %}{{value}}<%= 1 %>",
    "[here](javascript:window.stolen=1) ![](http://127.0.0.1:9/x.png)",
    "__i18n__{}",
    "javascript:window.stolen=1",
    '=HYPERLINK("http://127.0.0.1:9")',
    "../../etc/passwd",
    "cat \u202egnp.exe",
    "zero\u200bwidth\u200djoined",
    "\u05d0\u05d1 \u0627\u0628",
    "w" * 2000,
)
EVIL = "`${window.stolen=1}`{{value}}<img src=x onerror=window.stolen=1>"


# By words of the prompt.
ANSWERS = {
    "ponder": THOUGHTFUL,
    "blank": "",
    "twelve": TWELVE,
    "sixty": SIXTY,
    "long": LONG,
}


def speak(prompt: Any) -> str:
    """What the scripted model says: by task, and by words that a test puts into the prompt."""
    if "fail" in prompt.text:
        raise RuntimeError("a secret that no visitor reads")
    if "evil" in prompt.text:
        return f"<loc0102><loc0102><loc0512><loc0460> {EVIL}"
    if "codes" in prompt.text:
        is_naming = prompt.text.startswith(("detect", "segment"))
        return " ; ".join(f"{BOX} {code}" for code in CODES) if is_naming else "\n".join(CODES)
    for word, answer in ANSWERS.items():
        if word in prompt.text:
            return answer
    if prompt.text.startswith("segment"):
        return TWO_MASKS
    if prompt.text.startswith("detect"):
        return CAT_AND_DOG
    return "two animals on a lawn"


@dataclass(frozen=True)
class Served:
    """A running app: its address, where it keeps uploads, and what its model did."""

    url: str
    folder: Path
    log: Path

    def engine(self) -> dict[str, Any]:
        """{"prompts": [[text, max_tokens, temperature, seed], ...], "steps", "cancelled"}"""
        return dict(json.loads((self.folder.parent / "engine.json").read_text()))


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@cache
def served(family: str = "") -> Served:
    """The app over a scripted model, started when first asked for and ended with the tests.

    family: one of the library's rows, for its wording and what it can do; "" is a simple stand-in,
    `LISTING` one that knows two names only, `ALONE` one that gives one answer at a time.
    """
    port = free_port()
    return start(port, [__file__, str(port), *([family] if family else [])], "ready")


@cache
def embedded(*arguments: str, **environment: str) -> Served:
    """`python app.py` as a person starts it, over the checkpoint that comes inside.

    environment: variables that it has beside those of the tests.
    """
    return start(free_port(), ["app.py", *arguments], "is up at", environment)


def start(
    port: int, command: list[str], ready: str, variables: Mapping[str, str] | None = None
) -> Served:
    """A process of its own, ended with the tests; it is there once it has printed `ready`."""
    served, process = start_process(port, command, ready, variables)
    atexit.register(end, process, served.folder.parent)
    return served


def start_process(
    port: int, command: list[str], ready: str, variables: Mapping[str, str] | None = None
) -> tuple[Served, subprocess.Popen[bytes]]:
    """As `start`, with the process, which the caller has to `end`."""
    home = Path(tempfile.mkdtemp(prefix="gemma-vision-test-"))
    served = Served(f"http://127.0.0.1:{port}/", home / "uploads", home / "log")
    own = {"GRADIO_TEMP_DIR": str(served.folder), "GRADIO_SERVER_PORT": str(port)}
    environment = os.environ | own | {"HF_HUB_OFFLINE": "1"} | dict(variables or {})
    environment.pop("MODEL_ID", None)
    with served.log.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    latest = time.monotonic() + START_SECONDS
    while ready not in served.log.read_text():
        assert process.poll() is None and time.monotonic() < latest, served.log.read_text()
        time.sleep(0.1)
    return served, process


def end(process: subprocess.Popen[bytes], home: Path) -> None:
    """Nothing is left of it."""
    process.kill()
    process.wait()
    shutil.rmtree(home, ignore_errors=True)


def write_examples(folder: Path) -> None:
    """Two pictures with a task and words of their own, an answer to one of them, and a clip."""
    from films import film

    folder.mkdir()
    rows = [("sky.png", "segment", "cat ; dog", "#77aadd"), ("sand.png", "caption", "", "#ccaa77")]
    for name, _, _, color in rows:
        Image.new("RGB", (640, 480), color).save(folder / name)
    listing = [{"image": name, "task": task, "text": text} for name, task, text, _ in rows]
    listing[0]["answer"] = TWO_MASKS
    listing.append({"video": film(folder / "clip.mp4").name, "task": "detect", "text": "dog"})
    (folder / "examples.json").write_text(json.dumps(listing))


def main(port: int, family: str = "") -> None:
    """Serve until killed."""
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    from fake_engine import FakeEngine, fake_pipeline

    from gemma_vision.requests.prompts import FAMILIES
    from gemma_vision.runtime.engine import Chunk, Prompt
    from gemma_vision.web import app as web_app
    from gemma_vision.web.jobs.events import MODEL_QUEUE
    from gemma_vision.web.server import uploads

    record = Path(os.environ["GRADIO_TEMP_DIR"]).parent / "engine.json"
    writing = threading.Lock()  # answers grow side by side

    class WatchedEngine(FakeEngine):
        """Writes down what it was asked and did."""

        def stream(self, prompts: Sequence[Prompt]) -> Iterator[list[Chunk | None]]:
            steps = super().stream(prompts)
            try:
                for step in steps:
                    self.write()
                    yield step
            finally:
                steps.close()  # type: ignore[attr-defined]
                self.write()

        def write(self) -> None:
            self.prompts = [replace(prompt, images=()) for prompt in self.prompts]
            asked = [[p.text, p.max_tokens, p.temperature, p.seed] for p in self.prompts]
            chosen = [[p.budget, p.thinking] for p in self.prompts]
            done = {
                "prompts": asked,
                "chosen": chosen,
                "steps": self.steps,
                "cancelled": self.cancelled,
            }
            draft = record.with_suffix(".draft")
            with writing:
                draft.write_text(json.dumps(done))
                draft.replace(record)

    uploads.EXAMPLES = record.parent / "examples"
    write_examples(uploads.EXAMPLES)
    pipeline = fake_pipeline()
    if family == LISTING:
        pipeline.card["names"] = ["cat", "dog"]
    elif family == ALONE:
        MODEL_QUEUE["concurrency_limit"] = 1
    elif family:
        pipeline.family = FAMILIES[family]
        pipeline.tasks = pipeline.family.tasks
    pipeline.engine = engine = WatchedEngine(speak, delay=0.01)
    engine.write()
    app = web_app.build_app(pipeline)
    web_app.serve(app, "127.0.0.1", port)
    print("ready", flush=True)
    app.block_thread()


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
