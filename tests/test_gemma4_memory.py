"""Gemma 4 E2B is opened on a CPU without its tables coming into memory; estimates say so."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from test_gemma4 import PUBLISHED as SIZES
from tiny_gemma4 import make_gemma4, save_gemma4
from tiny_models import make_tokenizer

from gemma_vision.checkpoints.config import parse_config
from gemma_vision.model.vision_language_model import VisionLanguageModel
from gemma_vision.registry.loading import measure, models
from gemma_vision.registry.published import FILE_PARAMETERS, NUMBERS, OPEN
from gemma_vision.registry.recommendation import recommend_open
from gemma_vision.weights.checkpoint import open_checkpoint
from gemma_vision.weights.memory import GIB, Numbers, weigh

NAMES = {"E2B": "E2B", "E4B": "E4B", "26B-A4B": "26B-A4B", "31B": "31B"}
PREFIXES = {"text.": "model.language_model.", "vision.": "model.vision_tower."}
PREFIXES |= {"projector.": "model.embed_vision."}
OPENED = """
import sys, psutil
from gemma_vision.weights.checkpoint import open_checkpoint
checkpoint = open_checkpoint(sys.argv[1], "cpu")
model = checkpoint.model
if len(sys.argv) > 2:
    import torch
    with torch.inference_mode():
        soft = model.encode(torch.zeros(1, 9, 768), (3, 3))[0]
        ids = torch.tensor([[2, model.config.image_token_id, 40, 41]])
        model.prefill(ids, torch.ones_like(ids).bool(), [soft])
