"""Replicas on Ray: the same answers as here, none lost with a replica, stopped when nobody reads.

Ray opens its ports on the machine's own address, so that all of it runs in a network of its own
that holds a loopback device alone. One program goes through every scenario; each test reads what
one of them saw.
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
from PIL import Image

from gemma_vision.cli import main
from gemma_vision.runtime.engine import Prompt
from gemma_vision.runtime.remote.packed_prompt import PackedPrompt

ROOT = Path(__file__).parent.parent
SECONDS = 900  # for everything together, on a busy machine
PATIENT = {  # a node's agents may take long to start beside other work
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_agent_register_timeout_ms": "120000",
    "RAY_raylet_start_wait_time_s": "120",
}
SOON = {  # a host without power is missed in some fifteen seconds, instead of a minute
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "2000",
    "RAY_health_check_failure_threshold": "5",
}
HAS_RAY = importlib.util.find_spec("ray") is not None
NEEDS_RAY = pytest.mark.skipif(not HAS_RAY, reason="the extra `ray` is not installed")
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


def run_program(name: str, out: Path, **variables: str) -> dict[str, Any]:
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
            process.wait(SECONDS)
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


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> dict[str, Any]:
    """What every scenario saw."""
    return run_program("ray_scenarios.py", tmp_path_factory.mktemp("ray"))


def scenario(results: dict[str, Any], name: str) -> dict[str, Any]:
    """What one of them saw; fails with its error where it came to none."""
    assert name in results, "it was not reached in time"
    assert "failed" not in results[name], results[name]["failed"]
    return dict(results[name])


pytestmark = pytest.mark.ray


def test_answers_are_those_of_here(results):
    seen = scenario(results, "answers")
    assert (seen["differing"], seen["streams_differing"], seen["count"]) == (0, 0, 200)
    assert seen["things"] > 5
    assert results["ready"] is True


def test_prompts_on_the_same_picture_find_what_was_seen(results):
    seen = scenario(results, "routing")
    assert (seen["misses"], seen["hits"], seen["replicas"]) == (6, 18, 2)


def test_a_stream_that_is_closed_stops_the_model(results):
    seen = scenario(results, "stop")
    assert seen["cancelled"] == 5
    assert sorted(seen["seconds"])[2] < seen["step"] + 0.1, seen  # of five on a machine with others


def test_no_request_is_lost_with_a_replica(results):
    seen = scenario(results, "death")
    assert seen["killed"] == 5 and seen["lost"] == []
    assert seen["answered"] == seen["right"] > 0


def test_a_stream_ends_with_its_replica_and_says_so(results):
    seen = scenario(results, "stream")
    assert seen["came"] >= 5
    assert seen["error"].startswith("E_CUT_OFF") and "what came stands" in seen["error"]


def test_replicas_that_a_load_brought_go_again_within_their_delay(results):
    seen = scenario(results, "scale")
    assert seen["most"] > 1
    told = 5 + 10 + 2  # the delay, what is looked back on, and until it is told
    assert seen["seconds"] < told + 15, seen  # and until a replica has ended, on a busy machine


def test_models_take_turns_in_memory_and_only_those_that_are_served(results):
    seen = scenario(results, "models")
    assert len(set(seen["said"])) == 1 and seen["said"][0]
    assert seen["refused"] == "E_MODEL_UNKNOWN" and seen["most"] == 1


def test_a_folder_annotated_on_ray_is_that_of_here_though_an_actor_dies(results):
    seen = scenario(results, "annotate")
    assert seen == {"codes": [0, 0], "killed": 1, "same": True}


@pytest.fixture(scope="module")
def hosts(tmp_path_factory) -> dict[str, Any]:
    """What was seen of two hosts, one of which went away."""
    seen = run_program("ray_nodes.py", tmp_path_factory.mktemp("hosts"), **SOON)
    assert "failed" not in seen, seen["failed"]
    return seen


@pytest.mark.slow
def test_service_goes_on_when_a_host_is_gone(hosts):
    seen = hosts["service"]
    assert seen["replicas"] == 1 and seen["lost"] == []
    assert seen["meanwhile"] > 0 and seen["after"] > 0
    assert seen["answered"] == seen["right"]
    assert set(seen["streams"]) == {"E_CUT_OFF", "whole"} and len(seen["streams"]) == 12


@pytest.mark.slow
def test_a_folder_is_annotated_whole_and_once_though_a_host_goes(hosts):
    seen = hosts["annotate"]
    assert seen["gone"][0] >= 1  # actors that were on it
    assert seen == seen | {"codes": [0, 0], "same": True, "unique": True}


@pytest.mark.slow
def test_who_has_not_the_token_of_a_cluster_is_told(hosts):
    seen = hosts["strangers"]
    assert seen["code"] == 2 and "wants its token: set RAY_AUTH_MODE=token" in seen["said"]
    assert "Traceback" not in seen["said"]


def test_a_prompt_arrives_as_it_left():
    image = Image.effect_noise((40, 30), 90).convert("RGB")
    prompt = Prompt((image,), "detect cat", 7, 0.5, 3)
    packed = PackedPrompt.of(prompt)
    back = packed.unpack()
    assert back.images[0].tobytes() == image.tobytes() and back.images[0].mode == "RGB"
    assert (back.text, back.max_tokens, back.temperature, back.seed) == ("detect cat", 7, 0.5, 3)
    assert packed.key == PackedPrompt.of(prompt).key != PackedPrompt.of(Prompt((), "x")).key


def test_without_ray_the_engine_is_refused_with_what_installs_it(monkeypatch, capsys, picture_file):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["detect", str(picture_file), "cat", "--engine", "ray"]) == 2
    assert 'pip install "gemma-vision[ray]"' in capsys.readouterr().err


def test_ray_is_never_imported_where_nobody_asks_for_it():
    program = "import sys, gemma_vision.cli.annotate, gemma_vision.registry.loading; "
    program += "sys.exit('ray' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0


@NEEDS_RAY
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Ray's own fields
def test_too_many_requests_are_refused_in_our_words():
    from ray.serve.exceptions import BackPressureError

    from gemma_vision.runtime.remote.ray_engine import explained

    error = explained(BackPressureError(num_queued_requests=9, max_queued_requests=9))
    assert getattr(error, "code", "") == "E_BUSY"
