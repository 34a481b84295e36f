"""State: whole or not at all, weights and numbers of one moment, gone on from after a kill."""

import itertools
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from gemma_vision.optimization.atomic_write import atomic_file, write_atomically
from gemma_vision.optimization.clock import Clock, TimeUp
from gemma_vision.optimization.metrics_log import MetricsLog
from gemma_vision.optimization.stage import TrainingStage, adamw, state_file
from gemma_vision.optimization.training_state import (
    StageProgress,
    StateError,
    load_state,
    read_progress,
    save_state,
)

# Trains a layer whose weights say how many steps were taken, in a process that is killed again and
# again; every process goes on from what the one before left, and says what it found.
VICTIM = """
import os, random, signal, sys, time
import torch
from contextlib import suppress
from pathlib import Path
from gemma_vision.optimization.stage import TrainingStage, adamw
folder, kills = Path(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(1)

def train(pipe):
    layer = torch.nn.Linear(300, 300, bias=False)
    torch.nn.init.zeros_(layer.weight)
    opt = adamw([([layer.weight], 1e-3)], 0.0)
    stage = TrainingStage(folder, "part", 60.0, layer, opt, save_every=0.0, report_every=0.0)
    assert (layer.weight == stage.steps).all(), "weights and numbers of different moments"
    os.write(pipe, f"{stage.steps}\\n".encode())
    def step(progress):
        layer.weight.data += 1
        return {"loss": 1.0}
    stage.run(step)

adamw([([torch.nn.Parameter(torch.ones(2))], 1e-3)], 0.0)  # what it imports, once for all
random.seed(1)
for _ in range(kills):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        sys.stderr = open(os.devnull, "w")
        try:
            train(writer)
        finally:
            os._exit(1)
    os.close(writer)
    print(os.read(reader, 99).decode().strip() or "broken")
    time.sleep(random.uniform(0.005, 0.08))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""


def a_stage(folder: Path, **kwargs) -> TrainingStage:
    torch.manual_seed(0)
    layer = nn.Linear(3, 3)
    opt = adamw([(list(layer.parameters()), 1e-2)], 0.01)
    return TrainingStage(folder, "part", 0.1, layer, opt, **kwargs)


def a_step(stage: TrainingStage):
    def step(progress: float) -> dict[str, float]:
        stage.opt.zero_grad()
        stage.module(torch.ones(2, 3)).square().sum().backward()
        stage.opt.step()
        return {"loss": 1.0 / (1 + stage.steps)}

    return step


class Ticks:
    """A clock's `now`: a second more whenever it is asked."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        self.seconds += 1
        return self.seconds


class TestFiles:
    def test_an_error_leaves_the_old_file(self, tmp_path):
        path = tmp_path / "file.txt"
        write_atomically(path, "old")
        with pytest.raises(RuntimeError), atomic_file(path) as draft:
            draft.write_text("half")
            raise RuntimeError
        assert path.read_text() == "old"

    def test_folders_are_made(self, tmp_path):
        write_atomically(tmp_path / "a" / "b.txt", "new")
        assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.txt"]


class TestState:
    def test_weights_moments_and_numbers_come_back(self, tmp_path):
        stage = a_stage(tmp_path)
        for _ in range(3):
            a_step(stage)(0.0)
        save_state(tmp_path / "one", stage.module, stage.opt, StageProgress(1.5, 3))
        again = a_stage(tmp_path)
        assert load_state(tmp_path / "one", again.module, again.opt) == StageProgress(1.5, 3)
        a_step(stage)(0.0)
        a_step(again)(0.0)
        assert torch.equal(stage.module.weight, again.module.weight)

    def test_a_tied_tensor_comes_back_under_both_names(self, tmp_path):
        def tied() -> nn.ModuleDict:
            parts = nn.ModuleDict({"table": nn.Embedding(4, 2), "head": nn.Linear(2, 4, False)})
            parts["head"].weight = parts["table"].weight
            return parts

        saved, loaded = tied(), tied()
        opt = adamw([([saved["table"].weight], 1.0)], 0.0)
        save_state(tmp_path / "one", saved, opt, StageProgress())
        load_state(tmp_path / "one", loaded, adamw([([loaded["table"].weight], 1.0)], 0.0))
        assert torch.equal(loaded["head"].weight, saved["table"].weight)

    def test_no_file_is_nothing_reached(self, tmp_path):
        assert read_progress(tmp_path / "none") == StageProgress(0.0, 0)

    def test_another_model_is_refused_in_words(self, tmp_path):
        stage = a_stage(tmp_path)
        save_state(tmp_path / "one", stage.module, stage.opt, StageProgress())
        other = nn.Linear(3, 4)
        with pytest.raises(StateError, match="other sizes; remove its folder"):
            load_state(tmp_path / "one", other, adamw([(list(other.parameters()), 1.0)], 0.0))

    def test_a_foreign_file_is_refused_in_words(self, tmp_path):
        save_file({"a": torch.ones(2)}, tmp_path / "tensors")
        (tmp_path / "text").write_text("no tensors at all")
        for name in ("tensors", "text"):
            with pytest.raises(StateError, match="is no state of this program; remove it"):
                read_progress(tmp_path / name)


class TestMetricsLog:
    def test_a_line_that_was_cut_off_is_dropped(self, tmp_path):
        metrics = MetricsLog(tmp_path / "part.jsonl")
        metrics.add({"steps": 1, "loss": 2.0})
        with metrics.path.open("a") as file:
            file.write('{"steps": 2, "lo')
        assert metrics.rows() == [{"steps": 1, "loss": 2.0}]
        metrics.truncate_after(1)
        metrics.add({"steps": 2, "loss": 1.0})
        assert [row["steps"] for row in metrics.rows()] == [1, 2]

    def test_steps_that_will_be_taken_again_are_forgotten(self, tmp_path):
        metrics = MetricsLog(tmp_path / "part.jsonl")
        for steps in range(1, 6):
            metrics.add({"steps": steps})
        metrics.truncate_after(3)
        assert [row["steps"] for row in metrics.rows()] == [1, 2, 3]


