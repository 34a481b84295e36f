"""Typical mistakes with Gemma 4, each made on purpose in a copy: the comparison has to see it.

What is compared are the logits of padded rows with pictures, one of them longer than the window; a
right copy is within 2e-3. What a norm further on would hide is compared on its module alone.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from test_gemma4_parity import GRIDS, LONG, Inputs, make_inputs, padded
from tiny_gemma4 import SHAPES, make_gemma4, published_config
from torch import Tensor

from gemma_vision.checkpoints.config import parse_config
from gemma_vision.model import attention
from gemma_vision.model import vision_language_model as whole
from gemma_vision.model.architecture import no_groups
from gemma_vision.model.attention import block_groups
from gemma_vision.model.config import FULL, SLIDING
from gemma_vision.model.gemma4 import decoder, embedder, experts, layer, norms, tower
from gemma_vision.model.kv_cache import KVCache
from gemma_vision.model.rotary import apply_rotary, rotary_table
from gemma_vision.model.vision_language_model import VisionLanguageModel

RIGHT, SEEN = 2e-3, 1.0
ROWS = (((LONG, GRIDS[1]), 9), ((GRIDS[0], GRIDS[3]), 5), ((), 14))

Model = VisionLanguageModel
Patch = pytest.MonkeyPatch


@torch.no_grad()
def measure(model: Model, inputs: Inputs, expected: Tensor) -> float:
    hidden, _ = model.hidden_states(inputs.ids, inputs.is_real, inputs.soft(model))
    return float((model.logits(hidden) - expected)[inputs.is_real].abs().max())


class Pair:
    """A model of ours and what transformers computes with its weights."""

    def __init__(self, shape: str) -> None:
        self.theirs = make_gemma4(shape)
        self.ours = Model(parse_config(published_config(shape))).eval()
        self.ours.load_state_dict(renamed(self.theirs.state_dict(), self.ours))
        self.inputs = make_inputs(self.ours.config.image_token_id, ROWS)
        with torch.no_grad():
            asked = self.inputs.for_theirs(self.ours.config.image_token_id)
            self.expected = self.theirs(**asked).logits


def renamed(state: dict[str, Tensor], ours: Model) -> dict[str, Tensor]:
    names = (("model.language_model.", "text."), ("model.vision_tower.", "vision."))
    names += (("model.embed_vision.", "projector."),)
    found = {
        new + key.removeprefix(old): tensor
        for key, tensor in state.items()
        for old, new in names
        if key.startswith(old)
    }
    return {key: found[key] for key in ours.state_dict()}


@pytest.fixture(scope="module")
def pairs() -> dict[str, Pair]:
    return {shape: Pair(shape) for shape in SHAPES}


def with_text(model: Model, **changes: Any) -> None:
    """The decoder under another configuration, in every part of it."""
    model.text.config = replace(model.text.config, **changes)
    model.config = replace(model.config, text=model.text.config)
    for one in model.text.layers:
        one.self_attn.config = model.text.config


def identity(x: Tensor, eps: float) -> Tensor:
    return x


# ---- the tower --------------------------------------------------------------------------------


def one_plus(model: Model, patch: Patch) -> None:
    patch.setattr(norms.RmsNorm, "scale", property(lambda self: 1 + self.weight.float()))


def tower_values_bare(model: Model, patch: Patch) -> None:
    patch.setattr(tower, "unit_rms", identity)


def tower_scores_scaled(model: Model, patch: Patch) -> None:
    seen = F.scaled_dot_product_attention
    own = type("Functional", (), {"gelu": staticmethod(F.gelu)})
    own.scaled_dot_product_attention = staticmethod(lambda q, k, v, scale: seen(q, k, v))
    patch.setattr(tower, "F", own)


def table_swapped(model: Model, patch: Patch) -> None:
    table = model.vision.patch_embedder.position_embedding_table
    table.data = table.data.flip(0)


def rope_swapped(model: Model, patch: Patch) -> None:
    right = tower.axial_table

    def swapped(*given: Any) -> tuple[Tensor, Tensor]:
        cos, sin = right(*given)
        half = cos.shape[-1] // 2
        return cos.roll(half, -1), sin.roll(half, -1)

    patch.setattr(tower, "axial_table", swapped)


def tower_theta(model: Model, patch: Patch) -> None:
    right = tower.axial_table
    patch.setattr(
        tower, "axial_table", lambda grid, one, x: right(grid, replace(one, theta=1e4), x)
    )


def patches_as(change: Callable[[Tensor], Tensor]) -> Callable[[Model, Patch], None]:
    def apply(model: Model, patch: Patch) -> None:
        right = tower.PatchEmbedder.forward
        patch.setattr(
            tower.PatchEmbedder, "forward", lambda self, x, grid: right(self, change(x), grid)
        )

    return apply


def colours_first(x: Tensor) -> Tensor:
    return x.view(*x.shape[:2], 4, 4, 3).permute(0, 1, 4, 2, 3).flatten(2)


def pool_as(change: Callable[[Any, Tensor, Any], Tensor]) -> Callable[[Model, Patch], None]:
    def apply(model: Model, patch: Patch) -> None:
        patch.setattr(tower.PatchTower, "pool", change)

    return apply


def nine_in_a_row(self: Any, x: Tensor, grid: Any) -> Tensor:
    scaled = x.view(len(x), -1, 9, x.shape[-1]).mean(2) * x.shape[-1] ** 0.5
    return (scaled - self.std_bias) * self.std_scale if self.config.is_standardized else scaled


def standardized_first(self: Any, x: Tensor, grid: Any) -> Tensor:
    rows, columns = grid
    mean = x.view(len(x), rows // 3, 3, columns // 3, 3, -1).mean((2, 4)).flatten(1, 2)
    return (mean - self.std_bias) * self.std_scale * x.shape[-1] ** 0.5


def embedder_without_norm(model: Model, patch: Patch) -> None:
    patch.setattr(embedder, "unit_rms", identity)


def soft_scaled(model: Model, patch: Patch) -> None:
    right = embedder.NormedProjector.forward
    patch.setattr(embedder.NormedProjector, "forward", lambda self, x: right(self, x) * 48**0.5)


def clip_ignored(model: Model, patch: Patch) -> None:
    for one in model.vision.modules():
        if isinstance(one, tower.ClippedLinear):
            one.is_clipped = False


# ---- the decoder ------------------------------------------------------------------------------


def values_bare(model: Model, patch: Patch) -> None:
    patch.setattr(layer, "unit_rms", identity)


def scores_scaled(model: Model, patch: Patch) -> None:
    with_text(model, query_scale=8**-0.5)


def scalar_one(model: Model, patch: Patch) -> None:
    for one in model.text.layers:
        one.layer_scalar.fill_(1)


def scalar_before_the_words(model: Model, patch: Patch) -> None:
    def forward(self: Any, x: Tensor, rotary: Any, mask: Any, cache: Any, told: Any) -> Tensor:
        x = x + self.post_attention_layernorm(
            self.self_attn(self.input_layernorm(x), rotary, mask, cache)
        )
        wide = self.mlp(self.pre_feedforward_layernorm(x))
        x = (x + self.post_feedforward_layernorm(wide)) * self.layer_scalar
        return x + self._told(x, told)

    patch.setattr(layer.MixedLayer, "forward", forward)


def rope_over_all(model: Model, patch: Patch) -> None:
    ropes = model.text.config.ropes
    with_text(model, ropes={**ropes, FULL: replace(ropes[FULL], share=1.0)})


def rope_as_a_small_head(model: Model, patch: Patch) -> None:
    def table(positions: Tensor, rope: Any, width: int, dtype: Any) -> Any:
        if rope.share == 1:
            return rotary_table(positions, rope, width, dtype)
        part = int(width * rope.share)
        cos, sin = rotary_table(positions, replace(rope, share=1.0), part, dtype)
        rest = [*cos.shape[:-1], width - part]
        return torch.cat([cos, cos.new_ones(rest)], -1), torch.cat([sin, sin.new_zeros(rest)], -1)

    patch.setattr(decoder, "rotary_table", table)


def window_longer(model: Model, patch: Patch) -> None:
    with_text(model, window=7)


def words_with_the_image_id(model: Model, patch: Patch) -> None:
    model.config = replace(model.config, placeholder_ids=())


def words_silent_at_pictures(model: Model, patch: Patch) -> None:
    right = decoder.LayeredDecoder.tell_layers

    def silent(self: Any, ids: Tensor, embeds: Tensor) -> Tensor:
        told = right(self, ids, embeds)
        return told * (ids != 0)[..., None, None]

    patch.setattr(decoder.LayeredDecoder, "tell_layers", silent)


def words_before_merging(model: Model, patch: Patch) -> None:
    right = decoder.LayeredDecoder.tell_layers
    patch.setattr(
        decoder.LayeredDecoder,
        "tell_layers",
        lambda self, ids, x: right(self, ids, self.embed(ids)),
    )


def gate_normed(model: Model, patch: Patch) -> None:
    right = layer.MixedLayer._told
    patch.setattr(
        layer.MixedLayer, "_told", lambda self, x, told: right(self, norms.unit_rms(x, 1e-6), told)
    )


def keys_of_the_layer_above(model: Model, patch: Patch) -> None:
    rows = model.text.config.layers
    count = sum(row.source is not None for row in rows)
    for index, one in enumerate(model.text.layers):
        if rows[index].source is not None:
            one.self_attn.row = replace(rows[index], source=index - count)


def keys_turned_twice(model: Model, patch: Patch) -> None:
    right = layer.SharingAttention._keys_and_values

    def twice(self: Any, x: Tensor, rotary: Any, cache: KVCache) -> Any:
        keys, values = right(self, x, rotary, cache)
        if self.row.source is None:
            return keys, values
        return apply_rotary(keys.transpose(1, 2), rotary).transpose(1, 2), values

    patch.setattr(layer.SharingAttention, "_keys_and_values", twice)


def values_after_norm_and_rope(model: Model, patch: Patch) -> None:
    right = layer.SharingAttention._keys_and_values

    def after(self: Any, x: Tensor, rotary: Any, cache: KVCache) -> Any:
        if self.row.has_values:
            return right(self, x, rotary, cache)
        k = apply_rotary(self.k_norm(self._heads(self.k_proj(x))), rotary).transpose(1, 2)
        return cache.append(self.index, k, k)

    patch.setattr(layer.SharingAttention, "_keys_and_values", after)


def groups_as(full: Any, sliding: Any) -> Callable[[Model, Patch], None]:
    def apply(model: Model, patch: Patch) -> None:
        model.architecture = replace(model.architecture, groups={FULL: full, SLIDING: sliding})

    return apply


def window_leaves_pictures_whole(model: Model, patch: Patch) -> None:
    model.architecture = replace(model.architecture, window_cuts_groups=False)


def window_cuts_forwards(model: Model, patch: Patch) -> None:
    def within(position: Tensor, window: int) -> Tensor:
        return (position[None, :] - position[:, None]).abs() < window

    patch.setattr(attention, "_within", within)
    assert whole.prefill_mask is attention.prefill_mask


# ---- the experts ------------------------------------------------------------------------------


def expert_norms_swapped(model: Model, patch: Patch) -> None:
    for one in model.text.layers:
        first, second = one.post_feedforward_layernorm_1, one.post_feedforward_layernorm_2
        one.post_feedforward_layernorm_1, one.post_feedforward_layernorm_2 = second, first


def router_reads_the_norm(model: Model, patch: Patch) -> None:
    for one in model.text.layers:
        before, router = one.pre_feedforward_layernorm_2, one.router.forward
        one.router.forward = lambda x, before=before, router=router: router(before(x))


def router_as(change: Callable[[Any], None]) -> Callable[[Model, Patch], None]:
    def apply(model: Model, patch: Patch) -> None:
        for one in model.text.layers:
            change(one.router)

    return apply


def not_narrowed(router: Any) -> None:
    router.scale.data = router.scale.data * 48**0.5


def without_expert_scale(router: Any) -> None:
    router.per_expert_scale.data = torch.ones_like(router.per_expert_scale)


MISTAKES = [
    ("1 + weight", "31B", one_plus),
    ("tower: values without norm", "E2B", tower_values_bare),
    ("tower: scores scaled", "31B", tower_scores_scaled),
    ("tower: places by row and column swapped", "E2B", table_swapped),
    ("tower: turned by row first", "31B", rope_swapped),
    ("tower: base 10,000", "E2B", tower_theta),
    ("pixels from 0 to 1", "31B", patches_as(lambda x: (x + 1) / 2)),
    ("patches colour by colour", "E2B", patches_as(colours_first)),
    ("nine patches in a row pooled", "31B", pool_as(nine_in_a_row)),
    ("standardised before the scale", "31B", pool_as(standardized_first)),
    ("embedder without norm", "31B", embedder_without_norm),
    ("soft tokens scaled", "E2B", soft_scaled),
    ("bounds ignored", "E2B", clip_ignored),
    ("values without norm", "31B", values_bare),
    ("scores scaled", "E2B", scores_scaled),
    ("no layer scalar", "E2B", scalar_one),
    ("layer scalar before the words", "E4B", scalar_before_the_words),
    ("rope over the whole head", "31B", rope_over_all),
    ("rope as a small head", "31B", rope_as_a_small_head),
    ("window one longer", "E2B", window_longer),
    ("words of the image token", "E2B", words_with_the_image_id),
    ("words silent at pictures", "E2B", words_silent_at_pictures),
    ("words before merging", "E2B", words_before_merging),
    ("gate of the words normed", "E2B", gate_normed),
    ("keys of the layer so many above", "E4B", keys_of_the_layer_above),
    ("shared keys turned twice", "E2B", keys_turned_twice),
    ("values that are keys after norm and rope", "31B", values_after_norm_and_rope),
    ("full layers see pictures both ways", "31B", groups_as(block_groups, block_groups)),
    ("windows see pictures one way", "31B", groups_as(no_groups, no_groups)),
    ("the window leaves pictures whole", "31B", window_leaves_pictures_whole),
    ("the window cuts forwards too", "31B", window_cuts_forwards),
    ("norms of experts swapped", "26B", expert_norms_swapped),
    ("router reads what is normed", "26B", router_reads_the_norm),
    ("router not narrowed", "26B", router_as(not_narrowed)),
    ("experts without their scale", "26B", router_as(without_expert_scale)),
]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_right_copy_is_near(pairs: dict[str, Pair], shape: str) -> None:
    pair = pairs[shape]
    assert measure(copy.deepcopy(pair.ours), pair.inputs, pair.expected) < RIGHT


@pytest.mark.parametrize("name, shape, make", MISTAKES, ids=[name for name, *_ in MISTAKES])
def test_a_mistake_is_seen(
    pairs: dict[str, Pair], name: str, shape: str, make: Any, monkeypatch: Patch
) -> None:
    pair = pairs[shape]
    wrong = copy.deepcopy(pair.ours)
    with torch.no_grad():
        make(wrong, monkeypatch)
    assert measure(wrong, pair.inputs, pair.expected) > SEEN


# ---- what is hidden further on ----------------------------------------------------------------


@torch.no_grad()
def test_the_scale_after_pooling_is_seen_in_the_features(pairs, monkeypatch: Patch) -> None:
    pair = pairs["E2B"]
    pixels, grid = pair.inputs.pixels[1], pair.inputs.grids[1]
    theirs = pair.theirs.model.vision_tower(*padded(pixels, grid, 63)).last_hidden_state
    assert (pair.ours.vision(pixels, grid)[0] - theirs).abs().max() < 1e-4
    right = tower.PatchTower.pool
    patched = lambda self, x, grid: right(self, x, grid) / 32**0.5  # noqa: E731
    monkeypatch.setattr(tower.PatchTower, "pool", patched)
    assert (pair.ours.vision(pixels, grid)[0] - theirs).abs().max() > SEEN


@torch.no_grad()
def test_what_layers_are_told_equals_transformers(pairs) -> None:
    pair = pairs["E2B"]
    ids = torch.tensor([[2, 40, 77, 0, 300]])
    embeds = pair.ours.text.embed(ids)
    language = pair.theirs.model.language_model
    theirs = language.project_per_layer_inputs(embeds, language.get_per_layer_inputs(ids, embeds))
    ours = pair.ours.text.tell_layers(ids, embeds)
    assert (ours - theirs).abs().max() < 1e-5
    assert (ours * 2**0.5 - theirs).abs().max() > 0.1  # without the root of a half


@torch.no_grad()
def test_the_router_equals_transformers(pairs) -> None:
    pair = pairs["26B"]
    x = torch.randn(7, 48, generator=torch.manual_seed(0))
    ours, theirs = (one.layers[1].router for one in (pair.ours.text, language_of(pair)))
    (chosen, weights), (chances, expected, indices) = ours(x), theirs(x)
    assert torch.equal(chosen, indices) and (weights - expected).abs().max() < 1e-6
    bare = chances.gather(-1, indices) * ours.per_expert_scale[indices]
    assert (bare - expected).abs().max() > 0.01  # without summing to 1


def language_of(pair: Pair) -> Any:
    return pair.theirs.model.language_model


@torch.no_grad()
def test_logits_are_capped_as_transformers_caps_them(pairs) -> None:
    pair = pairs["control"]
    hidden = 40 * torch.randn(3, 48, generator=torch.manual_seed(0))
    plain = F.linear(hidden, pair.theirs.lm_head.weight)
    assert plain.abs().max() > 45
    assert (pair.ours.logits(hidden) - 30 * torch.tanh(plain / 30)).abs().max() < 1e-4
    assert (pair.ours.logits(hidden) - plain).abs().max() > SEEN


@torch.no_grad()
def test_experts_that_nobody_goes_to_change_nothing(pairs) -> None:
    own: experts.Experts = pairs["26B"].ours.text.layers[0].experts
    x = torch.randn(3, 48, generator=torch.manual_seed(0))
    chosen, weights = torch.tensor([[0, 2]] * 3), torch.full((3, 2), 0.5)
    before = own(x, chosen, weights)
    other = copy.deepcopy(own)
    other.gate_up_proj[[1, 3, 4, 5]] = torch.nan
    assert torch.equal(other(x, chosen, weights), before)
