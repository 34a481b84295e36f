"""What is tried on Ray, in a network of its own: `python ray_scenarios.py OUT [COUNT]`.

Started by the tests inside `unshare --net`, where there is a loopback device alone: Ray opens its
ports on the machine's own address. Every scenario leaves what it saw in OUT/results.json.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import annotating
import ray
from fake_engine import FakeEngine, fake_pipeline
from namespaces import HEAD, neighbours, start_node
from PIL import Image
from ray import serve

import gemma_vision
from gemma_vision.cli import main as command
from gemma_vision.requests.request import Request
from gemma_vision.runtime.engine import Prompt
from gemma_vision.runtime.remote.ray_engine import (
    APPLICATION,
    DEPLOYMENT,
    RayEngine,
    ReplicaLostError,
)
from gemma_vision.synthetic.scene_dataset import write_dataset
from serving.app import build, options_of
from serving.replica import Replica

ROOT = Path(__file__).parent.parent
CLIENTS = 12
KILLS = 5
SCRIPTED = "scripted"
GROWING = "growing"
DELAYS = {"upscale_delay_s": 1, "downscale_delay_s": 5}
STEP = 0.02  # seconds of a step of the scripted model
LONG = " ".join(["word"] * 1000)
NAMES = ("cat", "dog", "ball", "fish")


def say(prompt: Prompt) -> str:
    """What the scripted model says: at length, or a box somewhere, by what the picture holds."""
    return LONG if "long" in prompt.text else annotating.say(prompt)


class WatchedEngine(FakeEngine):
    """Knows when it made its last step, on the clock of the machine."""

    last = 0.0

    def stream(self, prompts: Any) -> Any:
        steps = super().stream(prompts)
        try:
            for step in steps:
                self.last = time.monotonic()
                yield step
        finally:
            steps.close()  # type: ignore[attr-defined]


class ScriptedReplica(Replica):
    """A replica over the scripted model, which is there in a moment."""

    def _load(self, model: str) -> Any:
        return WatchedEngine(say, delay=STEP, name=model)

    async def status(self) -> dict[str, Any]:
        engine: Any = self._engines[SCRIPTED]
        return await super().status() | {"last": engine.last, "cancelled": engine.cancelled}


def scenes(out: Path, count: int, seed: int) -> list[Image.Image]:
    """Drawn scenes with things that the embedded checkpoint knows."""
    write_dataset(seed, count, out / f"scenes-{seed}", side=224, names=16)
    paths = sorted((out / f"scenes-{seed}").glob("*.png"))
    return [Image.open(path).convert("RGB") for path in paths]


def colors(count: int) -> list[Image.Image]:
    """Pictures of one colour each, each another."""
    return [Image.new("RGB", (32, 24), (10 * n, 200 - 10 * n, 7)) for n in range(count)]


def without_timing(answer: Any) -> dict[str, Any]:
    """An answer's JSON but for what depends on the moment."""
    return {name: value for name, value in answer.to_dict().items() if name != "timing"}


def statuses(pipeline: Any) -> dict[int, dict[str, Any]]:
    """What each replica says of itself, by its process."""
    handle = pipeline.engine._handle
    calls = [handle.options(session_id=f"status {n}").status.remote() for n in range(24)]
    told = [call.result(timeout_s=60) for call in calls]
    return {one["pid"]: one for one in told}


def same_answers(pipeline: Any, local: Any, images: list[Image.Image]) -> dict[str, Any]:
    tasks, asked = ("detect", "segment"), [*NAMES, " ; ".join(NAMES[:3])]
    requests = [
        Request(image, tasks[n % 2], text) for text in asked for n, image in enumerate(images)
    ]
    here = [without_timing(local.run(one)) for one in requests]
    there = [without_timing(pipeline.run(one)) for one in requests]
    streamed = [without_timing(list(pipeline.stream(one))[-1]) for one in requests[:4]]
    return {
        "count": len(requests),
        "things": sum(len(one["instances"]) for one in here),
        "differing": sum(a != b for a, b in zip(here, there, strict=True)),
        "streams_differing": sum(a != b for a, b in zip(here, streamed, strict=False)),
    }


