"""Resuming: a run that was killed draws what it would have drawn, and learns the same."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from tiny_models import make_model, save
from tuning import write_data

from gemma_vision.finetuning.learning.budget import Budget, Reached, rate_at
from gemma_vision.finetuning.learning.interrupts import Interrupted
from gemma_vision.finetuning.learning.learn import mix_of, open_for, step_of
from gemma_vision.finetuning.learning.processes import Processes
from gemma_vision.finetuning.learning.run import LearningRun
from gemma_vision.finetuning.learning.trainee import rates
from gemma_vision.finetuning.options import plan_of
from gemma_vision.finetuning.preparation import prepare
from gemma_vision.optimization.stage import adamw

CPU = torch.device("cpu")
STEPS = 10
WARNS = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")  # of PEFT


class Killed(Exception):
    """The process is gone: nothing more is written."""


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    return save(make_model(), tmp_path_factory.mktemp("base"))


def learn_some(base: Path, data: Path, folder: Path, *, killed: int | None = None, lora: bool):
    """Learn until the end, or until a step at which the process is killed -> weights, texts."""
    options = {"data": data, "name": "mine", "out": folder / "out", "runs": folder / "runs"}
    options |= {"model": str(base), "steps": STEPS, "batch": 2, "lora": lora, "dropout": 0.1 * lora}
    began = (folder / "runs" / "mine" / "settings.json").exists()
    prepared = prepare(plan_of(options), resume=began, tell=lambda sentence: None)
    trainee = open_for(prepared, CPU)
    mix = mix_of(prepared, trainee, None)
    opt = adamw(rates(trainee, 1e-3), 0.02)
    kept = torch.nn.ParameterDict({n.replace(".", "/"): p for n, p in trainee.trained.items()})
    clock = iter(range(10_000))
    run = LearningRun(
        prepared.plan.state,
        kept,
        opt,
        Budget(steps=STEPS),
        1,
        now=lambda: float(next(clock)),
        save_every=3.0,  # calls of the clock: a state every two steps or so
    )
    step, drawn = step_of(prepared.plan, trainee, mix, opt, None, Processes(), None), []

    def watched(rng, progress):
        if run.reached.steps == killed:
            raise Killed
        own = step.draw
        step.draw = lambda rng: drawn.append((run.reached.steps, (found := own(rng))[1])) or found
        try:
            return step(rng, progress)
        finally:
            step.draw = own

    with suppress(Killed):
        run.run(watched)
    return {name: p.detach().clone() for name, p in trainee.trained.items()}, drawn


@WARNS
@pytest.mark.parametrize("lora", [False, True], ids=["whole", "lora with dropout"])
def test_three_kills_leave_no_trace(lora, base, tmp_path) -> None:
    data = write_data(tmp_path / "data")
    alone, once = learn_some(base, data, tmp_path / "alone", lora=lora)
    for killed in (3, 6, 9):
        learn_some(base, data, tmp_path / "killed", killed=killed, lora=lora)
    after, rest = learn_some(base, data, tmp_path / "killed", lora=lora)
    assert [texts for _, texts in once][rest[0][0] :] == [texts for _, texts in rest]
    assert len(rest) < STEPS  # it did go on, and not begin anew
    for name, value in alone.items():
        assert torch.allclose(after[name], value, atol=1e-6), name


def a_run(folder: Path, budget: Budget, **more) -> LearningRun:
    layer = torch.nn.Linear(2, 2)
    opt = adamw([(list(layer.parameters()), 1e-2)], 0.0)
    clock = iter(range(10_000))
    return LearningRun(folder, layer, opt, budget, 1, now=lambda: float(next(clock)), **more)


def test_the_best_state_is_kept_and_patience_ends_a_run(tmp_path) -> None:
    scores = iter([0.2, 0.6, 0.3, 0.4, 0.1, 0.1])
    run = a_run(tmp_path, Budget(steps=60), scorings=6, patience=2)

    def step(rng, progress):
        with torch.no_grad():
            run.module.weight.fill_(run.reached.steps + 1.0)
        return {"loss": 1.0}

    run.run(step, lambda: {"score": next(scores)})
    assert run.reached.steps == 40 and run.is_over and "nothing better" in run.reached.ended
    assert run.take_best() == 20
    assert run.module.weight[0, 0].item() == 20.0


def test_of_two_states_that_are_nearly_as_good_the_later_is_kept(tmp_path) -> None:
    scores = iter([0.5, 0.51, 0.495])
    run = a_run(tmp_path, Budget(steps=6), scorings=3)
    run.run(lambda rng, progress: {"loss": 1.0}, lambda: {"score": next(scores)})
    assert run.take_best() == 6


def test_a_run_tells_how_long_it_has_left(tmp_path) -> None:
    rows = []
    run = a_run(tmp_path, Budget(steps=10), report_every=0.0, told=rows.append)
    run.run(lambda rng, progress: {"loss": 2.0})
    assert rows[-1]["progress"] == 1.0 and rows[-1]["left"] == 0.0
    assert rows[4]["left"] > rows[7]["left"] > rows[8]["left"] > 0
    assert run.metrics.rows() == rows


def test_ctrl_c_while_figures_are_written_ends_the_step_after(tmp_path) -> None:
    rows = []

    def tell(row):
        rows.append(row)
        if len(rows) == 1:
            os.kill(os.getpid(), signal.SIGINT)

    run = a_run(tmp_path, Budget(steps=50), report_every=0.0, save_every=1e9, told=tell)
    with pytest.raises(Interrupted):
        run.run(lambda rng, progress: {"loss": 1.0})
    assert run.reached.steps == len(rows) == 2
    assert a_run(tmp_path, Budget(steps=50)).reached.steps == 2  # the state is there


def test_ctrl_c_ends_a_step_first(tmp_path) -> None:
    run = a_run(tmp_path, Budget(steps=50))
    done = []

    def step(rng, progress):
        if len(done) == 4:
            os.kill(os.getpid(), signal.SIGINT)
        done.append(progress)
        return {"loss": 1.0}

    with pytest.raises(Interrupted):
        run.run(step)
    assert len(done) == run.reached.steps == 5
    again = a_run(tmp_path, Budget(steps=50))
    assert again.reached.steps == 5


def test_every_group_follows_its_own_rate(tmp_path) -> None:
    layers = torch.nn.ModuleList(torch.nn.Linear(2, 2) for _ in range(2))
    groups = [(list(layers[0].parameters()), 1e-2), (list(layers[1].parameters()), 4e-3)]
    clock = iter(range(10_000))
    opt, seen = adamw(groups, 0.0), []
    run = LearningRun(
        tmp_path, layers, opt, Budget(steps=9), 1, schedule="constant", now=lambda: next(clock)
    )

    def step(rng, progress):
        seen.append({id(p): g["lr"] for g in opt.param_groups for p in g["params"]})
        return {"loss": 1.0}

    run.run(step)
    for layer, peak in zip(layers, (1e-2, 4e-3), strict=True):
        assert [seen[-1][id(p)] for p in layer.parameters()] == pytest.approx([peak, peak])


def test_a_resumed_run_has_the_moments_that_it_had(tmp_path) -> None:
    def a_step(run: LearningRun):
        def step(rng, progress):
            run.opt.zero_grad()
            run.module(torch.ones(1, 2)).square().sum().backward()
            run.opt.step()
            return {"loss": 1.0}

        return step

    run = a_run(tmp_path, Budget(steps=4))
    run.run(a_step(run))
    again = a_run(tmp_path, Budget(steps=8))
    for one, other in zip(run.module.parameters(), again.module.parameters(), strict=True):
        before, after = run.opt.state[one], again.opt.state[other]
        assert before.keys() == after.keys() and before["step"] == 4
        for key, value in before.items():
            assert torch.equal(torch.as_tensor(after[key]), torch.as_tensor(value)), key


@pytest.mark.parametrize(
    "schedule, shares",
    [
        pytest.param("cosine", (1.0, 0.51, 0.02), id="cosine"),
        pytest.param("linear", (1.0, 0.51, 0.02), id="linear"),
        pytest.param("constant", (1.0, 1.0, 1.0), id="constant"),
    ],
)
def test_rates_rise_and_then_follow_their_schedule(schedule, shares) -> None:
    assert rate_at(0.05, schedule, 0.1) == pytest.approx(0.5)
    got = [rate_at(progress, schedule, 0.1) for progress in (0.1, 0.55, 1.0)]
    assert got == pytest.approx(shares, abs=0.005)


def test_what_is_reached_is_written_and_read_back() -> None:
    from gemma_vision.optimization.training_state import StageProgress

    reached = Reached(3, 4.5, 1, 0.25, 2, 1, 0.125)
    assert Reached.of(StageProgress(4.5, 3, reached.notes())) == reached
    assert Reached.of(StageProgress(0.0, 0, Reached().notes())) == Reached()


def test_processes_take_turns_and_one_alone_takes_all() -> None:
    assert [Processes(1, 2).is_turn(turn) for turn in range(4)] == [False, True, False, True]
    assert all(Processes().is_turn(turn) for turn in range(4)) and Processes().agree(2.5) == 2.5
