"""Evaluate: a checkpoint scored on a COCO folder. Data sets in, a score table out."""

from gemma_vision.evaluate.dataset import Dataset, DatasetError, Scene, Thing
from gemma_vision.evaluate.dataset_reader import check_things, read_dataset
from gemma_vision.evaluate.page import ReportError
from gemma_vision.evaluate.phrases import PROMPT, REFS, read_phrases
from gemma_vision.evaluate.referring import evaluate_phrases
from gemma_vision.evaluate.result import Masked, Result
from gemma_vision.evaluate.running import evaluate
from gemma_vision.evaluate.scores import summarise

__all__ = [
    "PROMPT",
    "REFS",
    "Dataset",
    "DatasetError",
    "Masked",
    "ReportError",
    "Result",
    "Scene",
    "Thing",
    "check_things",
    "evaluate",
    "evaluate_phrases",
    "read_dataset",
    "read_phrases",
    "summarise",
]
