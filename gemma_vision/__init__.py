"""See with PaliGemma and Gemma: boxes, masks and words from a picture.

    import gemma_vision
    pipeline = gemma_vision.load()                      # the checkpoint that comes inside
    answer = pipeline.detect("photo.jpg", "cat ; dog")
    answer.overlay().save("seen.png")

Importing this is cheap: torch and transformers come in when something needs them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gemma_vision.answer import Answer
    from gemma_vision.catalogue import load, models
    from gemma_vision.config import CheckpointError
    from gemma_vision.engine import Chunk, Engine, Prompt
    from gemma_vision.images import ImageError
    from gemma_vision.paste import read
    from gemma_vision.pipeline import Pipeline
    from gemma_vision.tasks import Request, Task, TaskError, Turn

__all__ = [
    "Answer",
    "CheckpointError",
    "Chunk",
    "Engine",
    "ImageError",
    "Pipeline",
    "Prompt",
    "Request",
    "Task",
    "TaskError",
    "Turn",
    "load",
    "models",
    "read",
]

HOMES = {
    "Answer": "answer",
    "CheckpointError": "config",
    "Chunk": "engine",
    "Engine": "engine",
    "ImageError": "images",
    "Pipeline": "pipeline",
    "Prompt": "engine",
    "Request": "tasks",
    "Task": "tasks",
    "TaskError": "tasks",
    "Turn": "tasks",
    "load": "catalogue",
    "models": "catalogue",
    "read": "paste",
}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
