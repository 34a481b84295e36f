"""Replicas on Ray under hardship: hosts that go, programs that are killed, visitors who leave.

Each program of these takes minutes; each test reads a part of what one of them saw.
"""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from ray_runs import SOON, run_program

pytestmark = [pytest.mark.ray, pytest.mark.slow]


@pytest.fixture(scope="module")
def hosts(tmp_path_factory) -> dict[str, Any]:
    """What was seen of two hosts, one of which went away."""
    seen = run_program("ray_nodes.py", tmp_path_factory.mktemp("hosts"), **SOON)
    assert "failed" not in seen, seen["failed"]
    return seen


def test_service_goes_on_when_a_host_is_gone(hosts):
    seen = hosts["service"]
    assert seen["replicas"] == 1 and seen["lost"] == []
    assert seen["meanwhile"] > 0 and seen["after"] > 0
    assert seen["answered"] == seen["right"]
    assert set(seen["streams"]) == {"E_CUT_OFF", "whole"} and len(seen["streams"]) == 12


def test_a_folder_is_annotated_whole_and_once_though_a_host_goes(hosts):
    seen = hosts["annotate"]
    assert seen["gone"][0] >= 1  # actors that were on it
    assert seen == seen | {"codes": [0, 0], "same": True, "unique": True}


def test_who_has_not_the_token_of_a_cluster_is_told(hosts):
    seen = hosts["strangers"]
    assert seen["code"] == 2 and "wants its token: set RAY_AUTH_MODE=token" in seen["said"]
    assert "Traceback" not in seen["said"]


@pytest.fixture(scope="module")
def annotated(tmp_path_factory) -> dict[str, Any]:
    """What was seen of folders that were annotated under hardship."""
    seen = run_program("ray_annotating.py", tmp_path_factory.mktemp("annotated"), seconds=1800)
    assert "failed" not in seen, seen["failed"]
    return seen


def test_five_thousand_pictures_killed_three_times_on_ray_come_to_the_same(annotated):
    seen = annotated["killed"]
    assert len(seen["killed"]) == 3 and seen["codes"] == [0, 0, 0] and seen["same"]
    assert seen["rows"] == seen["unique"] == 5000
    assert seen["again"]["processor"] < 2.0 * 5, seen


def test_a_picture_that_ends_its_actor_is_passed_over_as_here(annotated):
    seen = annotated["ended"]
    assert seen == seen | {"codes": [1, 1], "same": True, "failed": ["0002.png"]}


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> dict[str, Any]:
    """What was seen of visitors of the app over Ray."""
    if not shutil.which("chromium"):
        pytest.skip("no chromium on this machine")
    seen = run_program("ray_page.py", tmp_path_factory.mktemp("page"))
    assert "failed" not in seen, seen["failed"]
    return seen


@pytest.mark.parametrize("way", ["stop", "closed", "cancelled"])
def test_who_stops_or_leaves_the_app_stops_the_model_on_ray(page, way):
    seen = page[way]
    assert seen["cancelled"] == page["times"] and not page["log"]
    assert min(seen["seconds"]) < page["step"] + 0.15, seen  # on a machine with others


def test_replicas_do_what_is_simulated(tmp_path):
    seen = run_program("ray_capacity.py", tmp_path)
    assert "failed" not in seen, seen["failed"]
    for replicas in ("1", "2", "4"):
        for name in ("load", "job"):
            rate = seen[replicas][name]["rate"]
            assert rate["seen"] == pytest.approx(rate["told"], rel=0.25), seen
        half = seen[replicas]["load"]["p50"]
        assert half["seen"] == pytest.approx(half["told"], rel=0.35), seen
