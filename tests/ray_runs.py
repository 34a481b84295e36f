"""Programs that start Ray, each in a network of its own that holds a loopback device alone.

Ray opens its ports on the machine's own address. What a program saw is in results.json of the
folder that it is given.
"""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from namespaces import neighbours

ROOT = Path(__file__).parent.parent
SECONDS = 900  # for a program, on a busy machine
PATIENT = {  # a node's agents may take long to start beside other work
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_agent_register_timeout_ms": "120000",
}
SOON = {  # a host without power is missed in some fifteen seconds, instead of a minute
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "2000",
    "RAY_health_check_failure_threshold": "5",
}
HAS_RAY = importlib.util.find_spec("ray") is not None
NETWORK = 'ip link set lo up && exec "$0" "$@"'


def own_network() -> list[str]:
    """What runs a command in a network of its own; skips where that cannot be had."""
    if not HAS_RAY:
        pytest.skip("the extra `ray` is not installed")
    if not shutil.which("unshare") or not shutil.which("ip"):
        pytest.skip("unshare or ip is not here, and Ray would listen on the machine's own address")
    tried = subprocess.run(["unshare", "--net", "ip", "link", "set", "lo", "up"])
    if tried.returncode:
        pytest.skip("no network of its own can be had here (unshare --net)")
    return ["unshare", "--net", "sh", "-c", NETWORK]


def run_program(
    name: str, out: Path, *, seconds: float = SECONDS, **variables: str
) -> dict[str, Any]:
    """What a program saw in a network of its own, in which its cluster has a token of its own."""
    program = [sys.executable, str(ROOT / "tests" / name), str(out)]
    paths = [str(ROOT), str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")]
    own = PATIENT | variables | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    own |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    log = out / "log"
    with log.open("w") as told:
        process = subprocess.Popen(
            [*own_network(), *program],
            env=os.environ | own,
            stdout=told,
            stderr=told,
            start_new_session=True,
        )
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            is_own = os.readlink(f"/proc/{process.pid}/ns/net") != os.readlink("/proc/self/ns/net")
            for pid in neighbours(process.pid) if is_own else ():
                os.kill(pid, signal.SIGKILL)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    found = out / "results.json"
    assert found.exists(), log.read_text()[-3000:]
    seen = dict(json.loads(found.read_text()))
    if "unavailable" in seen:
        pytest.skip(f"Ray did not start here: {seen['unavailable']}")
    return seen
