"""A checkpoint folder may say anything: it is loaded, or refused at once in a sentence."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

import gemma_vision
from gemma_vision.checkpoints.adapter_config import read_adapter
from gemma_vision.checkpoints.bounds.patterns import why_unsafe
from gemma_vision.checkpoints.config import read_config, read_notes
from gemma_vision.checkpoints.file_names import CHECKPOINTS, NOTES
from gemma_vision.errors import CheckpointError
from gemma_vision.registry.loading import count_parameters, describe_folder
from gemma_vision.weights.loading import check_finite

TINY = CHECKPOINTS / "tiny"
CONFIG = json.loads((TINY / "config.json").read_text())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The embedded checkpoint by links, with a config.json of its own."""
    for path in TINY.iterdir():
        if path.is_file() and path.name not in ("config.json", "generation_config.json"):
            (tmp_path / path.name).symlink_to(path)
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    return tmp_path


def part(name: str, **values: Any) -> str:
    """config.json with other values in one of its parts."""
    return json.dumps(CONFIG | {name: CONFIG[name] | values})


def top(**values: Any) -> str:
    return json.dumps(CONFIG | values)


CONFIGS: dict[str, str] = {
    "a hundred thousand layers": part("text_config", num_hidden_layers=100_000),
    "a tower of a hundred thousand layers": part("vision_config", num_hidden_layers=100_000),
    "a picture of 2^40 pixels a side": part("vision_config", image_size=2**40),
    "a patch for each pixel": part("vision_config", image_size=16_384, patch_size=1),
    "a width of 2^60": part("text_config", hidden_size=2**60),
    "a vocabulary of 2^60": part("text_config", vocab_size=2**60),
    "a number of 5000 digits": top(seed=77_777).replace("77777", "9" * 5000),
    "deep nesting": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "deep lists": '{"a":' + "[" * 100_000 + "]" * 100_000 + "}",
    "no object": "[1, 2]",
    "nothing": "",
    "no UTF-8": "\udcff",
    "gigabytes": " " * (17 * 2**20) + top(),
    "a text for a number": part("text_config", rms_norm_eps="small"),
    "infinity for a number": part("text_config", rms_norm_eps=float("inf")),
    "not a number": part("vision_config", layer_norm_eps=float("nan")),
    "a list for an object": top(text_config=[1]),
    "an object for a size": part("text_config", hidden_size={"a": 1}),
    "lists in lists for a size": part("vision_config", image_size=[[224], [224]]),
    "true for a size": part("text_config", num_attention_heads=True),
    "null for rotary positions of a kind": part("text_config", rope_parameters={"rope_type": []}),
    "rotary positions that are a list": part("text_config", rope_parameters=[1]),
    "a text as a cap": part("text_config", model_type="gemma2", final_logit_softcapping="x"),
    "an object as the picture's token": top(image_token_index={}),
    "a text as the end token": top(eos_token_id="end"),
    "a hundred end tokens": top(eos_token_id=list(range(100))),
    "a number as packing": top(quantization_config=7),
    "an object as the kind": top(model_type={"a": 1}),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_config_is_read_or_refused_at_once(name: str, folder: Path) -> None:
    text = CONFIGS[name].encode("utf-8", "surrogateescape")
    (folder / "config.json").write_bytes(text)
    begun = time.process_time()
    with pytest.raises(CheckpointError) as refusal:
        gemma_vision.load(folder)
    assert time.process_time() - begun < 1 and len(str(refusal.value)) < 600
    assert describe_folder("it", folder) is None


def header(tensors: object) -> bytes:
    text = tensors if isinstance(tensors, bytes) else json.dumps(tensors).encode()
    return struct.pack("<Q", len(text)) + text


def tensor(shape: object) -> dict[str, Any]:
    return {"a": {"dtype": "F32", "shape": shape, "data_offsets": [0, 4]}}


HEADERS: dict[str, Callable[[], bytes]] = {
    "a shape of a million axes": lambda: header(tensor([10**15] * 10**6)),
    "a size of 5000 digits": lambda: header(
        json.dumps(tensor([7])).replace("[7]", f"[{'9' * 5000}]").encode()
    ),
    "a negative size": lambda: header(tensor([-1])),
    "a text as a shape": lambda: header(tensor("abc")),
    "no shape": lambda: header({"a": {"dtype": "F32"}}),
    "a list of tensors": lambda: header([1]),
    "deep nesting": lambda: header(b"[" * 10**6),
    "a header of exabytes": lambda: struct.pack("<Q", 2**62) + b"{}",
    "an empty file": lambda: b"",
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_is_counted_or_refused_at_once(name: str, folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").write_bytes(HEADERS[name]())
    begun = time.process_time()
    with pytest.raises(CheckpointError):
        count_parameters(folder)
    with pytest.raises(CheckpointError):
        gemma_vision.load(folder)
    assert time.process_time() - begun < 2


INDEXES = {
    "a list as the map": {"weight_map": [1, 2]},
    "a number as the map": {"weight_map": 7},
    "files outside": {"weight_map": {"a": "../../etc/passwd"}},
    "a zero byte": {"weight_map": {"a": "a\0b"}},
}


@pytest.mark.parametrize("name", INDEXES)
def test_an_index_is_read_or_refused(name: str, folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps(INDEXES[name]))
    with pytest.raises(CheckpointError):
        gemma_vision.load(folder)


PATTERNS = {
    "nested repeats": {"(a+)+$": 4},
    "repeats of repeats in braces": {"(.{1,9}){1,99}b": 4},
    "many repeats": {".*.*.*.*.*b": 4},
    "no regular expression": {"(": 4},
    "a long pattern": {"a" * 1000: 4},
    "a hundred thousand patterns": {f"layer{n}": 4 for n in range(100_000)},
    "a list": [1, 2],
    "a number": 7,
}


@pytest.mark.parametrize("key", ["rank_pattern", "alpha_pattern"])
@pytest.mark.parametrize("name", PATTERNS)
def test_an_adapter_with_patterns_that_take_for_ever_is_refused(
    name: str, key: str, tmp_path: Path
) -> None:
    config = {"peft_type": "LORA", "base_model_name_or_path": "tiny", key: PATTERNS[name]}
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError):
        read_adapter(tmp_path)


@pytest.mark.parametrize(
    "pattern",
    [
        "q_proj",
        r"model\.layers\.(0|1)\.self_attn\.q_proj",
        r".*\.layers\.\d+\.mlp.up_proj",
        "[+*]a",
    ],
)
def test_patterns_as_peft_writes_them_are_safe(pattern: str) -> None:
    assert why_unsafe([pattern]) == ""


def test_a_tokenizer_with_a_pattern_that_takes_for_ever_is_refused(folder: Path) -> None:
    tokenizer = json.loads((TINY / "tokenizer.json").read_text())
    tokenizer["normalizer"] = {"type": "Replace", "pattern": {"Regex": "(a+)+$"}, "content": "b"}
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(CheckpointError, match="for ever"):
        gemma_vision.load(folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_said(value: float, folder: Path) -> None:
    tensors = load_file(TINY / "model.safetensors")
    name = next(key for key in tensors if key.endswith("norm.weight"))
    tensors[name] = tensors[name].clone()
    tensors[name].view(-1)[3] = torch.tensor(value, dtype=tensors[name].dtype)
    (folder / "model.safetensors").unlink()
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match="finite") as refusal:
        gemma_vision.load(folder)
    assert refusal.value.code == "E_CHECKPOINT_DAMAGED"


def test_what_people_have_is_still_read(folder: Path) -> None:
    assert read_config(folder) == read_config(TINY)
    assert gemma_vision.load(folder).family == gemma_vision.load("tiny").family


WRONG_NOTES: dict[str, tuple[object, ...]] = {
    "policy": ("x", 3, []),
    "decoding": ("fast", 3, ["exact"]),
    "names_per_prompt": ("4", 0, -1, 2.5, True, [1], 101, {"strict": 1}, dict.fromkeys("abc", 1)),
    "names": ("cat", 5, {"cat": 1}, [1, 2], ["cat", " "]),
    "tasks": ("detect", [1], {"detect": True}),
    "languages": ("en", [5], 5),
    "kind": (5, ["mix"]),
    "licence": (5, ["MIT"]),
    "counts": ("no", 1, []),
    "drawings": ("cat", [None]),
    "taught": (5, "cat", [5]),
}


@pytest.mark.parametrize("key", WRONG_NOTES)
def test_notes_that_would_be_misread_are_refused_in_a_sentence(key: str, folder: Path) -> None:
    own = json.loads((TINY / NOTES).read_text())
    (folder / NOTES).unlink()
    for value in WRONG_NOTES[key]:
        (folder / NOTES).write_text(json.dumps(own | {key: value}))
        with pytest.raises(CheckpointError, match=f"as {key}; wanted is "):
            gemma_vision.load(folder)
        with pytest.raises(CheckpointError, match=f"as {key}; wanted is "):
            read_notes(folder)


def test_notes_that_say_nothing_leave_everything_as_it_is(folder: Path) -> None:
    (folder / NOTES).unlink()
    assert gemma_vision.load(folder).names == ()
    (folder / NOTES).write_text(json.dumps(dict.fromkeys(WRONG_NOTES)))
    bare = gemma_vision.load(folder)
    assert bare.names == () and bare.policy == "space"
    assert bare.detect(Image.new("RGB", (64, 48)), "cat ; dog").prompt == "detect cat ; dog"


def test_large_weights_are_no_infinite_ones() -> None:
    large = torch.full((4096,), 3e38)
    check_finite("it", large, is_sampled=False)
    check_finite("it", large.half().clamp(-6e4, 6e4), is_sampled=False)
    with pytest.raises(CheckpointError):
        check_finite("it", torch.tensor([float("inf"), float("-inf")]), is_sampled=False)
