"""Loading: which checkpoints there are, and a pipeline over one of them.

Listing them reads headers only; torch comes in when one is loaded.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gemma_vision.checkpoints.bounds.json_text import parse_json
from gemma_vision.checkpoints.bounds.malformed import as_checkpoint_error
from gemma_vision.checkpoints.config import read_config, read_notes
from gemma_vision.checkpoints.file_names import CHECKPOINTS
from gemma_vision.checkpoints.gemma4.names import is_left_out
from gemma_vision.checkpoints.hub import is_here
from gemma_vision.checkpoints.mask_decoder_files import decoder_of
from gemma_vision.checkpoints.model_names import clean_name, embedded, is_folder
from gemma_vision.checkpoints.weight_files import weight_files
from gemma_vision.errors import CheckpointError
from gemma_vision.model.config import LayeredTextConfig, ModelConfig
from gemma_vision.pipeline import Pipeline
from gemma_vision.registry.engines import LOCAL, connect, guess_family
from gemma_vision.registry.published import LICENCE, PUBLISHED, licence_of
from gemma_vision.requests.interpretation.names import names_of, read_names
from gemma_vision.requests.prompts import family_of
from gemma_vision.requests.variants import limit_to
from gemma_vision.weights.memory import PACKED, Numbers

if TYPE_CHECKING:
    from gemma_vision.checkpoints.progress import ProgressReporter
    from gemma_vision.requests.family import Family
    from gemma_vision.requests.request import Request
    from gemma_vision.weights.checkpoint import Checkpoint, Found

MAX_HEADER = 100_000_000  # bytes, as the format says
MAX_AXES = 8  # of a tensor


def load(
    name: str | Path = "tiny",
    device: str | None = None,
    dtype: str | None = None,
    *,
    base: str | Path | None = None,
    found: Found | None = None,
    reporter: ProgressReporter | None = None,
    masks: str | Path | Pipeline | None = None,
    engine: str | None = None,
) -> Pipeline:
    """A pipeline over "tiny" (it comes inside), a folder or a Hub id, ready to be asked.

    device: "cpu", "cuda", "mps" or None for the best there is. dtype: "float32", "bfloat16",
    "float16", or None: float32 on a CPU (the file's own above a billion parameters), bfloat16
    on a GPU. Raises CheckpointError with a sentence that says what to do.
    base: the model under an adapter whose folder names one that is not here.
    masks: another checkpoint, or a pipeline over one, that outlines what this one only finds.
    engine: who runs it, "local" or the address of another (see `registry.engines`).
    found: where it lies, from `checkpoint.locate`. reporter: told how far, may call it off.
    """
    if engine is not None and engine != LOCAL:
        return load_elsewhere(str(name), engine, masks=masks)
    from gemma_vision.runtime.local_engine import LocalEngine
    from gemma_vision.weights.checkpoint import open_checkpoint

    name = clean_name(str(name))
    with as_checkpoint_error(called(name)):
        checkpoint = open_checkpoint(name, device, dtype, base=base, found=found, reporter=reporter)
        notes = checkpoint.notes
        return Pipeline(
            LocalEngine(checkpoint),
            limit_to(family_of(checkpoint.config.family), name, notes),
            decoder=decoder_of(*checkpoint.folders),
            policy=notes.get("policy", "space"),
            name=called(name),
            source=name,
            card=card_of(checkpoint) | ({"dtype": dtype} if dtype in PACKED else {}),
            masks=load(masks, device, dtype) if isinstance(masks, str | Path) else masks,
        )


def load_elsewhere(
    name: str, engine: str, *, masks: str | Path | Pipeline | None = None
) -> Pipeline:
    """A pipeline over a model that another program runs. Needs no torch, and of the checkpoint
    nothing but its mask decoder, where it writes masks. masks: another that runs here.
    """
    running = connect(engine, clean_name(name), family_at)
    folder = folder_of(running.name)
    notes = read_notes(folder)
    return Pipeline(
        running,
        family_at(running.name),
        decoder=decoder_of(folder),
        policy=notes.get("policy", "space"),
        name=called(running.name),
        card={"licence": licence_of(running.name), "engine": engine} | notes,
        masks=load(masks) if isinstance(masks, (str, Path)) else masks,
    )


def family_at(name: str) -> Family:
    """How a checkpoint is asked, by what is known of it here, or by its name alone."""
    return variant_from_registry(name) or limit_to(guess_family(name), name, {})


def called(name: str | Path) -> str:
    """What a checkpoint is called where others read it: a folder by its own name, without its path.

    "/srv/models/my-cats"  ->  "my-cats"
    """
    is_path = str(name) not in embedded() and is_folder(str(name))
    return Path(name).expanduser().resolve().name if is_path else str(name)


def check_request(name: str | Path, request: Request) -> None:
    """Refuse what a checkpoint cannot do before it is fetched or loaded: TaskError in words.

    Says nothing about Hub ids that are not in the catalogue; their pipeline will.
    """
    family = variant_from_registry(str(name))
    if family is not None:
        replace(family, title=str(name)).check_request(request)
    if request.spec.names_things and request.reading is None:
        read_names(request.text, names_of(read_notes(folder_of(str(name)))))


def variant_from_registry(name: str) -> Family | None:
    """What a checkpoint understands, from its folder's small files or from the catalogue."""
    folder = folder_of(name)
    try:
        return limit_to(family_of(read_config(folder).family), name, read_notes(folder))
    except CheckpointError:
        listed = {hub_id: family for hub_id, family, *_ in PUBLISHED}
        return limit_to(family_of(listed[name]), name, {}) if name in listed else None


def folder_of(name: str) -> Path:
    """Where a checkpoint lies that comes inside or is named by its folder."""
    return CHECKPOINTS / name if name in embedded() else Path(name).expanduser()


def card_of(checkpoint: Checkpoint) -> dict[str, Any]:
    """What a checkpoint's notes say, with its sizes and where and in which numbers it computes."""
    weight = checkpoint.model.text.embed_tokens.weight
    facts = {
        "side": checkpoint.config.side,
        "parameters": checkpoint.num_parameters,
        "device": str(weight.device),
        "dtype": str(weight.dtype).removeprefix("torch."),
    }
    return {"licence": licence_of(checkpoint.name)} | dict(checkpoint.notes) | facts


def models() -> list[dict[str, Any]]:
    """Every checkpoint that can be named: those that come inside, then the published ones."""
    inside = [row for name in embedded() if (row := describe_folder(name, CHECKPOINTS / name))]
    return [*inside, *published()]


def published() -> Iterator[dict[str, Any]]:
    """The published checkpoints; `here` says whether one is already on this machine, whole."""
    for hub_id, family, side, parameters in PUBLISHED:
        yield {
            "id": hub_id,
            "family": family,
            "tasks": [str(task) for task in limit_to(family_of(family), hub_id, {}).tasks],
            "side": side,
            "parameters": parameters,
            "licence": licence_of(hub_id),
            "here": is_here(hub_id),
        }


def describe_folder(name: str, folder: Path) -> dict[str, Any] | None:
    """A checkpoint's row, read from its folder without its weights; None where it is broken."""
    try:
        config = read_config(folder)
        parameters = count_parameters(folder, config)
    except CheckpointError:
        return None
    notes = read_notes(folder)
    return {
        "id": name,
        "family": config.family,
        "tasks": [str(task) for task in limit_to(family_of(config.family), name, notes).tasks],
        "side": config.side,
        "parameters": parameters,
        "licence": notes.get("licence", LICENCE),
        "here": True,
    }


def count_parameters(folder: Path, config: ModelConfig | None = None) -> int:
    """How many numbers the files hold, by their headers; with a config those that it loads.

    A file begins with the length of its header (8 bytes, little-endian), then the header: JSON
    with the shape of each tensor. Raises CheckpointError where a header is damaged.
    """
    total = 0
    for path in weight_files(folder):
        try:
            header = read_header(path)
            header.pop("__metadata__", None)
            total += sum(
                count_numbers(tensor["shape"])
                for name, tensor in header.items()
                if config is None or not is_left_out(name, config)
            )
        except (ValueError, TypeError, LookupError, OSError) as error:
            message = f"{path.name} is no whole safetensors file. Fetch it again."
            raise CheckpointError(message, "E_CHECKPOINT_DAMAGED") from error
    return total


def measure(folder: Path) -> Numbers:
    """How many numbers a folder's checkpoint has, and which of them stay mapped or whole."""
    config = read_config(folder)
    total, text = count_parameters(folder, config), config.text
    if not isinstance(text, LayeredTextConfig):
        return Numbers(total)
    mapped = text.per_layer_vocab_size * text.num_layers * text.per_layer_width
    return Numbers(total, mapped, min(total - mapped, text.vocab_size * text.width))


def read_header(path: Path) -> dict[str, Any]:
    """The JSON at the beginning of a safetensors file; ValueError where there is none."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > MAX_HEADER:
            raise ValueError("a header of that length")
        return dict(parse_json(file.read(length)))


def count_numbers(shape: Sequence[int]) -> int:
    """How many numbers a tensor has; ValueError for what is no shape.   (3, 4)  ->  12"""
    if len(shape) > MAX_AXES or not all(isinstance(size, int) and size >= 0 for size in shape):
        raise ValueError("no shape of a tensor")
    return math.prod(shape)
