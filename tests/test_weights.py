"""Checkpoints load whole and exactly, or are refused by the names of their tensors."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import FORMS, make_model, save
from tokenizers import Tokenizer
from transformers import PaliGemmaForConditionalGeneration

from gemma_vision.errors import CheckpointError
from gemma_vision.weights.checkpoint import open_checkpoint, pick_device, pick_dtype
from gemma_vision.weights.safetensors_files import our_name
from gemma_vision.weights.tokenizer_file import open_tokenizer

FAMILIES = ("paligemma", "paligemma2", "gemma3")


@pytest.fixture(scope="module", params=FAMILIES)
def model(request):
    return make_model(request.param)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return save(make_model("paligemma"), tmp_path_factory.mktemp("whole"))


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def change(folder: Path, **tensors: torch.Tensor | None) -> None:
    """Replace, add or (None) take out tensors of a checkpoint."""
    file = folder / "model.safetensors"
    kept = load_file(file) | tensors
    save_file({key: one for key, one in kept.items() if one is not None}, file)


def sharded(folder: Path) -> Path:
    """The index of a folder that has no single file."""
    (folder / "model.safetensors").unlink()
    return folder / "model.safetensors.index.json"


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_names_loads_every_number(model, form: str, shards: int, tmp_path) -> None:
    ours = open_checkpoint(save(model, tmp_path, form, shards), "cpu").model
    theirs = {our_name(key): tensor for key, tensor in model.state_dict().items()}
    theirs.pop("lm_head.weight")
    got = ours.state_dict()
    assert got.keys() == theirs.keys()
    assert all(torch.equal(got[key], theirs[key]) for key in got)


def test_what_transformers_saves_today_loads(model, tmp_path: Path) -> None:
    save(model, tmp_path)  # for the tokenizer
    model.save_pretrained(tmp_path)
    ours = open_checkpoint(tmp_path, "cpu").model
    assert torch.equal(ours.text.embed_tokens.weight, model.get_input_embeddings().weight)


@pytest.mark.parametrize(
    "published, ours",
    [
        ("language_model.model.layers.0.mlp.up_proj.weight", "text.layers.0.mlp.up_proj.weight"),
        ("model.language_model.norm.weight", "text.norm.weight"),
        ("language_model.lm_head.weight", "lm_head.weight"),
        ("model.language_model.lm_head.weight", "lm_head.weight"),
        ("lm_head.weight", "lm_head.weight"),
        ("vision_tower.vision_model.post_layernorm.bias", "vision.post_layernorm.bias"),
        (
            "model.vision_tower.encoder.layers.1.mlp.fc1.bias",
            "vision.encoder.layers.1.mlp.fc1.bias",
        ),
        ("model.multi_modal_projector.linear.bias", "projector.linear.bias"),
        ("something.else", "something.else"),
    ],
)
def test_published_names_become_ours(published: str, ours: str) -> None:
    assert our_name(published) == ours


NORM = "language_model.model.norm.weight"
EMBEDDING = "language_model.model.embed_tokens.weight"


@pytest.mark.parametrize(
    "tensors, said",
    [
        pytest.param({NORM: None}, "missing: text.norm.weight", id="missing"),
        pytest.param({"extra.bias": torch.zeros(3)}, "surplus: extra.bias", id="surplus"),
        pytest.param(
            {NORM: torch.zeros(5)}, r"text.norm.weight is \(5,\) instead of \(32,\)", id="shape"
        ),
        pytest.param(
            {NORM: None, "vision_tower.extra": torch.zeros(1)},
            "missing: text.norm.weight; surplus: vision.extra",
            id="both",
        ),
        pytest.param({EMBEDDING: None}, "missing: text.embed_tokens.weight", id="no embedding"),
    ],
)
def test_tensors_that_do_not_fit_are_named(tensors, said: str, copy: Path) -> None:
    change(copy, **tensors)
    with pytest.raises(CheckpointError, match=said) as caught:
        open_checkpoint(copy, "cpu")
    assert caught.value.code == "E_CHECKPOINT_TENSORS"


def test_five_missing_names_are_listed_and_the_others_counted(copy: Path) -> None:
    change(copy, **{key: None for key in load_file(copy / "model.safetensors") if "fc1" in key})
    with pytest.raises(CheckpointError, match="and 1 more") as caught:
        open_checkpoint(copy, "cpu")
    assert str(caught.value).count(".mlp.fc1.") == 5  # of three layers, weight and bias


def test_an_old_index_of_shards_beside_a_newer_file_is_passed_over(tmp_path: Path) -> None:
    save(make_model(seed=1), tmp_path, shards=2)
    newer = save(make_model(seed=2), tmp_path)
    theirs = PaliGemmaForConditionalGeneration.from_pretrained(newer, dtype=torch.float32)
    ours = open_checkpoint(newer, "cpu").model
    assert torch.equal(ours.text.embed_tokens.weight, theirs.get_input_embeddings().weight)


def test_padding_and_truncation_of_the_training_are_not_part_of_a_prompt(copy: Path) -> None:
    plain = open_tokenizer(copy)
    saved = Tokenizer.from_file(str(copy / "tokenizer.json"))
    saved.enable_padding(length=79, pad_id=0, pad_token="<pad>")
    saved.enable_truncation(3)
    saved.save(str(copy / "tokenizer.json"))
    assert open_tokenizer(copy).encode("detect cat").ids == plain.encode("detect cat").ids


def test_tables_that_old_files_stored_are_passed_over(copy: Path) -> None:
    change(
        copy,
        **{
            "vision_tower.vision_model.embeddings.position_ids": torch.arange(16)[None],
            "language_model.model.layers.0.self_attn.rotary_emb.inv_freq": torch.zeros(8),
        },
    )
    open_checkpoint(copy, "cpu")


@pytest.mark.parametrize("name", ["lm_head.weight", "language_model.lm_head.weight"])
def test_a_head_equal_to_the_embedding_is_tied_to_it(name: str, folder: Path, copy: Path) -> None:
    change(copy, **{name: load_file(copy / "model.safetensors")[EMBEDDING]})
    model = open_checkpoint(copy, "cpu").model
    assert model.head is model.text.embed_tokens.weight


def test_a_head_of_its_own_is_used(copy: Path) -> None:
    head = torch.randn_like(load_file(copy / "model.safetensors")[EMBEDDING])
    change(copy, **{"language_model.lm_head.weight": head})
    assert torch.equal(open_checkpoint(copy, "cpu").model.head, head)


@pytest.mark.parametrize(
    "damage, said",
    [
        pytest.param(lambda f: (f / "model.safetensors").unlink(), "lacks model.saf", id="absent"),
        pytest.param(
            lambda f: (f / "model.safetensors").write_bytes(b"not at all"), "no whole", id="text"
        ),
        pytest.param(
            lambda f: (f / "model.safetensors").write_bytes(
                (f / "model.safetensors").read_bytes()[:-100]
            ),
            "no whole safetensors file",
            id="cut short",
        ),
        pytest.param(lambda f: (f / "tokenizer.json").unlink(), "tokenizer", id="no tokenizer"),
        pytest.param(
            lambda f: (f / "tokenizer.json").write_text("{"), "tokenizer", id="bad tokenizer"
        ),
        pytest.param(lambda f: (f / "config.json").unlink(), "no config", id="no config"),
        pytest.param(
            lambda f: sharded(f).write_text(
                json.dumps({"weight_map": {"a": "model-00002-of-00002.safetensors"}})
            ),
            "lacks model-00002-of-00002",
            id="shard gone",
        ),
        pytest.param(
            lambda f: sharded(f).write_text(
                json.dumps({"weight_map": {"a": "../elsewhere.safetensors"}})
            ),
            "outside",
            id="a shard elsewhere",
        ),
        pytest.param(lambda f: sharded(f).write_text("{}"), "lacks", id="no map"),
    ],
)
def test_a_damaged_folder_is_refused_in_words(damage, said: str, copy: Path) -> None:
    damage(copy)
    with pytest.raises(CheckpointError, match=said):
        open_checkpoint(copy, "cpu")


def test_pickles_are_not_opened(copy: Path) -> None:
    torch.save({}, copy / "pytorch_model.bin")
    (copy / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="safetensors files only"):
        open_checkpoint(copy, "cpu")


@pytest.mark.parametrize(
    "stored, asked, expected",
    [
        pytest.param(torch.bfloat16, None, torch.float32, id="small on a CPU"),
        pytest.param(torch.bfloat16, "auto", torch.float32, id="left open in words"),
        pytest.param(torch.float32, "bfloat16", torch.bfloat16, id="asked for bfloat16"),
        pytest.param(torch.bfloat16, "float16", torch.float16, id="asked for float16"),
    ],
)
def test_numbers_get_the_type_of_the_contract(stored, asked, expected, copy: Path) -> None:
    tensors = load_file(copy / "model.safetensors")
    save_file({key: one.to(stored) for key, one in tensors.items()}, copy / "model.safetensors")
    model = open_checkpoint(copy, "cpu", asked).model
    assert {parameter.dtype for parameter in model.parameters()} == {expected}


def test_large_checkpoints_keep_their_type_on_a_cpu(copy: Path, monkeypatch) -> None:
    monkeypatch.setattr("gemma_vision.weights.loading.LARGE", 1000)
    monkeypatch.setattr("gemma_vision.weights.prepacked_matrices.prepacking_pays", lambda: False)
    tensors = load_file(copy / "model.safetensors")
    halved = {key: one.to(torch.bfloat16) for key, one in tensors.items()}
    save_file(halved, copy / "model.safetensors")
    model = open_checkpoint(copy, "cpu").model
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
    assert model.text.fused_path is None  # joining would copy mapped pages


def test_nothing_is_left_on_meta(folder: Path) -> None:
    model = open_checkpoint(folder, "cpu").model
    everything = [*model.parameters(), *model.buffers()]
    assert not any(tensor.is_meta for tensor in everything)
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_parameters_are_counted_once(folder: Path) -> None:
    theirs = make_model("paligemma")
    assert open_checkpoint(folder, "cpu").num_parameters == theirs.num_parameters()


@pytest.mark.parametrize(
    "call, code",
    [
        pytest.param(lambda f: open_checkpoint(f, "tpu"), "E_DEVICE", id="device"),
        pytest.param(lambda f: open_checkpoint(f, 0), "E_DEVICE", id="device by its number"),
        pytest.param(
            lambda f: open_checkpoint(f, torch.device("cpu")), "E_DEVICE", id="device as torch's"
        ),
        pytest.param(lambda f: open_checkpoint(f, "cpu", "int3"), "E_DTYPE", id="number type"),
        pytest.param(lambda f: open_checkpoint(f, "auto", "int8"), "E_DEVICE", id="packed, spread"),
        pytest.param(lambda f: open_checkpoint("nobody"), "E_MODEL_UNKNOWN", id="name"),
        pytest.param(lambda f: open_checkpoint("../nobody"), "E_MODEL_UNKNOWN", id="path"),
    ],
)
def test_what_is_not_here_is_refused_in_words(call, code: str, folder: Path) -> None:
    with pytest.raises(CheckpointError) as caught:
        call(folder)
    assert caught.value.code == code
    assert "\n" not in str(caught.value)


def test_an_open_device_is_the_best_there_is(monkeypatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    assert pick_device(None) == torch.device("cpu")
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert pick_device(None) == torch.device("cuda")


def test_loading_and_answering_need_no_compiler_and_no_transformers(folder: Path) -> None:
    """They take longer to import than a small model takes to answer."""
    code = f"""
