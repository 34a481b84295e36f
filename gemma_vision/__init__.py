"""See with PaliGemma and Gemma: boxes, masks and words from a picture.

    import gemma_vision
    pipeline = gemma_vision.load()                      # the checkpoint that comes inside
    answer = pipeline.detect("photo.jpg", "cat ; dog")
    answer.overlay().save("seen.png")

Importing this is cheap: torch and transformers come in when something needs them.
"""

from __future__ import annotations

from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str

    from gemma_vision.answers.answer import Answer
    from gemma_vision.answers.parse_answer import read
    from gemma_vision.errors import CheckpointError
    from gemma_vision.finetuning.api import finetune
    from gemma_vision.images.opening import ImageError
    from gemma_vision.pipeline import Pipeline
    from gemma_vision.registry.loading import load, models
    from gemma_vision.requests.request import Request, Turn
    from gemma_vision.requests.tasks import Task
    from gemma_vision.requests.validation import TaskError
    from gemma_vision.runtime.engine import Chunk, Engine, Prompt

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
    "finetune",
    "load",
    "models",
    "read",
]

HOMES = {
    "Answer": "answers.answer",
    "CheckpointError": "errors",
    "Chunk": "runtime.engine",
    "Engine": "runtime.engine",
    "ImageError": "images.opening",
    "Pipeline": "pipeline",
    "Prompt": "runtime.engine",
    "Request": "requests.request",
    "Task": "requests.tasks",
    "TaskError": "requests.validation",
    "Turn": "requests.request",
    "finetune": "finetuning.api",
    "load": "registry.loading",
    "models": "registry.loading",
    "read": "answers.parse_answer",
}


def installed_version() -> str:
    """The version of the installed package, or "unknown" in a folder that was never installed."""
    try:
        return metadata.version("gemma-vision")
    except metadata.PackageNotFoundError:
        return "unknown"


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value: Any = installed_version()
    elif name in HOMES:
        value = getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