class TestStage:
    def test_a_clock_that_is_up_stops_it_with_its_state_saved(self, tmp_path):
        stage = a_stage(tmp_path, clock=Clock(2 / 60, Ticks()), report_every=0.0)
        with pytest.raises(TimeUp, match=r"stage part is at \d+%"):
            stage.run(a_step(stage))
        again = a_stage(tmp_path)
        assert 0 < again.progress < 1
        assert again.steps == stage.steps == stage.metrics.rows()[-1]["steps"]
        assert torch.equal(again.module.weight, stage.module.weight)

    def test_chunks_add_up_to_the_whole(self, tmp_path):
        num_chunks = 0
        while (stage := a_stage(tmp_path, clock=Clock(4 / 60, Ticks()))).is_due:
            num_chunks += 1
            try:
                stage.run(a_step(stage))
            except TimeUp:
                continue
        assert num_chunks > 1 and stage.progress == 1

    def test_state_is_saved_as_often_as_asked(self, tmp_path):
        stage, ages = a_stage(tmp_path, clock=Clock(now=Ticks()), save_every=2.0), []
        step = a_step(stage)

        def watched(progress: float) -> dict[str, float]:
            ages.append(stage.seconds - read_progress(state_file(tmp_path, "part")).seconds)
            return step(progress)

        stage.budget = 30.0
        stage.run(watched)
        assert len(ages) > 8 and max(ages) <= 6.0

    def test_a_closed_stage_only_loads(self, tmp_path):
        assert not a_stage(tmp_path, is_open=False).is_due
        assert a_stage(tmp_path).is_due


def test_a_kill_at_any_moment_leaves_a_whole_state(tmp_path):
    root = Path(__file__).parent.parent
    command = [sys.executable, "-c", VICTIM, str(tmp_path), "20"]
    done = subprocess.run(
        command, cwd=root, capture_output=True, text=True, timeout=300, check=True
    )
    reached = done.stdout.split()
    assert "broken" not in reached and len(reached) == 20
    steps = [int(one) for one in reached]
    assert steps == sorted(steps) and steps[-1] > 5  # it went on, and never back
    rows = [json.dumps(row) for row in MetricsLog(tmp_path / "part.jsonl").rows()]
    assert len(rows) == len(set(rows))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
def test_the_smoke_preset_survives_kills_in_every_stage(tmp_path):
    """kill -9 of the real program, over and over, until it comes to its end."""
    root, folder = Path(__file__).parent.parent, tmp_path / "smoke"
    command = [sys.executable, "-m", "training.train", "--preset", "smoke", "--resume"]
    command += ["--runs", str(tmp_path), "--workers", "1", "--threads", "1", "--device", "cpu"]
    parts = ("vq", "polish", "vision", "decoder", "masks", "joint")
    killed_in, furthest = set(), dict.fromkeys(parts, 0.0)
    for part in (*parts, None):
        process = subprocess.Popen(
            command, cwd=root, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        for line in process.stderr:
            if part and line.startswith(f'{{"stage": "{part}"'):
                process.send_signal(signal.SIGKILL)
                killed_in.add(part)
                break
        process.communicate(timeout=900)
        for name in parts:
            seconds = read_progress(state_file(folder, name)).seconds
            assert seconds >= furthest[name]
            furthest[name] = seconds
    assert killed_in == set(parts) and process.returncode == 0 and not is_alive(process.pid)
    assert json.loads((folder / "eval.json").read_text())["n_images"] == 3
    assert (folder / "checkpoint" / "model.safetensors").exists()


def test_every_group_of_a_stage_follows_its_own_rate(tmp_path):
    layers = nn.ModuleList(nn.Linear(2, 2) for _ in range(2))
    groups = [(list(layers[0].parameters()), 1e-2), (list(layers[1].parameters()), 4e-3)]
    stage = TrainingStage(tmp_path, "part", 0.1, layers, adamw(groups, 0.0), clock=Clock())
    stage._set_rate()
    rates = {id(p): group["lr"] for group in stage.opt.param_groups for p in group["params"]}
    quick, slow = ({rates[id(p)] for p in layer.parameters()} for layer in layers)
    assert len(quick) == len(slow) == 1 and quick.pop() == pytest.approx(2.5 * slow.pop())


def test_the_weights_of_a_stages_tail_come_out_as_their_mean(tmp_path):
    """In however many pieces it is trained."""
    quarters = itertools.count()
    seen: list[torch.Tensor] = []

    def train(stage: TrainingStage) -> None:
        learn, weight = a_step(stage), next(stage.module.parameters())

        def step(progress: float) -> dict[str, float]:
            figures = learn(progress)
            seen.append(weight.detach().clone())
            return figures

        with suppress(TimeUp):
            stage.run(step)

    def opened() -> TrainingStage:
        clock = Clock(3 / 60, lambda: next(quarters) / 4)
        return a_stage(tmp_path, clock=clock, tail=0.5)

    while (stage := opened()).is_due:
        train(stage)
    count = int(next(iter(stage.opt.state.values()))["num_averaged"])
    assert len(seen) >= 8 and abs(count - len(seen) / 2) <= 1
    mean = torch.stack(seen[-count:]).mean(0)
    torch.testing.assert_close(next(stage.module.parameters()).detach(), mean)
    assert not torch.equal(mean, seen[-1])