print(model.text.embed_tokens_per_layer.weight.dtype, psutil.Process().memory_info().rss)
"""


def meta_model(name: str) -> VisionLanguageModel:
    with torch.device("meta"):
        return VisionLanguageModel(parse_config(SIZES[name][0]))


@pytest.mark.parametrize("name", NAMES)
def test_the_catalogue_counts_as_the_models_do(name: str) -> None:
    tensors = meta_model(name).state_dict()
    numbers = NUMBERS[f"google/gemma-4-{NAMES[name]}-it"]
    assert numbers.total == sum(one.numel() for one in tensors.values())
    tables = [one for key, one in tensors.items() if "tokens_per_layer" in key]
    assert numbers.mapped == sum(one.numel() for one in tables)
    packed = [
        one.numel()
        for key, one in tensors.items()
        if "text.layers." in key
        and any(part in key for part in ("self_attn", ".mlp.", "experts"))
        and "proj" in key
    ]
    assert numbers.plain == numbers.total - numbers.mapped - sum(packed)


def write_sparse(folder: Path) -> Path:
    """A checkpoint of E2B's shapes in bfloat16, 10 GB of nothing, with something to hear."""
    values = json.loads(json.dumps(SIZES["E2B"][0]))
    values["image_token_id"] = make_tokenizer("gemma4e").token_to_id("<|image|>")
    (folder / "config.json").write_text(json.dumps(values))
    make_tokenizer("gemma4e").save(str(folder / "tokenizer.json"))
    shapes = {
        next(new + key.removeprefix(old) for old, new in PREFIXES.items() if key.startswith(old)): (
            list(tensor.shape)
        )
        for key, tensor in meta_model("E2B").state_dict().items()
    }
    hearing = FILE_PARAMETERS["google/gemma-4-E2B-it"] - NUMBERS["google/gemma-4-E2B-it"].total
    shapes["model.audio_tower.everything"] = [hearing]
    header, end = {}, 0
    for key, shape in shapes.items():
        begin, end = end, end + 2 * torch.Size(shape).numel()
        header[key] = {"dtype": "BF16", "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + end)
    return folder


def resident(folder: Path, *more: str) -> tuple[str, int]:
    """The table's number type and the bytes in memory of a program that opened the folder."""
    command = [sys.executable, "-c", OPENED, str(folder), *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    dtype, size = done.stdout.split()
    return dtype, int(size)


def test_a_file_of_ten_gigabytes_is_opened_in_less_than_six(tmp_path: Path) -> None:
    """Most of it pages of the file, which are looked at for numbers that are none."""
    folder = write_sparse(tmp_path)
    assert (folder / "model.safetensors").stat().st_size > 10.2e9
    numbers = measure(folder)
    assert (numbers.total, numbers.mapped) == (4_797_114_083, 2_348_810_240)
    dtype, size = resident(folder)
    assert dtype == "torch.bfloat16" and size < 6e9


@pytest.mark.slow
def test_a_picture_is_answered_in_less_than_six_gigabytes(tmp_path: Path) -> None:
    dtype, size = resident(write_sparse(tmp_path), "run")
    assert dtype == "torch.bfloat16" and size < 6e9


@torch.no_grad()
def test_tables_stay_where_and_as_they_are(tmp_path: Path) -> None:
    """Another number type, or a move, changes what is computed with and not what is looked up."""
    theirs = make_gemma4("E2B").to(torch.bfloat16)
    checkpoint = open_checkpoint(save_gemma4(theirs, tmp_path, "E2B"), "cpu")
    text = checkpoint.model.text
    assert text.embed_tokens.weight.dtype == torch.float32
    assert text.embed_tokens_per_layer.weight.dtype == torch.bfloat16
    place = text.embed_tokens_per_layer.weight.data_ptr()
    checkpoint.model.double()
    assert text.embed_tokens_per_layer.weight.data_ptr() == place
    told = text.tell_layers(torch.tensor([[5]]), text.embed(torch.tensor([[5]])))
    assert told.dtype == torch.float64


def test_estimates_leave_out_what_is_looked_up_and_packing_leaves_tables_whole() -> None:
    numbers = Numbers(5 * 10**9, mapped=2 * 10**9, plain=10**9)
    assert weigh(numbers, "cpu", None) == int(3e9 * 2 * 1.15)
    assert weigh(numbers, "cuda", "int4") == int((2e9 * 0.7 + 1e9 * 2) * 1.15)
    assert weigh(5 * 10**9, "cuda", None) == weigh(Numbers(5 * 10**9), "cuda", None)


@pytest.mark.parametrize(
    "device, gib, dtype, expected",
    [
        pytest.param("cuda", 24, None, "google/gemma-4-E4B-it", id="a GPU of 24 GB"),
        pytest.param("cuda", 7, None, "google/gemma-4-E2B-it", id="a GPU of 8 GB"),
        pytest.param("mps", 12, None, "google/gemma-4-E4B-it", id="a Mac of 16 GB"),
        pytest.param("cpu", 64, None, "google/gemma-4-E2B-it", id="a server"),
        pytest.param("cpu", 6, None, "google/gemma-4-E2B-it", id="a laptop of 8 GB"),
        pytest.param("cpu", 3, None, None, id="too small"),
        pytest.param("cuda", 3, "int4", "google/gemma-4-E2B-it", id="4 bits"),
    ],
)
def test_who_has_no_account_is_told_of_one_that_fits(device, gib, dtype, expected) -> None:
    best = recommend_open(device, int(gib * GIB), dtype)
    assert (best and best.id) == expected
    assert best is None or (best.fits and best.need <= best.room)
    assert best is None or (best.seconds is not None) == (device == "cpu")


def test_open_checkpoints_say_their_licence() -> None:
    rows = {row["id"]: row for row in models()}
    assert len(OPEN) == 4 and {rows[one]["licence"] for one in OPEN} == {"apache-2.0"}
    assert rows["google/gemma-3-4b-it"]["licence"] == "gemma"
    assert {rows[one]["side"] for one in OPEN} == {None}
    assert "segment" not in rows["google/gemma-4-E2B-it"]["tasks"]
    assert {"detect", "point", "chat"} <= set(rows["google/gemma-4-E2B-it"]["tasks"])