def replicas_die(pipeline: Any, local: Any) -> dict[str, Any]:
    """kill -9 under the load of twelve clients; what came back, and what was expected."""
    images = colors(CLIENTS)
    expected = [without_timing(local.detect(image, "cat")) for image in images]
    over, lock = threading.Event(), threading.Lock()
    seen: list[bool] = []
    lost: list[str] = []
    slowest = [0.0]

    def client(number: int) -> None:
        while not over.is_set():
            began = time.monotonic()
            try:
                answer = without_timing(pipeline.detect(images[number], "cat"))
                with lock:
                    seen.append(answer == expected[number])
                    slowest[0] = max(slowest[0], time.monotonic() - began)
            except Exception as error:
                with lock:
                    lost.append(f"{type(error).__name__}: {error}")

    threads = [threading.Thread(target=client, args=(n,)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for _ in range(KILLS):
        wait_for(lambda: len(statuses(pipeline)) == 2, 120)
        os.kill(next(iter(statuses(pipeline))), signal.SIGKILL)
        time.sleep(0.5)
    over.set()
    for thread in threads:
        thread.join(120)
    whole = {"answered": len(seen), "right": sum(seen), "lost": lost, "slowest": slowest[0]}
    return whole | {"killed": KILLS}


def long_stream(pipeline: Any, image: Image.Image | None = None) -> Any:
    """The chunks of an answer that goes on for twenty seconds."""
    return pipeline.engine.stream([Prompt((image or colors(1)[0],), "long", max_tokens=2000)])


def stream_dies(pipeline: Any) -> dict[str, Any]:
    wait_for(lambda: len(statuses(pipeline)) == 2, 120)
    steps = long_stream(pipeline)
    came = [next(steps) for _ in range(5)]
    for pid, status in statuses(pipeline).items():
        if status["running"]:
            os.kill(pid, signal.SIGKILL)
    error = ""
    try:
        for step in steps:
            came.append(step)
    except ReplicaLostError as caught:
        error = f"{caught.code}: {caught}"
    wait_for(lambda: len(statuses(pipeline)) == 2, 120)
    return {"came": len(came), "error": error}


def stop_reaches_the_model(pipeline: Any) -> dict[str, Any]:
    """A long stream that is left: seconds until the last step that any replica made for it."""
    times = []
    for _ in range(5):
        steps = long_stream(pipeline)
        for _ in range(5):
            next(steps)
        began = time.monotonic()
        steps.close()
        wait_for(lambda: not any(one["running"] for one in statuses(pipeline).values()), 20)
        times.append(max(one["last"] for one in statuses(pipeline).values()) - began)
    cancelled = sum(one["cancelled"] for one in statuses(pipeline).values())
    return {"seconds": times, "cancelled": cancelled, "step": STEP}


def pictures_find_their_replica(pipeline: Any, images: list[Image.Image]) -> dict[str, Any]:
    before = statuses(pipeline)
    for name in NAMES:
        for image in images:
            pipeline.detect(image, name)
    after = statuses(pipeline)
    changes = {
        name: sum(after[pid][name] - before.get(pid, {}).get(name, 0) for pid in after)
        for name in ("hits", "misses")
    }
    return changes | {"replicas": len(after)}


def requests_side_by_side(pipeline: Any, local: Any, images: list[Image.Image]) -> dict[str, Any]:
    """Seconds for the same requests one after the other here, and 32 at once on Ray."""
    requests = [Request(image, "detect", "cat ; dog") for image in images for _ in range(4)]
    began = time.monotonic()
    for request in requests:
        local.run(request)
    here = time.monotonic() - began
    began = time.monotonic()
    pipeline.batch(requests, size=32)
    return {"here": here, "there": time.monotonic() - began, "requests": len(requests)}


def replicas_go_again(name: str) -> dict[str, Any]:
    """Replicas of an application under load, and seconds until one alone is left after it."""

    def running() -> int:
        (deployment,) = serve.status().applications[name].deployments.values()
        return int({str(k): v for k, v in deployment.replica_states.items()}.get("RUNNING", 0))

    engine = RayEngine(serve.get_deployment_handle(DEPLOYMENT, name), SCRIPTED)
    streams = [engine.stream([Prompt((image,), "long", max_tokens=4000)]) for image in colors(9)]
    for stream in streams:
        next(stream)
    wait_for(lambda: running() > 1, 120)
    most = running()
    for stream in streams:
        stream.close()
    began = time.monotonic()
    wait_for(lambda: running() == 1, 180)
    return {"most": most, "seconds": time.monotonic() - began}


def an_empty_call(pipeline: Any) -> dict[str, Any]:
    """Milliseconds of a call that does nothing: half of them take less."""
    times = []
    for _ in range(200):
        began = time.monotonic()
        pipeline.engine._handle.status.remote().result()
        times.append(1000 * (time.monotonic() - began))
    return {"p50": sorted(times)[100], "p99": sorted(times)[198]}


def models_take_turns(other: str, image: Image.Image) -> dict[str, Any]:
    here = gemma_vision.load("tiny", engine="ray")
    there = gemma_vision.load(other, engine="ray")
    said = [one.detect(image, " ; ".join(NAMES)).text for one in (here, there, here, there)]
    try:
        gemma_vision.load("google/paligemma-3b-mix-224", engine="ray").detect(image, "cat")
        refused = ""
    except ValueError as error:
        refused = f"{getattr(error, 'code', '')}"
    loaded = [one["models"] for one in statuses(here).values()]
    return {"said": said, "refused": refused, "most": max(map(len, loaded))}


def annotating_outlives_an_actor(out: Path) -> dict[str, Any]:
    """The same folder on this machine and on Ray, where one of two actors is killed."""
    import psutil

    annotating.write_pictures(out / "in", 96)
    words = ["annotate", str(out / "in"), "--text", "cat ; ball", "--as", "coco", "--save"]
    codes = [command([*words, str(out / "local")])]
    killed: list[int] = []

    def kill_one() -> None:
        while not list((out / "ray").glob(".annotate/*/*.jsonl")):
            time.sleep(0.02)
        for process in psutil.process_iter(["cmdline"]):
            line = " ".join(process.info["cmdline"] or ())
            if "ray::Annotator" in line and not killed:
                killed.append(process.pid)
                os.kill(process.pid, signal.SIGKILL)

    killer = threading.Thread(target=kill_one, daemon=True)
    killer.start()
    codes.append(command([*words, str(out / "ray"), "--engine", "ray", "--workers", "2"]))
    killer.join(10)
    same = subprocess.run(["diff", "-r", str(out / "local"), str(out / "ray")]).returncode == 0
    return {"codes": codes, "killed": len(killed), "same": same}


def wait_for(claim: Callable[[], bool], seconds: float) -> None:
    """Until it holds, or so long."""
    latest = time.monotonic() + seconds
    while time.monotonic() < latest:
        try:
            if claim():
                return
        except Exception:
            time.sleep(0.2)
        time.sleep(0.02)
    raise AssertionError("it did not come to that")


def begin_cluster() -> None:
    """A node of its own."""
    start_node(*HEAD, "--num-cpus", "6", "--object-store-memory", str(120 * 2**20))
    ray.init(address="auto", namespace="serve")


def main(out: Path, count: int) -> None:
    """Every scenario, one after the other; what goes wrong in one is told and ends no other."""
    results: dict[str, Any] = {}
    other = out / "other"
    shutil.copytree(ROOT / "gemma_vision" / "checkpoints" / "tiny", other)
    try:
        begin_cluster()
    except Exception as error:
        (out / "results.json").write_text(json.dumps({"unavailable": str(error)[:500]}))
        return
    serve.start(proxy_location="Disabled")
    arguments = {"model": "tiny", "models": str(other), "num_replicas": 2, "num_cpus": 0.5}
    serve.run(build(arguments), name=APPLICATION, route_prefix=None)
    watched: Any = serve.deployment(name=DEPLOYMENT)(ScriptedReplica)
    place = options_of({"num_replicas": 2, "num_cpus": 0.1})
    serve.run(watched.options(**place).bind(SCRIPTED), name=SCRIPTED, route_prefix=None)
    growing = {"min_replicas": 1, "max_replicas": 3, "target_ongoing_requests": 2}
    place = options_of(growing | DELAYS | {"num_cpus": 0.1})
    serve.run(watched.options(**place).bind(SCRIPTED), name=GROWING, route_prefix=None)
    handle = serve.get_deployment_handle(DEPLOYMENT, SCRIPTED)
    pipeline, local = gemma_vision.load("tiny", engine="ray"), gemma_vision.load("tiny")
    script, script_here = fake_pipeline(say), fake_pipeline(say)
    script.engine, script.name = RayEngine(handle, SCRIPTED), script_here.name
    images, others = scenes(out, count, 900_700), scenes(out, 6, 900_800)
    found = next(one for one in images if local.detect(one, " ; ".join(NAMES)).instances)
    results["answers"] = same_answers(pipeline, local, images)
    scenarios: dict[str, Callable[[], Any]] = {
        "ready": lambda: pipeline.engine.ready(),
        "routing": lambda: pictures_find_their_replica(pipeline, others),
        "batching": lambda: requests_side_by_side(pipeline, local, images),
        "call": lambda: an_empty_call(script),
        "stop": lambda: stop_reaches_the_model(script),
        "death": lambda: replicas_die(script, script_here),
        "stream": lambda: stream_dies(script),
        "scale": lambda: replicas_go_again(GROWING),
        "models": lambda: models_take_turns(str(other), found),
        "annotate": lambda: annotating_outlives_an_actor(out),
    }
    for name, scenario in scenarios.items():
        began = time.monotonic()
        try:
            results[name] = scenario()
        except BaseException as error:
            import traceback

            results[name] = {"failed": "".join(traceback.format_exception(error))[-3000:]}
        print(name, round(time.monotonic() - began, 1), results[name], flush=True)
        (out / "results.json").write_text(json.dumps(results))
    serve.shutdown()
    ray.shutdown()
    for pid in neighbours(os.getpid()):
        os.kill(pid, signal.SIGKILL)  # of this network alone


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 40)
