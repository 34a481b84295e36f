"""A process that is forked from one in which torch has computed computes, and waits for nobody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROGRAM = """
import os, signal, sys
import torch
import gemma_vision

torch.set_num_threads(2)
pipeline = gemma_vision.load()
seen = pipeline.segment(sys.argv[1], "cat ; dog")
if child := os.fork():
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.alarm(30)
    os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
again = pipeline.segment(sys.argv[1], "cat ; dog")
os._exit(int(again.labels != seen.labels or (again.masks != seen.masks).mean() > 0.001))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
def test_a_fork_of_a_process_that_has_outlined_outlines() -> None:
    scene = ROOT / "gemma_vision" / "web" / "examples" / "scene-1.jpg"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, str(scene)],
        cwd=ROOT,
        timeout=60,
        check=False,
        env={name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"},
    )
    assert done.returncode == 0
