"""Inside: one image followed through the tensors of a checkpoint that runs here."""

from gemma_vision.inside.answer_trace import Step, masks
from gemma_vision.inside.stage import Stage
from gemma_vision.inside.tower_trace import principal
from gemma_vision.inside.trace import trace

__all__ = ["Stage", "Step", "masks", "principal", "trace"]
