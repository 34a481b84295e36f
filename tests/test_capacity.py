"""The capacity model is a queue: it comes to what theory says where theory says something."""

from __future__ import annotations

import math
import random
import threading
from dataclasses import replace

import pytest
from sleeping_engine import SleepingEngine

from benchmarks.capacity import (
    LARGE,
    TINY,
    Costs,
    follow,
    job_of,
    lengths_of,
    memory_of,
    replicas_for,
    simulate,
)
from gemma_vision.runtime.engine import Prompt

# One row at a time, and an answer is read in exactly a second: a queue with one server.
SERVER = Costs("server", 1.0, 0.0, 0.0, 0.0, 1e-9, 0.0, 0.0, at_once=1, max_rows=1)


@pytest.mark.parametrize("load", [0.3, 0.5, 0.7])
def test_one_row_of_one_length_is_the_queue_of_the_books(load):
    """M/D/1: the mean wait is load / 2 (1 - load) services."""
    seen = simulate(SERVER, load, count=40_000)
    assert seen.wait_mean == pytest.approx(load / (2 * (1 - load)), rel=0.06)
    assert seen.busy == pytest.approx(load, abs=0.02)
    assert seen.rate == pytest.approx(load, rel=0.03)
    assert seen.answer_p50 == pytest.approx(seen.wait_p50 + 1.0, rel=0.01)


def test_a_full_replica_does_what_its_costs_allow():
    """32 rows of exactly one token beyond reading: each round reads 8 and steps once."""
    costs = Costs("full", 0.01, 0.0, 0.02, 0.0, 1e-9, 0.0, 0.0)
    rate = simulate(costs, math.inf).rate
    assert rate == pytest.approx(8 / (8 * 0.01 + 0.02), rel=0.15)


def test_the_simulation_steps_as_the_scheduler_does():
    """The real scheduler over a model that counts what it would take."""
    costs = Costs("counted", 0.13, 0.05, 0.2, 0.007, 9.0, 0.0, 0.0)
    lengths = lengths_of(random.Random(7), costs, 90)
    engine = SleepingEngine(costs, "counted", sleep=lambda seconds: None)
    prompts = [Prompt((), "x", seed=length) for length in lengths]
    answers = engine.complete(prompts, threading.Event())
    assert [len(chunks) for chunks in answers] == lengths
    told = follow(costs, [0.0] * len(lengths), lengths)
    assert engine.model.busy == pytest.approx(told.busy)
    assert engine.model.steps == told.steps


def test_rows_side_by_side_are_what_wins():
    alone = replace(TINY, max_rows=1, at_once=1)
    assert simulate(TINY, math.inf).rate > 2 * simulate(alone, math.inf).rate
    assert simulate(LARGE, math.inf).rate > 2 * simulate(replace(LARGE, max_rows=1), math.inf).rate


def test_more_requests_take_as_many_more_replicas_and_wait_no_longer():
    few, many = (replicas_for(LARGE, rate) for rate in (1_000.0, 100_000.0))
    assert many["replicas"] == pytest.approx(100 * few["replicas"], rel=0.05)
    assert many["wait_p99"] == pytest.approx(few["wait_p99"], rel=0.3)
    assert many["wait_p99"] < 1.0
    assert few["memory_gb"] == pytest.approx(few["replicas"] * memory_of(LARGE) / 1e9, abs=0.1)


def test_a_job_is_as_long_as_its_rate_says():
    job = job_of(TINY, 1_000_000)
    assert job["replica_days"] == pytest.approx(1_000_000 / job["rate"] / 86_400, rel=0.01)
