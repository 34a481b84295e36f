"""Endings: disk, memory, Ctrl-C, lost pictures: one sentence, an exit code, a whole state."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors import SafetensorError
from safetensors.torch import load_file
from tiny_models import make_model, save
from tuning import words_of, write_data

from gemma_vision.cli import main
from gemma_vision.finetuning.learning import run as run_module
from gemma_vision.optimization import training_state

ROOT = Path(__file__).parent.parent
START_SECONDS = 300  # a busy machine imports torch slowly

pytestmark = pytest.mark.usefixtures("short_answers")


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    return save(make_model(), tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"))


def told(capsys) -> str:
    """What was said last, which has to be a sentence of the program."""
    err = capsys.readouterr().err
    assert "Traceback" not in err
    last = err.strip().splitlines()[-1]
    assert last.startswith("gemma-vision: ")
    return last


ENDINGS = [
    pytest.param(OSError(errno.ENOSPC, "No space left on device"), "disk is full", id="disk"),
    pytest.param(
        SafetensorError(
            "Error while serializing: I/O error: No space left on device (os error 28)"
        ),
        "disk is full",
        id="disk while weights are written",
    ),
    pytest.param(OSError(errno.EFBIG, "File too large"), "ulimit -f", id="file limit"),
    pytest.param(SafetensorError("I/O error: File too large (os error 27)"), "ulimit", id="limit"),
    pytest.param(MemoryError(), "too little memory", id="memory"),
    pytest.param(
        RuntimeError("[enforce fail at alloc_cpu.cpp:113] . DefaultCPUAllocator: can't allocate"),
        "too little memory",
        id="memory of torch",
    ),
    pytest.param(RuntimeError("CUDA out of memory. Tried"), "too little memory", id="of a GPU"),
]


@pytest.mark.parametrize("error, said", ENDINGS)
def test_what_ends_the_second_state_leaves_the_first(
    error, said, base, data, tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.setattr(run_module.LearningRun, "wait", property(lambda self: 0.0))
    saved = []

    def save_or_fail(tensors, draft, **more):
        Path(draft).write_bytes(b"half")
        if saved:
            raise error
        saved.append(True)
        write(tensors, draft, **more)

    write = training_state.save_file
    monkeypatch.setattr(training_state, "save_file", save_or_fail)
    assert main(words_of(data, tmp_path, "--steps", "4", model=base)) == 2
    sentence = told(capsys)
    assert said in sentence and "go on with --resume" in sentence
    state = tmp_path / "runs" / "mine"
    assert load_file(state / "finetune.safetensors")
    assert not list(state.glob(".*.new"))
    monkeypatch.undo()
    assert main(words_of(data, tmp_path, "--steps", "4", "--resume", model=base)) == 0


def test_pictures_that_are_lost_while_it_learns_are_named(
    base, data, tmp_path, monkeypatch, capsys
) -> None:
    folder = write_data(tmp_path / "data", count=5)
    from gemma_vision.finetuning.learning import learn as module

    opened = module.open_for

    def lose(*given):
        for path in folder.glob("*.png"):
            path.unlink()
        return opened(*given)

    monkeypatch.setattr(module, "open_for", lose)
    assert main(words_of(folder, tmp_path, "--steps", "4", model=base)) == 2
    assert ".png" in told(capsys)


def test_data_that_changed_is_refused_when_going_on(base, tmp_path, capsys) -> None:
    folder = write_data(tmp_path / "data")
    words = words_of(folder, tmp_path, "--steps", "2", model=base)
    assert main(words) == 0
    write_data(folder, count=7)
    assert main([*words, "--resume"]) == 2
    assert "have changed since the run" in told(capsys)


def test_steps_can_be_raised_when_going_on(base, data, tmp_path) -> None:
    words = words_of(data, tmp_path, model=base)
    assert main([*words, "--steps", "2"]) == 0
    assert main([*words, "--steps", "5", "--resume"]) == 0
    card = (tmp_path / "out" / "README.md").read_text()
    assert "5 steps" in card and "--steps 5" in card


DRIVER = """
import resource, sys
from gemma_vision.cli import main
import gemma_vision.finetuning.program, torch, transformers, peft
{limit}
sys.exit(main(sys.argv[1:]))
"""
FILES = "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))"
MEMORY = """
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 30_000_000, used + 30_000_000))
"""


def start(limit: str, words: list[str]) -> subprocess.Popen:
    env = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER.format(limit=limit), *words],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits are set as Linux has them")
@pytest.mark.parametrize(
    "limit, said",
    [
        pytest.param(FILES, "ulimit -f", id="files"),
        pytest.param(MEMORY, "too little memory", id="memory"),
    ],
)
def test_a_limit_of_the_machine_ends_in_a_sentence(limit, said, base, data, tmp_path) -> None:
    run = start(limit, words_of(data, tmp_path, "--steps", "4", model=base))
    _, err = run.communicate(timeout=START_SECONDS)
    assert run.returncode == 2, err
    assert "Traceback" not in err and said in err.strip().splitlines()[-1]


def test_ctrl_c_writes_the_state_and_says_how_to_go_on(base, data, tmp_path) -> None:
    words = words_of(data, tmp_path, "--steps", "100000", model=base)
    run = start("", words)
    log = tmp_path / "runs" / "mine" / "finetune.jsonl"
    latest = time.monotonic() + START_SECONDS
    while not log.exists() or not log.read_text():
        assert run.poll() is None and time.monotonic() < latest
        time.sleep(0.2)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=START_SECONDS)
    assert run.returncode == 130, err
    assert "Traceback" not in err
    assert "Stopped. The state is in" in err.strip().splitlines()[-1]
    assert load_file(tmp_path / "runs" / "mine" / "finetune.safetensors")
    assert "stopped" in (tmp_path / "runs" / "mine" / "progress.html").read_text()


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")  # of PEFT
@pytest.mark.parametrize("moved", [0, 1], ids=["in the draft", "between its two files"])
def test_a_run_that_is_killed_while_it_writes_an_adapter_goes_on(
    moved, base, tmp_path, monkeypatch
) -> None:
    pytest.importorskip("peft", reason="PEFT is not installed")
    words = words_of(write_data(tmp_path / "data"), tmp_path, "--steps", "2", "--lora", model=base)
    out, replace = tmp_path / "out", Path.replace
    left = [moved]

    def killed(path: Path, target: Path) -> Path:
        if path.name.startswith("adapter_"):
            if left[0] == 0:
                raise KeyboardInterrupt
            left[0] -= 1
        return replace(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", killed)
        main(words)
    assert not (out / "adapter_config.json").exists() and any(out.iterdir())
    assert main(words) == 2  # an earlier run is there
    assert main([*words, "--resume"]) == 0
    assert (out / "adapter_config.json").is_file() and not [*out.glob(".*")]
    assert (out / "adapter_model.safetensors").is_file()