import sys
from PIL import Image
from gemma_vision.runtime.engine import Prompt
from gemma_vision.runtime.local_engine import LocalEngine
engine = LocalEngine.load({str(folder)!r}, "cpu")
list(engine.stream([Prompt((Image.new("RGB", (9, 9)),), "detect cat", 3)]))
print([name for name in ("torch._dynamo", "transformers", "accelerate") if name in sys.modules])
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


# A checkpoint in float32, as its file is, asked before and after somebody cuts the file short.
CUT = """
import os, sys
from PIL import Image
from gemma_vision.errors import CheckpointError
from gemma_vision.runtime.engine import Prompt
from gemma_vision.runtime.local_engine import LocalEngine
from gemma_vision.weights import loading, mapped_files
loading.LARGE = mapped_files.LARGE = int(sys.argv[2])
engine = LocalEngine.load(sys.argv[1], "cpu")
def ask(color):
    image = Image.new("RGB", (9, 9), color)
    return [chunk for step in engine.stream([Prompt((image,), "detect cat", 3)]) for chunk in step]
assert ask("red")
file = os.path.join(sys.argv[1], "model.safetensors")
if sys.argv[3] == "replace":
    open(file + ".new", "wb").close()
    os.replace(file + ".new", file)
elif sys.argv[3] == "cut":
    os.truncate(file, 100)
else:
    with open(file, "r+b") as opened:
        opened.seek(-4, os.SEEK_END)
        opened.write(bytes(4))
try:
    print("answered" if ask("blue") else "")
except CheckpointError as error:
    print(error.code)
"""


@pytest.mark.parametrize(
    "large, change, told",
    [
        pytest.param(10**9, "cut", "answered", id="small, cut: it was copied"),
        pytest.param(1000, "cut", "E_CHECKPOINT_DAMAGED", id="large, cut"),
        pytest.param(1000, "overwrite", "E_CHECKPOINT_DAMAGED", id="large, other numbers"),
        pytest.param(1000, "replace", "answered", id="large, replaced by another file"),
    ],
)
def test_a_file_that_changes_while_it_is_in_use_ends_nothing(
    large: int, change: str, told: str, copy: Path
) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", CUT, str(copy), str(large), change], capture_output=True, text=True
    )
    assert (ran.returncode, ran.stdout.strip()) == (0, told), ran.stderr[-2000:]


@pytest.mark.parametrize("name", ["float32", "FLOAT32", "Float32"])
def test_number_types_are_read_in_letters_of_any_size(name: str) -> None:
    assert pick_dtype(name) == torch.float32
    assert pick_dtype("AUTO") is None and pick_dtype(None) is None
