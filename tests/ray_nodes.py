"""Two hosts, one of which goes away: `python ray_nodes.py OUT`, in a network of its own.

This process is in one of them; the other is a network namespace at the end of a pair of veth
devices, with a node of Ray in it. It is taken away as a machine is whose power fails: the cable is
cut first, so that nobody is told, then its processes are killed. What was seen is in
OUT/results.json.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import annotating
import ray
from fake_engine import fake_pipeline
from namespaces import HEAD, neighbours, own_cluster, start_node
from ray import serve
from ray_scenarios import DEPLOYMENT, SCRIPTED, ScriptedReplica, colors, long_stream, say, wait_for
from ray_scenarios import without_timing as plain

from gemma_vision.cli import main as command
from gemma_vision.runtime.remote.ray_engine import RayEngine, ReplicaLostError
from serving.app import options_of

ROOT = Path(__file__).parent.parent
HERE, THERE = "10.77.0.1", "10.77.0.2"
ENGINE = ("--engine", f"ray://{HERE}:6379")
SIZE = ("--num-cpus", "2", "--object-store-memory", str(120 * 2**20))
CLIENTS = 12
PICTURES = 640
WORKERS = 3  # of two processors here and two there: one of them has no place when those are gone


def run(*words: str) -> None:
    subprocess.run(words, check=True)


class OtherHost:
    """A network namespace at the other end of a cable, and what runs in it."""

    def __init__(self) -> None:
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        pid = str(self.holder.pid)
        wait_for(lambda: os.readlink(f"/proc/{pid}/ns/net") != os.readlink("/proc/self/ns/net"), 9)
        run("ip", "link", "add", "here", "type", "veth", "peer", "name", "there", "netns", pid)
        run("ip", "address", "add", f"{HERE}/24", "dev", "here")
        run("ip", "link", "set", "here", "up")
        self.inside = ("nsenter", "-t", pid, "-n")
        run(*self.inside, "ip", "address", "add", f"{THERE}/24", "dev", "there")
        for device in ("lo", "there"):
            run(*self.inside, "ip", "link", "set", device, "up")

    def start_node(self) -> None:
        """Have it be part of the cluster."""
        run("ip", "link", "set", "here", "up")
        words = ("--address", f"{HERE}:6379", "--node-ip-address", THERE, *SIZE)
        start_node(*words, network=self.holder.pid, inside=self.inside)
        wait_for(lambda: alive() == 2, 60)

    def actors(self, name: str) -> list[int]:
        """The processes of actors of a class."""
        found = []
        for pid in neighbours(self.holder.pid):
            try:
                line = Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:  # it has ended meanwhile
                continue
            found += [pid] if line.startswith(f"ray::{name}".encode()) else []
        return found

    def go_away(self) -> float:
        """Cut the cable, then kill every process; when that was."""
        gone = neighbours(self.holder.pid)
        run("ip", "link", "set", "here", "down")
        for pid in gone:
            os.kill(pid, signal.SIGKILL)
        return time.monotonic()

    @contextmanager
    def ended(self) -> Iterator[None]:
        """In the end nothing runs in it any more, and it is gone."""
        try:
            yield
        finally:
            for pid in neighbours(self.holder.pid):
                os.kill(pid, signal.SIGKILL)  # of this network alone
            self.holder.kill()
            self.holder.wait()


def alive() -> int:
    """Nodes that the cluster knows of."""
    return sum(bool(node["Alive"]) for node in ray.nodes())


def strangers_are_told() -> dict[str, Any]:
    """What the command line says to whoever has not the cluster's token."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("RAY_AUTH")}
    words = ["caption", str(ROOT / "gemma_vision" / "web" / "examples" / "scene-1.jpg"), *ENGINE]
    program = [sys.executable, "-m", "gemma_vision", *words]
    told = subprocess.run(program, env=own, capture_output=True, text=True)
    return {"code": told.returncode, "said": told.stderr[-1000:]}


