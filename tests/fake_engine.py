"""FakeEngine: an engine that speaks a script. For every test that wants an answer but no model.

    pipeline = fake_pipeline("<loc0102><loc0204><loc0512><loc0768> cat", delay=0.05)

No gradio, no torch, no transformers.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.languages import TONGUES
from gemma_vision.requests.request import Request
from gemma_vision.requests.tasks import Task
from gemma_vision.runtime.engine import Chunk, Prompt

Script = str | Sequence[str | Chunk] | BaseException
"""A text (cut into tokens), ready-made pieces, or an error to raise when asked."""

TOKEN = re.compile(r"<(?:loc|seg)\d+>|\s?[^\s<;]+|\s?;|\s|<")

CAT_AND_DOG = "<loc0102><loc0102><loc0512><loc0460> cat ; <loc0307><loc0562><loc0921><loc0972> dog"
CAT_WITH_MASK = (
    "<loc0102><loc0102><loc0512><loc0460> "
    + "".join(f"<seg{code:03d}>" for code in range(16))
    + " cat"
)


class FakeEngine:
    """Streams a script, one token a step, to every prompt.

    script: one for all prompts, or a function of the prompt. delay: seconds before each step.
    score: the score of every token that brings none of its own. `prompts` keeps what was asked,
    `cancelled` counts the streams closed before their end, `steps` the steps taken.
    """

    def __init__(
        self,
        script: Script | Callable[[Prompt], Script] = CAT_AND_DOG,
        *,
        name: str = "fake",
        delay: float = 0.0,
        score: float = 0.9,
        timing: Mapping[str, float] | None = None,
    ) -> None:
        self.name = name
        self.script = script
        self.delay = delay
        self.score = score
        self.timing = dict(timing or {})
        self.prompts: list[Prompt] = []
        self.cancelled = 0
        self.steps = 0

    def ready(self) -> bool:
        return True

    def stream(self, prompts: Sequence[Prompt]) -> Iterator[list[Chunk | None]]:
        """As `Engine.stream`: each row ends with a chunk whose finish is "stop" or "length"."""
        self.prompts.extend(prompts)
        rows = [self._chunks(prompt) for prompt in prompts]
        try:
            for step in range(max(map(len, rows), default=0)):
                if self.delay:
                    time.sleep(self.delay)
                self.steps += 1
                yield [row[step] if step < len(row) else None for row in rows]
        except GeneratorExit:
            self.cancelled += 1
            raise

    def _chunks(self, prompt: Prompt) -> list[Chunk]:
        script = self.script(prompt) if callable(self.script) else self.script
        if isinstance(script, BaseException):
            raise script
        pieces = TOKEN.findall(script) if isinstance(script, str) else list(script)
        chunks = [self._chunk(index, piece) for index, piece in enumerate(pieces)]
        cut = chunks[: prompt.max_tokens]
        if any(chunk.finish for chunk in cut):
            return cut
        finish = "stop" if len(chunks) <= prompt.max_tokens else "length"
        return [*cut, Chunk("", finish=finish, timing=self.timing)]

    def _chunk(self, index: int, piece: str | Chunk) -> Chunk:
        return piece if isinstance(piece, Chunk) else Chunk(piece, (index,), (self.score,))


class FakeFamily:
    """The wording of PaliGemma, without its sizes."""

    name = "fake"
    styles = ("caption",)
    languages = tuple(TONGUES)
    has_regions = has_pan_and_scan = has_variants = has_bare_phrases = can_think = False
    names_per_prompt = questions = None
    budgets = choices = ()

    wording: ClassVar = {"caption": "caption {language}", "ask": "answer {language} {text}"}

    def __init__(self, tasks: Sequence[Task] = tuple(Task)) -> None:
        self.tasks = tuple(tasks)

    def budget_of(self, request: Request) -> int | None:
        return request.budget

    def answers_in_json(self, task: str) -> bool:
        return False

    def uses_language(self, verb: str) -> bool:
        return verb in self.wording

    def explain_task(self, task: str, name: str, tasks: Sequence[str] = ()) -> str:
        return f"{name} cannot {task}; it can {', '.join(tasks)}. Take another model."

    def write_prompt(self, request: Request) -> str:
        match request.task:
            case Task.detect | Task.segment | Task.point:
                return f"{request.task} {' ; '.join(request.names)}"
            case Task.caption:
                return f"caption {request.language}"
            case Task.ask:
                return f"answer {request.language} {request.text.strip()}"
            case Task.ocr:
                return "ocr"
            case _:
                return request.text


class FakeDecoder:
    """Codes to discs: a filled circle whose radius follows the first code."""

    def __init__(self) -> None:
        self.calls = 0

    def decode(self, codes: np.ndarray, logits: bool = False) -> np.ndarray:
        """(K, 16) -> (K, 64, 64) float32: probabilities, or logits where asked."""
        self.calls += 1
        y, x = np.mgrid[:64, :64] - 31.5
        radius = 16 + np.asarray(codes).reshape(-1, 16)[:, 0] / 8  # 16 .. 32
        inside = np.hypot(y, x)[None] < radius[:, None, None]
        return np.where(inside, 1.0, -1.0 if logits else 0.0).astype(np.float32)


def fake_pipeline(
    script: Script | Callable[[Prompt], Script] = CAT_AND_DOG,
    *,
    tasks: Sequence[Task] = tuple(Task),
    decoder: Any = None,
    policy: str = "bigvision",
    **options: Any,
) -> Pipeline:
    """A Pipeline over a FakeEngine; `options` are the engine's."""
    engine = FakeEngine(script, **options)
    decoder = FakeDecoder() if decoder is None else decoder
    return Pipeline(engine, FakeFamily(tasks), decoder=decoder, policy=policy, name=engine.name)
