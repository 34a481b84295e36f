"""Processes: two that learn together take the step that one takes over both batches."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_models import make_model, save
from tuning import write_data

ROOT = Path(__file__).parent.parent
LEARN = """
import sys
import torch
from gemma_vision.finetuning.learning.learn import learn
from gemma_vision.finetuning.learning.processes import started_processes
from gemma_vision.finetuning.options import plan_of
from gemma_vision.finetuning.program import prepare_in_turn

torch.set_num_threads(1)
processes, _ = started_processes("cpu")
data, base, folder, accumulate = sys.argv[1:]
options = {"data": data, "name": "mine", "out": f"{folder}/out", "runs": f"{folder}/runs"}
options |= {"model": base, "steps": 2, "batch": 2, "scorings": 0, "accumulate": int(accumulate)}
prepared = prepare_in_turn(plan_of(options), processes, resume=False, tell=print)
learn(prepared, torch.device("cpu"), processes)
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def start(words: list[str], **env: str) -> subprocess.Popen:
    known = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | env
    return subprocess.Popen(
        [sys.executable, "-c", LEARN, *words], env=known, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.slow
def test_two_processes_learn_what_one_learns_of_two_batches(tmp_path) -> None:
    pytest.importorskip("accelerate", reason="accelerate is not installed")
    base = save(make_model(), tmp_path / "base")
    data = write_data(tmp_path / "data")
    port = str(free_port())
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    shared |= {"ACCELERATE_USE_CPU": "true"}
    two = [
        start(
            [str(data), str(base), str(tmp_path / "two"), "1"], RANK=rank, LOCAL_RANK=rank, **shared
        )
        for rank in ("0", "1")
    ]
    for run in two:
        _, err = run.communicate(timeout=600)
        assert run.returncode == 0, err
    one = start([str(data), str(base), str(tmp_path / "one"), "2"])
    _, err = one.communicate(timeout=600)
    assert one.returncode == 0, err
    learned = [load_file(tmp_path / name / "out" / "model.safetensors") for name in ("one", "two")]
    before = load_file(base / "model.safetensors")
    for name, tensor in learned[0].items():
        assert torch.allclose(tensor, learned[1][name], atol=2e-5), name
    assert any(not torch.equal(tensor, before[name]) for name, tensor in learned[0].items())