def service_goes_on(other: OtherHost) -> dict[str, Any]:
    """The other host goes away under the load of some clients, with streams under way."""
    watched: Any = serve.deployment(name=DEPLOYMENT)(ScriptedReplica)
    place = options_of({"num_replicas": 2, "num_cpus": 1.5})  # one on each host
    serve.run(watched.options(**place).bind(SCRIPTED), name=SCRIPTED, route_prefix=None)
    pipeline, here = fake_pipeline(say), fake_pipeline(say)
    handle = serve.get_deployment_handle(DEPLOYMENT, SCRIPTED)
    pipeline.engine, pipeline.name = RayEngine(handle, SCRIPTED), here.name
    images, over = colors(CLIENTS), threading.Event()
    expected = [plain(here.detect(image, "cat")) for image in images]
    seen: list[tuple[float, float, bool]] = []
    lost: list[str] = []

    def client(number: int) -> None:
        while not over.is_set():
            began = time.monotonic()
            try:
                answer = plain(pipeline.detect(images[number], "cat"))
                seen.append((began, time.monotonic(), answer == expected[number]))
            except Exception as error:
                lost.append(f"{type(error).__name__}: {error}")

    threads = [threading.Thread(target=client, args=(n,)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(seen) > 3 * CLIENTS, 120)
    replicas = len(other.actors("ServeReplica"))
    endings: list[str] = []
    watchers = [
        threading.Thread(target=follow, args=(pipeline, image, endings), daemon=True)
        for image in images
    ]
    for watcher in watchers:
        watcher.start()
    wait_for(lambda: len(endings) == CLIENTS, 60)  # each of them has begun
    gone = other.go_away()
    wait_for(lambda: alive() == 1, 180)
    noticed = time.monotonic() - gone
    time.sleep(5)
    over.set()
    for thread in (*threads, *watchers):
        thread.join(180)
    told = {
        "replicas": replicas,
        "noticed": noticed,
        "meanwhile": len([1 for began, at, _ in seen if gone < began and at < gone + noticed]),
        "after": len([1 for began, _, _ in seen if began > gone + noticed]),
        "slowest": max(at - began for began, at, _ in seen),
        "lost": lost,
        "answered": len(seen),
        "right": sum(is_right for _, _, is_right in seen),
        "streams": sorted(endings),
    }
    serve.delete(SCRIPTED)
    return told


def follow(pipeline: Any, image: Any, endings: list[str]) -> None:
    """Read a stream to its end; its entry says that it has begun, then how it ended."""
    try:
        steps = long_stream(pipeline, image)
        next(steps)
        place = len(endings)
        endings.append("begun")
        came = sum(1 for _ in steps)
        endings[place] = "whole" if came > 900 else f"only {came}"
    except ReplicaLostError as error:
        endings[place] = str(error.code)


def annotation_goes_on(other: OtherHost, out: Path) -> dict[str, Any]:
    """The other host goes away while a folder is annotated; what that of one machine is."""
    annotating.write_pictures(out / "in", PICTURES)
    asked = ("--task", "segment", "--text", "cat ; dog", "--as", "coco,paligemma")
    words = ["annotate", str(out / "in"), *asked, "--save"]
    codes = [command([*words, str(out / "local")])]
    gone: list[int] = []

    def leave() -> None:
        while not (other.actors("Annotator") and list((out / "ray").glob(".annotate/*/*.jsonl"))):
            time.sleep(0.02)
        gone.append(len(other.actors("Annotator")))
        other.go_away()

    killer = threading.Thread(target=leave, daemon=True)
    killer.start()
    began = time.monotonic()
    codes.append(command([*words, str(out / "ray"), *ENGINE, "--workers", str(WORKERS)]))
    seconds = time.monotonic() - began
    killer.join(10)
    same = subprocess.run(["diff", "-r", str(out / "local"), str(out / "ray")]).returncode == 0
    rows = (out / "ray").glob(".annotate/*/*.jsonl")
    files = [json.loads(row)["file"] for path in rows for row in path.read_text().splitlines()]
    unique = len(set(files)) == len(files) == PICTURES
    return {"codes": codes, "gone": gone, "same": same, "unique": unique, "seconds": seconds}


def main(out: Path) -> None:
    """Both, one after the other."""
    other = OtherHost()
    with own_cluster(out) as results, other.ended():
        start_node(*HEAD, "--node-ip-address", HERE, *SIZE)
        results["strangers"] = strangers_are_told()
        own = {"worker_process_setup_hook": "annotating.script_models"}
        ray.init(address=f"{HERE}:6379", namespace="serve", log_to_driver=False, runtime_env=own)
        annotating.script_models()
        other.start_node()
        serve.start(proxy_location="Disabled")
        results["service"] = service_goes_on(other)
        print(results, flush=True)
        other.start_node()
        results["annotate"] = annotation_goes_on(other, out)
        print(results, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
