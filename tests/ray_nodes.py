"""Two hosts, one of which goes away: `python ray_nodes.py OUT`, in a network of its own.

This process is in one of them; the other is a network namespace at the end of a pair of veth
devices, with a node of Ray in it. Both are taken away together: the processes are killed, the
cable is cut. What was seen is in OUT/results.json.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import annotating
import ray
from fake_engine import fake_pipeline
from namespaces import HEAD, neighbours, node_command
from ray import serve
from ray_scenarios import DEPLOYMENT, SCRIPTED, ScriptedReplica, colors, say, wait_for
from ray_scenarios import without_timing as plain

from gemma_vision.cli import main as command
from gemma_vision.runtime.remote.ray_engine import RayEngine
from serving.app import options_of

HERE, THERE = "10.77.0.1", "10.77.0.2"
CLIENTS = 6
PICTURES = 96


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
        self.inside("ip", "address", "add", f"{THERE}/24", "dev", "there")
        for device in ("lo", "there"):
            self.inside("ip", "link", "set", device, "up")

    def inside(self, *words: str) -> None:
        run("nsenter", "-t", str(self.holder.pid), "-n", *words)

    def start_node(self) -> None:
        node = ("--node-ip-address", THERE, "--num-cpus", "2")
        self.inside(*node_command("--address", f"{HERE}:6379", *node))

    def go_away(self) -> int:
        """Every process is killed, and the cable cut; how many there were."""
        gone = neighbours(self.holder.pid)
        run("ip", "link", "set", "here", "down")
        for pid in gone:
            os.kill(pid, signal.SIGKILL)
        return len(gone)

    def come_back(self) -> None:
        run("ip", "link", "set", "here", "up")
        self.start_node()

    def end(self) -> None:
        self.holder.kill()
        self.holder.wait()


def alive() -> int:
    """Nodes that the cluster knows of."""
    return sum(bool(node["Alive"]) for node in ray.nodes())


def running() -> int:
    (deployment,) = serve.status().applications[SCRIPTED].deployments.values()
    return int({str(k): v for k, v in deployment.replica_states.items()}.get("RUNNING", 0))


def service_goes_on(other: OtherHost) -> dict[str, Any]:
    """The other host goes away under the load of some clients."""
    watched: Any = serve.deployment(name=DEPLOYMENT)(ScriptedReplica)
    place = options_of({"num_replicas": 2, "num_cpus": 1.5})
    serve.run(watched.options(**place).bind(SCRIPTED), name=SCRIPTED, route_prefix=None)
    pipeline, here = fake_pipeline(say), fake_pipeline(say)
    handle = serve.get_deployment_handle(DEPLOYMENT, SCRIPTED)
    pipeline.engine, pipeline.name = RayEngine(handle, SCRIPTED), here.name
    images, over = colors(CLIENTS), threading.Event()
    expected = [plain(here.detect(image, "cat")) for image in images]
    seen: list[tuple[float, bool]] = []
    lost: list[str] = []

    def client(number: int) -> None:
        while not over.is_set():
            try:
                answer = plain(pipeline.detect(images[number], "cat"))
                seen.append((time.monotonic(), answer == expected[number]))
            except Exception as error:
                lost.append(f"{type(error).__name__}: {error}")

    threads = [threading.Thread(target=client, args=(n,)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(seen) > 3 * CLIENTS, 120)
    gone = other.go_away()
    began = time.monotonic()
    wait_for(lambda: alive() == 1, 120)
    noticed = time.monotonic() - began
    time.sleep(5)
    after = len([at for at, _ in seen if at > began + noticed])
    over.set()
    for thread in threads:
        thread.join(120)
    right = sum(is_right for _, is_right in seen)
    told = {"killed": gone, "noticed": noticed, "after": after, "lost": lost}
    serve.delete(SCRIPTED)
    return told | {"answered": len(seen), "right": right}


def annotation_goes_on(other: OtherHost, out: Path) -> dict[str, Any]:
    """The other host goes away while a folder is annotated; what that of one machine is."""
    annotating.write_pictures(out / "in", PICTURES)
    words = ["annotate", str(out / "in"), "--text", "cat ; ball", "--as", "coco", "--save"]
    codes = [command([*words, str(out / "local")])]
    gone: list[int] = []

    def leave() -> None:
        while not list((out / "ray").glob(".annotate/*/*.jsonl")):
            time.sleep(0.02)
        gone.append(other.go_away())

    killer = threading.Thread(target=leave, daemon=True)
    killer.start()
    codes.append(command([*words, str(out / "ray"), "--engine", "ray", "--workers", "3"]))
    killer.join(10)
    same = subprocess.run(["diff", "-r", str(out / "local"), str(out / "ray")]).returncode == 0
    return {"codes": codes, "killed": sum(gone), "same": same}


def main(out: Path) -> None:
    """Both, one after the other."""
    results: dict[str, Any] = {}
    other = OtherHost()
    try:
        run(*node_command(*HEAD, "--node-ip-address", HERE, "--num-cpus", "2"))
        ray.init(address=f"{HERE}:6379", namespace="serve", log_to_driver=False)
        other.start_node()
        wait_for(lambda: alive() == 2, 60)
        serve.start(proxy_location="Disabled")
        results["service"] = service_goes_on(other)
        print(results, flush=True)
        other.come_back()
        wait_for(lambda: alive() == 2, 60)
        results["annotate"] = annotation_goes_on(other, out)
        print(results, flush=True)
    except BaseException as error:
        import traceback

        results["failed"] = "".join(traceback.format_exception(error))[-3000:]
    (out / "results.json").write_text(json.dumps(results))
    ray.shutdown()
    for pid in (*neighbours(other.holder.pid), *neighbours(os.getpid())):
        os.kill(pid, signal.SIGKILL)  # of these two networks alone
    other.end()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
