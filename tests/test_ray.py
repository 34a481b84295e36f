"""Replicas on Ray: the same answers as here, none lost with a replica, stopped when nobody reads.

Ray opens its ports on the machine's own address, so that all of it runs in a network of its own
that holds a loopback device alone. One program goes through every scenario; each test reads what
one of them saw.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from ray_runs import HAS_RAY, run_program

from gemma_vision.cli import main
from gemma_vision.runtime.engine import Prompt
from gemma_vision.runtime.remote.packed_prompt import PackedPrompt

ROOT = Path(__file__).parent.parent
NEEDS_RAY = pytest.mark.skipif(not HAS_RAY, reason="the extra `ray` is not installed")


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
