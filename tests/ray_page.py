"""The app over replicas on Ray, and visitors who stop or leave: `python ray_page.py OUT`.

In a network of its own that holds a loopback device alone. What was seen is in OUT/results.json:
of each way to end an answer, the seconds from when the visitor did so to the last step that the
replica made for it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import browsing
import ray
import served
from gradio_client import Client, handle_file
from namespaces import HEAD, own_cluster, start_node
from PIL import Image
from playwright.sync_api import BrowserContext, Page, sync_playwright
from ray import serve
from ray_scenarios import WatchedEngine, wait_for
from served import LONG, Served, embedded

from gemma_vision.runtime.engine import Prompt
from gemma_vision.runtime.remote.ray_engine import APPLICATION, DEPLOYMENT
from serving.app import options_of
from serving.replica import Replica

MODEL = "tiny"
STEP = 0.05  # seconds a token: an answer takes more than half a minute
TIMES = 5  # that each is tried
PATIENCE = 300_000  # milliseconds; a browser beside a cluster on a busy machine
WORDS = "cat"
CLICKED = """() => document.querySelector('#stop').addEventListener('click',
  () => { window.clicked = performance.timeOrigin + performance.now(); }, true)"""


def say(prompt: Prompt) -> str:
    """At length, whatever is asked."""
    return LONG


class PageReplica(Replica):
    """A replica that says it is the embedded checkpoint, over a scripted model."""

    def _load(self, model: str) -> Any:
        return WatchedEngine(say, delay=STEP, name=model)

    async def status(self) -> dict[str, Any]:
        engine: Any = self._engines[MODEL]
        own = {"last": engine.last, "cancelled": engine.cancelled, "steps": engine.steps}
        return await super().status() | own


class Watch:
    """What the replica does, as it says itself. It is asked in a thread, for the browser's own has
    a loop of events, in which nobody may wait for Ray.
    """

    def __init__(self) -> None:
        self._handle = serve.get_deployment_handle(DEPLOYMENT, APPLICATION)
        self._thread = ThreadPoolExecutor(1)

    def _only(self, name: str) -> Any:
        return self._thread.submit(self._ask).result()[name]

    def _ask(self) -> dict[str, Any]:
        return dict(self._handle.status.remote().result(timeout_s=60))

    def begun(self) -> None:
        """Until the replica has made some steps of an answer."""
        before = self._only("steps")
        wait_for(lambda: self._only("running") > 0 and self._only("steps") > before + 5, 300)

    def ended(self, moment: float) -> float:
        """Seconds from a moment to the last step; the replica has nothing to do any more."""
        wait_for(lambda: not self._only("running"), 30)
        return float(self._only("last")) - moment

    def cancelled(self) -> int:
        """How many answers came to no end of their own."""
        return int(self._only("cancelled"))


def open_page(context: BrowserContext, app: Served, picture: Path) -> Page:
    """A page of its own with a picture and a wish."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(app.url)
    page.wait_for_selector("#run")
    page.set_input_files("#picture input[type=file]", picture)
    page.wait_for_selector("#picture img")
    page.fill("#words textarea", WORDS)
    page.evaluate(CLICKED)
    browsing.give_room(page)
    return page


def stopped(context: BrowserContext, app: Served, picture: Path, watch: Watch) -> Iterator[float]:
    """Stop is clicked: the page shows what was found so far."""
    page = open_page(context, app, picture)
    for _ in range(TIMES):
        browsing.is_enabled(page, "run")
        page.click("#run")
        watch.begun()
        page.locator("#stop:not([disabled])").evaluate("(button) => button.click()")
        page.wait_for_selector("#viewer .gv[data-state=stopped]")
        clicked = page.evaluate("() => window.clicked") / 1000
        yield watch.ended(clicked - time.time() + time.monotonic())
    page.close()


def closed(context: BrowserContext, app: Served, picture: Path, watch: Watch) -> Iterator[float]:
    """The tab is closed."""
    for _ in range(TIMES):
        page = open_page(context, app, picture)
        page.click("#run")
        watch.begun()
        page.close()  # it takes the browser a while, part of which the app knows of already
        yield watch.ended(time.monotonic())


def cancelled(context: BrowserContext, app: Served, picture: Path, watch: Watch) -> Iterator[float]:
    """A program cancels its job."""
    client = Client(app.url, verbose=False)
    for _ in range(TIMES):
        job = client.submit(handle_file(picture), WORDS, max_tokens=1000, api_name="/detect")
        watch.begun()
        moment = time.monotonic()
        job.cancel()
        yield watch.ended(moment)


def tried(way: Callable[..., Iterator[float]], *about: Any, watch: Watch) -> dict[str, Any]:
    """Seconds of each time, and how many answers came to no end of their own."""
    before = watch.cancelled()
    seconds = [round(one, 3) for one in way(*about, watch)]
    return {"seconds": seconds, "cancelled": watch.cancelled() - before}


def main(out: Path) -> None:
    """Every way, one after the other."""
    picture = out / "picture.png"
    served.START_SECONDS = PATIENCE // 1000
    Image.new("RGB", (640, 480), "#77aadd").save(picture)
    with own_cluster(out) as results:
        results |= {"step": STEP, "times": TIMES}
        start_node(*HEAD, "--num-cpus", "2", "--object-store-memory", str(120 * 2**20))
        ray.init(address="auto", namespace="serve", log_to_driver=False)
        serve.start(proxy_location="Disabled")
        watched: Any = serve.deployment(name=DEPLOYMENT)(PageReplica)
        place = options_of({"num_cpus": 0.5})
        serve.run(watched.options(**place).bind(MODEL), name=APPLICATION, route_prefix=None)
        watch, app = Watch(), embedded("--engine", "ray")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=browsing.CHROMIUM, args=["--no-sandbox"]
            )
            context = browser.new_context(viewport=browsing.LAPTOP)
            for name, way in {"stop": stopped, "closed": closed, "cancelled": cancelled}.items():
                results[name] = tried(way, context, app, picture, watch=watch)
                print(name, results[name], flush=True)
            browser.close()
        results["log"] = "Traceback" in app.log.read_text()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
