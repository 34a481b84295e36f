"""Namespaces: what runs in a network of its own, so that a test ends what it began and no other.

A node of Ray waits fifteen seconds for its agents to say which ports they found, which a busy
machine does not give; in a network of its own the ports can be named.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


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


def node_command(*words: str) -> list[str]:
    """What starts a node of Ray in the network it is called in."""
    ports = {"dashboard-agent-grpc": 6380, "dashboard-agent-listen": 6381, "metrics-export": 6382}
    named = [word for name, port in ports.items() for word in (f"--{name}-port", str(port))]
    rest = ["--runtime-env-agent-port", "6383", "--disable-usage-stats"]
    return [sys.executable, "-m", "ray.scripts.scripts", "start", *named, *rest, *words]


HEAD = ("--head", "--port", "6379", "--include-dashboard", "false")
