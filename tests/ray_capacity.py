"""Measured runs at 1, 2 and 4 replicas against those simulated: `python ray_capacity.py OUT`.

In a network of its own. Replicas sleep where others compute, so that any machine has room for them;
scheduler, replicas, handle and routing are the real ones. A run is requests at random, four fifths
of what the replicas can do, then a job, in which somebody is always waiting. The simulation is
given the same moments and lengths. Who gets what it deals out at random first, then as it was.
What was seen is in OUT/results.json.
"""

from __future__ import annotations

import math
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ray
from namespaces import HEAD, own_cluster, start_node
from PIL import Image
from ray import serve
from ray_scenarios import wait_for
from sleeping_engine import SleepingEngine

from benchmarks.capacity import (
    SPARE,
    Costs,
    arriving,
    follow,
    lengths_of,
    share_of,
    simulate,
)
from gemma_vision.runtime.engine import Prompt
from gemma_vision.runtime.remote.ray_engine import DEPLOYMENT, RayEngine
from serving.app import options_of
from serving.replica import Replica

SLEEPY = Costs("asleep", 0.12, 0.04, 0.15, 0.004, 12.0, 0.0, 0.0)
NAME = "asleep"
COUNTS = (1, 2, 4)
EACH = 60  # requests of each replica in a run
DEALS = 20  # times that a simulation deals requests out
AT_ONCE = 40  # requests under way for each replica in a job


class SleepingReplica(Replica):
    """A replica over an engine that sleeps; an answer says which replica gave it."""

    def _load(self, model: str) -> Any:
        return SleepingEngine(SLEEPY, model)

    async def complete(self, packed: Any, model: str) -> Any:
        chunks = await super().complete(packed, model)
        return [*chunks[:-1], chunks[-1].__class__(f"{os.getpid()}", finish="stop")]


def picture(number: int) -> Image.Image:
    """One that no other is like, so that requests are spread."""
    return Image.new("RGB", (8, 8), (number % 256, number // 256, 9))


def measured(
    engine: RayEngine, arrivals: Sequence[float], lengths: Sequence[int], most: int
) -> tuple[list[float], list[float], list[str]]:
    """Moments at which requests were sent and answered, and which replica answered.

    most: requests under way at once.
    """
    sent, ended = [0.0] * len(arrivals), [0.0] * len(arrivals)
    who: list[str] = [""] * len(arrivals)
    places = threading.Semaphore(most)

    def ask(number: int) -> None:
        prompt = Prompt((picture(number),), "x", seed=lengths[number])
        for chunks in engine.stream_whole([prompt]):
            who[number] = chunks[0].text if chunks[0] is not None else ""
        ended[number] = time.monotonic() - began
        places.release()

    threads = []
    began = time.monotonic()
    for number, moment in enumerate(arrivals):
        time.sleep(max(0.0, began + moment - time.monotonic()))
        places.acquire()
        sent[number] = time.monotonic() - began
        threads.append(threading.Thread(target=ask, args=(number,), daemon=True))
        threads[-1].start()
    for thread in threads:
        thread.join(120)
    return sent, ended, who


def simulated(
    owners: Sequence[object], sent: Sequence[float], lengths: Sequence[int]
) -> tuple[list[float], float]:
    """Seconds of the answers in order, and the last moment, where requests are dealt out so."""
    answers, last = [], 0.0
    for replica in set(owners):
        own = [number for number, owner in enumerate(owners) if owner == replica]
        course = follow(SLEEPY, [sent[n] for n in own], [lengths[n] for n in own])
        answers += [end - sent[n] for n, end in zip(own, course.ended, strict=True)]
        last = max(last, course.now)
    return sorted(answers), last


def compared(
    replicas: int,
    sent: Sequence[float],
    ended: Sequence[float],
    lengths: Sequence[int],
    who: Sequence[str],
) -> dict[str, Any]:
    """Half and 95 of 100 answers in so many seconds, and answers a second: as seen; as told where
    requests are dealt out at random, the mean of some times; and where they are as they were.
    """
    draw = random.Random(0)
    seen = sorted(end - start for start, end in zip(sent, ended, strict=True)), max(ended)
    dealt = [[draw.randrange(replicas) for _ in sent] for _ in range(DEALS)]
    told = [simulated(owners, sent, lengths) for owners in dealt]
    same = simulated(who, sent, lengths)
    measures: dict[str, Callable[[tuple[list[float], float]], float]] = {
        "p50": lambda one: share_of(one[0], 0.5),
        "p95": lambda one: share_of(one[0], 0.95),
        "rate": lambda one: len(one[0]) / one[1],
    }
    return {
        name: {
            "seen": round(of(seen), 2),
            "told": round(sum(map(of, told)) / DEALS, 2),
            "same": round(of(same), 2),
        }
        for name, of in measures.items()
    }


def runs_with(replicas: int) -> dict[str, Any]:
    """Both runs with so many replicas."""
    sleeping: Any = serve.deployment(name=DEPLOYMENT)(SleepingReplica)
    place = options_of({"num_replicas": replicas, "num_cpus": 0.1})
    limits = {"max_ongoing_requests": 64, "max_queued_requests": 256}
    serve.run(sleeping.options(**place, **limits).bind(NAME), name=NAME, route_prefix=None)
    engine = RayEngine(serve.get_deployment_handle(DEPLOYMENT, NAME), NAME)
    wait_for(engine.ready, 60)
    draw = random.Random(replicas)
    most = simulate(SLEEPY, math.inf).rate
    arrivals = list(arriving(draw, SPARE * most * replicas, EACH * replicas))
    lengths = lengths_of(draw, SLEEPY, len(arrivals))
    measured(engine, [0.0] * 4 * replicas, [1] * 4 * replicas, 64)  # connections are made
    sent, ended, who = measured(engine, arrivals, lengths, 10**6)
    told = {"load": compared(replicas, sent, ended, lengths, who)}
    told |= {"shares": sorted(Counter(who).values())}
    sent, ended, who = measured(engine, [0.0] * len(arrivals), lengths, AT_ONCE * replicas)
    told |= {"job": compared(replicas, sent, ended, lengths, who)}
    serve.delete(NAME)
    return told


def main(out: Path) -> None:
    """Every number of replicas, one after the other."""
    with own_cluster(out) as results:
        results["capacity"] = simulate(SLEEPY, math.inf).rate
        start_node(*HEAD, "--num-cpus", "2", "--object-store-memory", str(120 * 2**20))
        ray.init(address="auto", namespace="serve", log_to_driver=False)
        serve.start(proxy_location="Disabled")
        for replicas in COUNTS:
            results[str(replicas)] = runs_with(replicas)
            print(replicas, results[str(replicas)], flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
