"""The seam: any object with a name, a stream and a readiness is an engine."""

from __future__ import annotations

import subprocess
import sys

import pytest
from fake_engine import CAT_AND_DOG, FakeEngine

from gemma_vision.runtime.engine import Chunk, Engine, Prompt


def test_the_fake_is_an_engine():
    assert isinstance(FakeEngine(), Engine)
    assert not isinstance(object(), Engine)


def test_the_fake_says_its_script_one_token_a_step():
    steps = list(FakeEngine().stream([Prompt((), "detect cat")]))
    chunks = [chunk for (chunk,) in steps if chunk]
    assert "".join(chunk.text for chunk in chunks) == CAT_AND_DOG
    assert [chunk.finish for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert all(chunk.text.endswith(">") for chunk in chunks if "<loc" in chunk.text)


def test_the_fake_keeps_to_the_limit_and_says_so():
    engine = FakeEngine("a b c d")
    (chunks,) = zip(*engine.stream([Prompt((), "x", max_tokens=2)]), strict=True)
    assert [chunk.finish for chunk in chunks] == [None, None, "length"]
    assert "".join(chunk.text for chunk in chunks) == "a b"


def test_rows_of_different_length_end_at_different_steps():
    engine = FakeEngine(lambda prompt: prompt.text)
    steps = list(engine.stream([Prompt((), "a"), Prompt((), "a b c")]))
    assert [[chunk and chunk.finish for chunk in step] for step in steps] == [
        [None, None],
        ["stop", None],
        [None, None],
        [None, "stop"],
    ]


def test_closing_the_stream_is_noticed():
    engine = FakeEngine()
    stream = engine.stream([Prompt((), "x")])
    next(stream)
    stream.close()
    assert (engine.cancelled, engine.steps) == (1, 1)


def test_a_chunk_is_whole_with_its_text_alone():
    assert Chunk("cat") == Chunk("cat", (), (), None, (), {})


@pytest.mark.parametrize(
    "module", ["runtime.engine", "requests.request", "pipeline", "registry.loading", "cli.program"]
)
def test_the_seam_brings_in_no_model(module):
    heavy = "{'torch', 'transformers', 'gradio', 'cv2', 'huggingface_hub'}"
    code = f"import sys, gemma_vision.{module}; print(sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
