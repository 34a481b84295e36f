"""Namespaces: what runs in a network of its own, so that a test ends what it began and no other.

A node of Ray waits fifteen seconds for its agents to say which ports they found, which a busy
machine does not give; in a network of its own the ports can be named.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def neighbours(pid: int) -> list[int]:
    """The other processes in the network of one; this one is none of them."""
    network, found = os.readlink(f"/proc/{pid}/ns/net"), []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.readlink(entry / "ns" / "net") == network:
                found.append(int(entry.name))
        except OSError:  # it has ended meanwhile
            continue
    return [one for one in found if one not in (pid, os.getpid())]


@contextmanager
def own_cluster(out: Path) -> Iterator[dict[str, Any]]:
    """What a program fills in, or that it failed, is written to OUT/results.json; then whatever
    else runs in its network is ended."""
    results: dict[str, Any] = {}
    try:
        yield results
    except BaseException as error:
        results["failed"] = "".join(traceback.format_exception(error))[-3000:]
    (out / "results.json").write_text(json.dumps(results))
    if "ray" in sys.modules:
        sys.modules["ray"].shutdown()
    for pid in neighbours(os.getpid()):
        os.kill(pid, signal.SIGKILL)  # of this network alone


def node_command(*words: str) -> list[str]:
    """What starts a node of Ray in the network it is called in."""
    ports = {"dashboard-agent-grpc": 6380, "dashboard-agent-listen": 6381, "metrics-export": 6382}
    named = [word for name, port in ports.items() for word in (f"--{name}-port", str(port))]
    rest = ["--runtime-env-agent-port", "6383", "--disable-usage-stats"]
    return [sys.executable, "-m", "ray.scripts.scripts", "start", *named, *rest, *words]


def start_node(
    *words: str, network: int | None = None, inside: Sequence[str] = (), tries: int = 3
) -> None:
    """Start a node of Ray; what a try that failed left behind is ended before the next.

    network: a process in the network it starts in, which `inside` leads into; this one's where
    that is None. RuntimeError where it does not start.
    """
    command = [*inside, *node_command(*words)]
    while subprocess.run(command, stdin=subprocess.DEVNULL).returncode:
        tries -= 1
        for pid in neighbours(network or os.getpid()):
            os.kill(pid, signal.SIGKILL)  # of this network alone
        if not tries:
            raise RuntimeError("no node of Ray could be started")


HEAD = (  # without what looks on alone: a node has thirty seconds to be there
    *("--head", "--port", "6379", "--include-dashboard", "false", "--no-monitor"),
    *("--include-log-monitor", "false"),
)
