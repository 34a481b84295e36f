"""Gemma 4 end to end: pixels, files and answers, as transformers makes them."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tiny_gemma4 import SHAPES, make_gemma4, published_config, save_gemma4
from transformers import Gemma4Config
from transformers.models.gemma4.image_processing_pil_gemma4 import (
    Gemma4ImageProcessorPil,
    get_aspect_ratio_preserving_size,
)

from gemma_vision.checkpoints.config import parse_config
from gemma_vision.errors import CheckpointError
from gemma_vision.images.patches import soft_grid, to_patches
from gemma_vision.inside import trace
from gemma_vision.model.vision_language_model import VisionLanguageModel
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.options import BUDGETS
from gemma_vision.requests.request import Request, Turn
from gemma_vision.requests.tasks import Task
from gemma_vision.runtime.engine import Prompt
from gemma_vision.runtime.local_engine import LocalEngine
from gemma_vision.weights.checkpoint import open_checkpoint

UNIT = 48  # pixels a side of a soft token, as published
STEPS = 24


def picture(seed: int, size: tuple[int, int]) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    return Image.fromarray(values)


# ---- pixels ----------------------------------------------------------------------------------


def theirs_grid(size: tuple[int, int], budget: int) -> tuple[int, int]:
    height, width = get_aspect_ratio_preserving_size(*size[::-1], 16, budget * 9, 3)
    return height // UNIT, width // UNIT


def test_grids_are_those_of_transformers() -> None:
    """40,000 sizes, from specks to panoramas, at each of five budgets: 200,000."""
    rng = np.random.default_rng(0)
    sizes = np.exp(rng.uniform(0, np.log(12_000), (40_000, 2))).astype(int).clip(1).tolist()
    for width, height in sizes:
        for budget in BUDGETS:
            assert soft_grid((width, height), budget, UNIT) == theirs_grid((width, height), budget)


@pytest.mark.parametrize(
    "size, counts",
    [
        pytest.param((224, 224), (64, 121, 256, 529, 1089), id="square"),
        pytest.param((640, 480), (63, 130, 266, 540, 1064), id="wide"),
        pytest.param((1080, 1920), (66, 120, 264, 527, 1100), id="tall"),
        pytest.param((3000, 400), (66, 128, 270, 512, 1092), id="panorama"),
        pytest.param((60, 4000), (68, 96, 272, 386, 1092), id="ribbon"),
        pytest.param((1, 1), (64, 121, 256, 529, 1089), id="a dot"),
        pytest.param((10_000, 50), (70, 140, 236, 334, 946), id="a line"),
        pytest.param((50, 10_000), (70, 140, 236, 334, 946), id="an upright line"),
    ],
)
def test_counts_are_those_of_the_table(size: tuple[int, int], counts: tuple[int, ...]) -> None:
    grids = [soft_grid(size, budget, UNIT) for budget in BUDGETS]
    assert tuple(rows * columns for rows, columns in grids) == counts


@pytest.mark.parametrize(
    "patch, patches, pooling, size, expected",
    [
        pytest.param(16, 2304, 6, (34, 2785), (6144, 96), id="a strip"),
        pytest.param(5, 20, 3, (100, 5), (15, 30), id="small"),
        pytest.param(10, 200, 1, (10_000, 50), (10, 2000), id="capped"),
    ],
)
def test_other_patches_and_tiles_follow_the_same_rule(
    patch: int, patches: int, pooling: int, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    unit = patch * pooling
    rows, columns = soft_grid(size, patches // pooling**2, unit)
    assert (rows * unit, columns * unit) == expected


def test_pixels_are_those_of_transformers_to_the_bit() -> None:
    rng = np.random.default_rng(1)
    for seed in range(40):
        size = (int(rng.integers(20, 900)), int(rng.integers(20, 900)))
        image, budget = picture(seed, size), BUDGETS[seed % 3]
        made = Gemma4ImageProcessorPil(max_soft_tokens=budget)(image, return_tensors="np")
        grid = soft_grid(size, budget, UNIT)
        ours = to_patches(image, grid, 16, 3)
        assert int(made["num_soft_tokens_per_image"][0]) == grid[0] * grid[1]
        theirs, places = made["pixel_values"][0], made["image_position_ids"][0]
        assert np.abs(theirs[: len(ours)] - ours).max() == 0.0
        assert not theirs[len(ours) :].any() and (places[len(ours) :] == -1).all()


# ---- config.json and files -------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_both_forms_of_config_json_give_one_config(shape: str) -> None:
    published = published_config(shape)
    saved = json.loads(Gemma4Config.from_dict(published).to_json_string(use_diff=False))
    assert "per_layer_config" in saved["text_config"]
    assert "global_head_dim" not in saved["text_config"]
    ours, again = parse_config(published), parse_config(saved)
    assert ours == again


PUBLISHED_TEXT = {"model_type": "gemma4_text", "final_logit_softcapping": 30.0}
PUBLISHED_TEXT |= {"global_head_dim": 512, "head_dim": 256}
SMALL_TOWER = {"model_type": "gemma4_vision", "use_clipped_linears": True}
LARGE_TOWER = {
    "model_type": "gemma4_vision",
    "hidden_size": 1152,
    "intermediate_size": 4304,
    "num_hidden_layers": 27,
    "num_attention_heads": 16,
    "num_key_value_heads": 16,
    "head_dim": 72,
    "standardize": True,
}
LARGE_TEXT = PUBLISHED_TEXT | {
    "attention_k_eq_v": True,
    "use_bidirectional_attention": "vision",
    "hidden_size_per_layer_input": 0,
    "sliding_window": 1024,
}


def sizes(text: dict[str, Any], vision: dict[str, Any], period: int) -> dict[str, Any]:
    count = text["num_hidden_layers"]
    kinds = ["sliding_attention", "full_attention"]
    types = [kinds[(index + 1) % period == 0] for index in range(count)]
    return {
        "model_type": "gemma4",
        "text_config": text | {"layer_types": types},
        "vision_config": vision,
    }


PUBLISHED = {  # parameters without what hears, by the table of published sizes
    "E2B": (
        sizes(
            PUBLISHED_TEXT
            | {"hidden_size": 1536, "num_hidden_layers": 35, "intermediate_size": 6144}
            | {"num_attention_heads": 8, "num_key_value_heads": 1, "sliding_window": 512}
            | {"num_kv_shared_layers": 20, "use_double_wide_mlp": True},
            SMALL_TOWER,
            5,
        ),
        4.80e9,
    ),
    "E4B": (
        sizes(
            PUBLISHED_TEXT
            | {"hidden_size": 2560, "num_hidden_layers": 42, "intermediate_size": 10240}
            | {"num_attention_heads": 8, "num_key_value_heads": 2, "num_kv_shared_layers": 18},
            SMALL_TOWER,
            6,
        ),
        7.63e9,
    ),
    "31B": (
        sizes(
            LARGE_TEXT
            | {"hidden_size": 5376, "num_hidden_layers": 60, "intermediate_size": 21504}
            | {"num_attention_heads": 32, "num_key_value_heads": 16}
            | {"num_global_key_value_heads": 4},
            LARGE_TOWER,
            6,
        ),
        31_273_088_876,
    ),
    "26B-A4B": (
        sizes(
            LARGE_TEXT
            | {"hidden_size": 2816, "num_hidden_layers": 30, "intermediate_size": 2112}
            | {"num_attention_heads": 16, "num_key_value_heads": 8}
            | {"num_global_key_value_heads": 2, "enable_moe_block": True}
            | {"num_experts": 128, "top_k_experts": 8, "moe_intermediate_size": 704},
            LARGE_TOWER,
            6,
        ),
        25_805_936_206,
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_sizes_have_the_published_numbers_of_parameters(name: str) -> None:
    values, expected = PUBLISHED[name]
    with torch.device("meta"):
        model = VisionLanguageModel(parse_config(values))
    count = sum(tensor.numel() for tensor in model.state_dict().values())
    assert count == pytest.approx(expected, rel=1e-3 if name.startswith("E") else 1e-9)


def test_layers_look_at_the_keys_of_the_last_that_makes_some() -> None:
    text = parse_config(PUBLISHED["E2B"][0]).text
    assert {row.source for row in text.layers[:15]} == {None}
    assert {row.source for row in text.layers[15:]} == {13, 14}
    assert [row.mlp_width for row in text.layers[14:16]] == [6144, 12_288]
    assert {row.source for row in parse_config(PUBLISHED["E4B"][0]).text.layers[24:]} == {22, 23}


@pytest.mark.parametrize(
    "model_type, said",
    [
        pytest.param("gemma4_unified", "12B", id="12B"),
        pytest.param("gemma4_assistant", "draft head", id="draft"),
        pytest.param("gemma4_unified_assistant", "draft head", id="draft of 12B"),
        pytest.param("diffusion_gemma", "diffusion", id="diffusion"),
    ],
)
def test_other_models_of_the_line_are_refused_in_words(model_type: str, said: str) -> None:
    with pytest.raises(CheckpointError, match=said) as caught:
        parse_config(published_config("E2B") | {"model_type": model_type})
    assert caught.value.code == "E_MODEL_FAMILY"


@pytest.mark.parametrize(
    "part, values, said",
    [
        pytest.param("text_config", {"hidden_activation": "relu"}, "relu", id="activation"),
        pytest.param("text_config", {"use_bidirectional_attention": "all"}, "'all'", id="all"),
        pytest.param("text_config", {"num_kv_shared_layers": 8}, "such layer makes", id="shared"),
        pytest.param("text_config", {"num_key_value_heads": 3}, "no multiple", id="heads"),
        pytest.param("vision_config", {"head_dim": 18}, "two axes", id="axes"),
        pytest.param("vision_config", {"num_key_value_heads": 1}, "share keys", id="tower's keys"),
        pytest.param(
            "text_config",
            {"rope_parameters": {"full_attention": {"rope_type": "yarn", "rope_theta": 1e6}}},
            "yarn",
            id="yarn",
        ),
    ],
)
def test_what_would_be_another_model_is_refused(part: str, values: Any, said: str) -> None:
    config = published_config("E2B")
    config[part] = config[part] | values
    with pytest.raises(CheckpointError, match=said):
        parse_config(config)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folders = tmp_path_factory.mktemp("gemma4")
    return {shape: save_gemma4(make_gemma4(shape), folders / shape, shape) for shape in SHAPES}


def copied(folder: Path, tmp_path: Path, **tensors: torch.Tensor) -> Path:
    for name in ("config.json", "tokenizer.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    save_file(load_file(folder / "model.safetensors") | tensors, tmp_path / "model.safetensors")
    return tmp_path


def test_what_hears_and_keys_that_nobody_reads_are_left_out(saved, tmp_path: Path) -> None:
    extra = {
        "model.audio_tower.layers.0.weight": torch.ones(3, 3),
        "model.embed_audio.embedding_projection.weight": torch.ones(3),
        "model.language_model.layers.8.self_attn.k_proj.weight": torch.ones(16, 48),
        "model.language_model.layers.8.self_attn.v_norm.weight": torch.ones(16),
    }
    ours = open_checkpoint(copied(saved["E2B"], tmp_path, **extra), "cpu")
    plain = open_checkpoint(saved["E2B"], "cpu")
    assert ours.num_parameters == plain.num_parameters


@pytest.mark.parametrize(
    "name",
    [
        "model.language_model.layers.0.self_attn.k_bias",
        "model.language_model.layers.0.extra.weight",
        "model.vision_tower.pooler.extra",
        "model.embed_vision.extra.weight",
    ],
)
def test_any_other_surplus_tensor_is_refused(saved, tmp_path: Path, name: str) -> None:
    with pytest.raises(CheckpointError, match="surplus"):
        open_checkpoint(copied(saved["E2B"], tmp_path, **{name: torch.ones(3)}), "cpu")


@pytest.mark.parametrize(
    "name", ["layers.2.layer_scalar", "encoder.layers.1.mlp.up_proj.input_max", "per_layer.weight"]
)
def test_a_missing_scalar_bound_or_table_is_refused(saved, tmp_path: Path, name: str) -> None:
    folder = copied(saved["E2B"], tmp_path)
    tensors = load_file(folder / "model.safetensors")
    (gone,) = [key for key in tensors if key.endswith(name)]
    tensors.pop(gone)
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match="missing"):
        open_checkpoint(folder, "cpu")


# ---- pictures to tokens ----------------------------------------------------------------------


REQUESTS = {
    "a wide picture": Request(picture(1, (90, 40)), Task.detect, "cat ; dog", budget=70),
    "two pictures": Request(
        (picture(2, (60, 60)), picture(3, (30, 90))), Task.free, "a cat ; a dog", budget=70
    ),
    "a conversation": Request(
        picture(4, (64, 48)),
        Task.chat,
        "and a dog",
        budget=140,
        turns=(
            Turn("system", "a cat is it"),
            Turn("user", "what is it", (picture(5, (40, 50)),)),
            Turn("model", "a cat"),
        ),
    ),
}


def to_prompt(engine: LocalEngine, request: Request) -> Prompt:
    family = engine.checkpoint.family
    images = tuple(image for image in request.images if isinstance(image, Image.Image))
    return Prompt(images, family.write_prompt(request), STEPS, budget=family.budget_of(request))


def answers(engine: LocalEngine, prompts: list[Prompt]) -> list[list[int]]:
    made: list[list[int]] = [[] for _ in prompts]
    for chunks in engine.stream(prompts):
        for answer, chunk in zip(made, chunks, strict=True):
            answer.extend(chunk.token_ids if chunk else ())
    return made


def endless(folder: Path) -> LocalEngine:
    """An engine whose answers end at their limit; thoughts are words like others."""
    engine = LocalEngine.load(folder, "cpu")
    engine._stop_ids, engine._thoughts = frozenset(), None
    return engine


@torch.no_grad()
def theirs_answers(model: Any, engine: LocalEngine, prompt: Prompt) -> list[list[int]]:
    budget = prompt.budget
    processor = Gemma4ImageProcessorPil(patch_size=4, max_soft_tokens=budget)
    made = processor(list(prompt.images), return_tensors="pt")
    image = engine.checkpoint.config.image_token_id
    ids = torch.tensor([engine.ids(prompt)])
    assert (ids == image).sum() == sum(made["num_soft_tokens_per_image"])
    tokens = model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        mm_token_type_ids=(ids == image).long(),
        pixel_values=made["pixel_values"],
        image_position_ids=made["image_position_ids"],
        do_sample=False,
        max_new_tokens=STEPS,
        eos_token_id=None,
    )
    return tokens[:, ids.shape[1] :].tolist()


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("shape", ["E2B", "31B"])
def test_from_picture_to_tokens_as_transformers_does(saved, shape: str, name: str) -> None:
    engine = endless(saved[shape])
    prompt = to_prompt(engine, REQUESTS[name])
    expected = theirs_answers(make_gemma4(shape), engine, prompt)
    assert answers(engine, [prompt]) == expected
    assert answers(engine, [prompt]) == expected  # going on behind the picture


@pytest.mark.parametrize("shape", ["E2B", "31B"])
def test_a_batch_answers_as_each_prompt_alone(saved, shape: str) -> None:
    engine = endless(saved[shape])
    prompts = [to_prompt(engine, request) for request in REQUESTS.values()]
    assert answers(engine, prompts) == [answers(engine, [one])[0] for one in prompts]


@pytest.mark.parametrize("shape", SHAPES)
def test_two_pictures_give_two_answers(saved, shape: str) -> None:
    """A model that lost sight of its pictures would answer alike."""
    engine = endless(saved[shape])
    first, second = (
        to_prompt(engine, Request(picture(seed, (64, 48)), Task.ask, "what is it", budget=70))
        for seed in (7, 8)
    )
    assert answers(engine, [first]) != answers(engine, [second])


def test_budgets_of_one_picture_are_kept_apart(saved) -> None:
    engine = endless(saved["E2B"])
    image = picture(6, (64, 48))
    for budget in (70, 140, 70):
        request = Request(image, Task.ask, "a", budget=budget)
        answers(engine, [to_prompt(engine, request)])
    assert (engine.cache.misses, len(engine.cache)) == (2, 2)
    counts = [len(engine.ids(replace(to_prompt(engine, request), budget=one))) for one in BUDGETS]
    assert counts == sorted(set(counts))


def test_a_thought_is_cut_and_told_apart(saved) -> None:
    engine = LocalEngine.load(saved["31B"], "cpu")
    engine._stop_ids = frozenset()
    marks = engine._thoughts
    assert marks is not None
    prefill = engine._prefiller.prefill

    def thinking(prompts):  # the first token opens a thought, whatever the model wants
        logits, state, timing = prefill(prompts)
        wanted = torch.zeros(logits.shape)
        wanted[:, marks.start] = 9
        return wanted, state, timing

    engine._prefiller.prefill = thinking  # type: ignore[method-assign]
    pipeline = Pipeline(engine, engine.checkpoint.family, name="31B")
    request = Request(picture(1, (40, 40)), Task.ask, "a", budget=70, thinking=5, max_tokens=6)
    answer = pipeline.run(request)
    assert answer.timing["tokens"] == 1 + 5 + 1 + 6
    assert answer.finish == "length" and answer.thought and answer.thought not in answer.plain
    assert answer.to_dict()["thought"] == answer.thought


def test_a_picture_can_be_followed_through_the_model(saved) -> None:
    for shape, masks in (("E2B", {"mask"}), ("31B", {"mask", "window"})):
        engine = LocalEngine.load(saved[shape], "cpu")
        request = Request(picture(1, (90, 40)), Task.ask, "what is it", budget=70)
        prompt = replace(to_prompt(engine, request), max_tokens=3)
        stages = {stage.name: stage for stage in trace(engine, prompt)}
        rows, columns = soft_grid((90, 40), 70, 12)
        assert stages["pixels"].arrays["pixels"].shape == (3, rows * 12, columns * 12)
        assert stages["patches"].shape == (rows * columns * 9, 32)
        facts = stages["soft"].facts
        assert (facts["rows"], facts["columns"]) == (rows, columns)
        assert {"mask", "window"} & set(stages["merged"].arrays) == masks
        start = stages["merged"].facts["pieces"].index(None)
        assert not stages["merged"].arrays["mask"][start, start + 1]
        if "window" in masks:
            assert stages["merged"].arrays["window"][start, start + 1]


# ---- spread and packed -----------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
@torch.no_grad()
def test_layers_on_disk_give_equal_tokens(saved, shape: str) -> None:
    whole = open_checkpoint(saved[shape], "cpu")
    counts = {"whole": 0, "layer": 0}
    for name, parameter in whole.model.named_parameters():
        counts["layer" if "text.layers." in name else "whole"] += parameter.nbytes
    limits = {"cpu": counts["whole"] + 2 * counts["layer"] // whole.config.text.num_layers}
    spread = open_checkpoint(saved[shape], "auto", limits=limits)
    on_disk = [name for name, parameter in spread.model.named_parameters() if parameter.is_meta]
    assert on_disk and all(name.startswith("text.layers.") for name in on_disk)
    engines = [LocalEngine(one) for one in (whole, spread)]
    for engine in engines:
        engine._stop_ids = frozenset()
    prompt = to_prompt(engines[0], REQUESTS["a wide picture"])
    first, second = (answers(engine, [prompt]) for engine in engines)
    assert first == second


@pytest.mark.filterwarnings("ignore")  # of bitsandbytes
@pytest.mark.parametrize("dtype, near", [("int8", 0.99), ("int4", 0.5)])
@pytest.mark.parametrize("shape", ["E2B", "31B"])
@torch.no_grad()
def test_packed_layers_answer_nearly_alike(saved, shape: str, dtype: str, near: float) -> None:
    pytest.importorskip("bitsandbytes", reason="bitsandbytes is not installed")
    whole, packed = (open_checkpoint(saved[shape], "cpu", one).model for one in (None, dtype))
    kinds = {name: tensor.dtype for name, tensor in packed.named_parameters()}
    stays = ("embed_tokens", "vision.", "projector.", "router.", "norm")
    assert all(kinds[name] == torch.float32 for name in kinds if any(s in name for s in stays))
    layers = {kinds[name] for name in kinds if "self_attn.q_proj" in name and "text." in name}
    assert layers <= {torch.int8, torch.uint8}
    pixels, grid = torch.rand(1, 81, 48, generator=torch.manual_seed(1)), (9, 9)
    assert torch.equal(whole.encode(pixels, grid), packed.encode(pixels, grid))
    image = whole.config.image_token_id
    ids = torch.tensor([[2, 50, *[image] * 9, 60, 61, 62]])
    real = torch.ones_like(ids).bool()
    logits = [
        model.prefill(ids, real, [model.encode(pixels, grid)])[0] for model in (whole, packed)
    ]
    assert near < torch.cosine_similarity(*logits).item() < 1 - 1e-7


@pytest.mark.filterwarnings("ignore")  # of bitsandbytes
@pytest.mark.parametrize("dtype, near", [("int8", 0.999), ("int4", 0.9)])
@torch.no_grad()
def test_packed_experts_answer_nearly_alike(saved, dtype: str, near: float) -> None:
    """Each by itself: rounding sends some positions to other experts, so that answers may part."""
    pytest.importorskip("bitsandbytes", reason="bitsandbytes is not installed")
    whole, packed = (open_checkpoint(saved["26B"], "cpu", one).model for one in (None, dtype))
    x = torch.randn(5, 48, generator=torch.manual_seed(0))
    chosen, weights = whole.text.layers[2].router(x)
    made = [model.text.layers[2].experts(x, chosen, weights) for model in (whole, packed)]
    assert near < torch.cosine_similarity(*(one.flatten() for one in made), dim=0) < 1 - 1e-7
    assert not any("experts" in name for name, p in packed.named_parameters() if p.dtype == x.dtype)


def test_the_script_for_real_weights_finds_a_random_model_alike(saved, capsys) -> None:
    """It is run by whoever has downloaded a checkpoint; here on one that was made up."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "scripts"))
    import check_gemma4

    assert check_gemma4.main([str(saved["31B"]), "--dtype", "float32", "--budget", "70"]) == 0
    told = capsys.readouterr().out
    assert "| pixels | 0 | 0 |" in told, told
    assert re.search(r"greedy tokens alike \| (\d+) of \1 ", told), told


def test_float16_is_refused_in_words(saved) -> None:
    with pytest.raises(CheckpointError, match="bfloat16 or float32") as caught:
        open_checkpoint(saved["31B"], "cpu", "float16")
    assert caught.value.code == "E_DTYPE"
