"""Ours and transformers compute the same logits and the same tokens, for every family.

The reference always gets its token_type_ids: without them it quietly masks by another rule.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from tiny_models import SIDE, make_model, save
from torch import Tensor
from transformers import PreTrainedModel

from gemma_vision.model.attention import extend_mask
from gemma_vision.model.config import FULL, SLIDING
from gemma_vision.model.fused import decoder as fused
from gemma_vision.model.kv_cache import KVCache
from gemma_vision.model.vision_language_model import VisionLanguageModel
from gemma_vision.weights.checkpoint import Checkpoint, open_checkpoint

FAMILIES = ("paligemma", "paligemma2", "gemma3")
BATCHES = [  # pictures and words of each row
    pytest.param([(1, "detect cat")], id="one row"),
    pytest.param([(2, "what is it? a dog")], id="two pictures"),
    pytest.param([(0, "caption en")], id="no picture"),
    pytest.param([(1, "detect cat"), (2, "what is it? a dog"), (0, "cat")], id="left-padded"),
]
STEPS = 24


class Case(NamedTuple):
    ours: Checkpoint
    theirs: PreTrainedModel


class Inputs(NamedTuple):
    ids: Tensor
    is_real: Tensor
    pixels: Tensor
    counts: list[int]


@pytest.fixture(scope="module", params=FAMILIES)
def case(request, tmp_path_factory) -> Case:
    theirs = make_model(request.param)
    folder = save(theirs, tmp_path_factory.mktemp(request.param))
    return Case(open_checkpoint(folder, "cpu"), theirs)


def make_inputs(checkpoint: Checkpoint, batch: list[tuple[int, str]]) -> Inputs:
    rows = [ids_of(checkpoint, count, words) for count, words in batch]
    length = max(map(len, rows))
    counts = [count for count, _ in batch]
    noise = torch.rand(sum(counts), 3, SIDE, SIDE, generator=torch.manual_seed(3))
    return Inputs(
        torch.tensor([[0] * (length - len(row)) + row for row in rows]),
        torch.tensor([[0] * (length - len(row)) + [1] * len(row) for row in rows]).bool(),
        noise * 2 - 1,
        counts,
    )


def ids_of(checkpoint: Checkpoint, count: int, words: str) -> list[int]:
    config, family = checkpoint.config, checkpoint.family
    text = family.lay_out(family.image_mark * count + words, [1] * count)
    ids = checkpoint.tokenizer.encode(text, add_special_tokens=False).ids
    image = config.image_token_id
    return [i for i in ids for _ in range(config.vision.num_soft_tokens if i == image else 1)]


def ask_theirs(case: Case, inputs: Inputs) -> dict[str, Tensor]:
    is_image = (inputs.ids == case.ours.config.image_token_id).long()
    types = torch.zeros_like(inputs.ids) if case.ours.model.architecture.is_prefix_lm else is_image
    asked = {
        "input_ids": inputs.ids,
        "attention_mask": inputs.is_real.long(),
        "token_type_ids": types,
    }
    return asked | ({"pixel_values": inputs.pixels} if len(inputs.pixels) else {})


def soft_of(case: Case, inputs: Inputs) -> list[Tensor]:
    if not len(inputs.pixels):
        return [torch.empty(0) for _ in inputs.counts]
    return list(case.ours.model.encode(inputs.pixels).split(inputs.counts))


@pytest.mark.parametrize("batch", BATCHES)
@torch.no_grad()
def test_logits_equal_transformers(case: Case, batch) -> None:
    inputs = make_inputs(case.ours, batch)
    theirs = case.theirs(**ask_theirs(case, inputs)).logits
    hidden, _ = case.ours.model.hidden_states(inputs.ids, inputs.is_real, soft_of(case, inputs))
    ours = case.ours.model.logits(hidden)
    assert theirs.std() > 0.1
    assert ((ours - theirs)[inputs.is_real]).abs().max() < 1e-5


@pytest.mark.parametrize("batch", BATCHES)
@torch.no_grad()
def test_greedy_tokens_and_their_logits_equal_transformers(case: Case, batch) -> None:
    inputs = make_inputs(case.ours, batch)
    made = case.theirs.generate(
        **ask_theirs(case, inputs),
        do_sample=False,
        max_new_tokens=STEPS,
        eos_token_id=None,
        pad_token_id=0,
        output_logits=True,
        return_dict_in_generate=True,
    )
    model = case.ours.model
    logits, state = model.prefill(inputs.ids, inputs.is_real, soft_of(case, inputs), room=3)
    for step in range(STEPS):
        assert (logits - made.logits[step]).abs().max() < 1e-5
        tokens = logits.argmax(-1)
        assert tokens.tolist() == made.sequences[:, inputs.ids.shape[1] + step].tolist()
        logits = model.step(tokens, state)


@pytest.mark.parametrize("batch", BATCHES)
def test_windows_are_shorter_than_every_prompt_compared(case: Case, batch) -> None:
    text = case.ours.config.text
    if SLIDING not in text.layer_types:
        assert (text.kind, text.window) == ("gemma", None)
        return
    lengths = make_inputs(case.ours, batch).is_real.sum(-1).tolist()
    shown = [length for length, (count, _) in zip(lengths, batch, strict=True) if count]
    assert all(text.window < length for length in [*shown, STEPS])  # words alone: cut on the way


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param({"window": 10_000}, id="window"),
        pytest.param({"attention_cap": None}, id="cap on attention"),
        pytest.param({"logit_cap": None}, id="cap on logits"),
    ],
)
@torch.no_grad()
def test_a_rule_that_a_family_has_changes_its_logits(case: Case, rule: dict) -> None:
    """A comparison in which windows or caps did nothing would prove nothing about them."""
    text = case.ours.config.text
    has_rule = all(getattr(text, name) is not None for name in rule)
    other = VisionLanguageModel(replace(case.ours.config, text=replace(text, **rule)))
    other.load_state_dict(case.ours.model.state_dict())
    other.eval()
    inputs = make_inputs(case.ours, [(1, "detect cat"), (2, "what is it? a dog"), (0, "cat")])
    soft = soft_of(case, inputs)
    apart = 0.0
    ours, state = case.ours.model.prefill(inputs.ids, inputs.is_real, soft)
    without, other_state = other.prefill(inputs.ids, inputs.is_real, soft)
    for _ in range(4):  # PaliGemma 2 has no window inside the prompt, only behind it
        apart = max(apart, float((ours - without).abs().max()))
        tokens = ours.argmax(-1)
        ours = case.ours.model.step(tokens, state)
        without = other.step(tokens, other_state)
    assert apart > 1e-2 if has_rule else apart < 1e-5


@torch.no_grad()
def test_positions_count_from_where_the_line_was_trained(case: Case) -> None:
    """PaliGemma from 1, Gemma 3 from 0: what the angles are rounded from in a narrow type."""
    inputs = make_inputs(case.ours, [(1, "detect cat"), (0, "a dog")])
    soft = soft_of(case, inputs)
    _, state = case.ours.model.prefill(inputs.ids, inputs.is_real, soft)
    before_first = 1 if case.ours.config.family == "gemma3" else 0
    assert state.position[:, 0].tolist() == (inputs.is_real.sum(-1) - before_first).tolist()


def test_an_image_token_may_lie_past_the_vocabulary(case: Case) -> None:
    """As in checkpoints whose table of words was cut to its words."""
    inputs = make_inputs(case.ours, [(1, "detect cat")])
    model, past = case.ours.model, case.ours.model.text.embed_tokens.num_embeddings
    soft = [model.encode(inputs.pixels)]
    merged = model.merge(inputs.ids, soft)
    ids = inputs.ids.masked_fill(inputs.ids == model.config.image_token_id, past)
    outer = copy.copy(model)
    outer.config = replace(model.config, image_token_id=past)
    assert torch.equal(outer.merge(ids, soft), merged)


@torch.no_grad()
def test_soft_tokens_and_merge_equal_transformers(case: Case) -> None:
    inputs = make_inputs(case.ours, [(1, "cat"), (2, "a dog")])
    seen: dict[str, Tensor] = {}
    text = case.theirs.model.language_model
    hook = text.register_forward_pre_hook(
        lambda module, args, kwargs: seen.update(embeds=kwargs["inputs_embeds"]), with_kwargs=True
    )
    case.theirs(**ask_theirs(case, inputs))
    hook.remove()
    soft = soft_of(case, inputs)
    theirs = case.theirs.model.get_image_features(inputs.pixels).pooler_output
    assert (torch.cat(soft) - theirs.view(3, -1, theirs.shape[-1])).abs().max() < 1e-5
    merged = case.ours.model.merge(inputs.ids, soft)
    assert (merged - seen["embeds"]).abs().max() < 1e-5


@torch.no_grad()
def test_words_are_scaled_in_the_number_type_they_are_computed_in(case: Case) -> None:
    """The square root of the width is rounded to it too: 5.65625 for a width of 32 in bfloat16."""
    ours = VisionLanguageModel(case.ours.config)
    ours.load_state_dict(case.ours.model.state_dict())
    ours.to(torch.bfloat16)
    theirs = copy.deepcopy(case.theirs.model.language_model.embed_tokens).to(torch.bfloat16)
    ids = torch.arange(50)[None]
    assert torch.equal(ours.text.embed(ids), theirs(ids))
    exact = ours.text.embed_tokens.weight[:50].float() * 32**0.5
    assert not torch.equal(ours.text.embed(ids)[0], exact.to(torch.bfloat16))


@torch.no_grad()
def test_an_answer_already_begun_sees_only_what_came_before(case: Case) -> None:
    """Prefill of prompt and answer together gives the logits of stepping through the answer."""
    inputs = make_inputs(case.ours, [(1, "detect cat"), (1, "what is it? a dog")])
    model, soft = case.ours.model, soft_of(case, inputs)
    answer = torch.randint(20, 200, (2, 9), generator=torch.manual_seed(5))
    logits, state = model.prefill(inputs.ids, inputs.is_real, soft)
    stepped = [logits, *(model.step(answer[:, i], state) for i in range(9))]
    whole = torch.cat([inputs.ids, answer], 1)
    real = torch.cat([inputs.is_real, torch.ones_like(answer, dtype=torch.bool)], 1)
    prompt = torch.cat([inputs.is_real, torch.zeros_like(answer, dtype=torch.bool)], 1)
    hidden, _ = model.hidden_states(whole, real, soft, is_prompt=prompt)
    together = model.logits(hidden[:, -10:])
    assert (torch.stack(stepped, 1) - together).abs().max() < 1e-5


@torch.no_grad()
def test_rows_that_leave_do_not_disturb_the_others(case: Case) -> None:
    inputs = make_inputs(case.ours, [(1, "detect cat"), (2, "a dog"), (1, "what is it? a dog")])
    model, soft = case.ours.model, soft_of(case, inputs)
    tokens = torch.tensor([30, 40, 50])
    _, whole = model.prefill(inputs.ids, inputs.is_real, soft)
    _, fewer = model.prefill(inputs.ids, inputs.is_real, soft)
    kept = torch.tensor([0, 2])
    for step in range(4):
        if step == 2:
            fewer.select_rows(kept)
        expected = model.step(tokens, whole)
        got = model.step(tokens if step < 2 else tokens[kept], fewer)
    assert (got - expected[kept]).abs().max() < 1e-5


@torch.no_grad()
def test_a_padded_row_equals_itself_alone(case: Case) -> None:
    alone = make_inputs(case.ours, [(1, "cat")])
    pair = make_inputs(case.ours, [(1, "cat"), (2, "what is it? a dog")])
    pair.pixels[0] = alone.pixels[0]
    model = case.ours.model
    one, _ = model.prefill(alone.ids, alone.is_real, soft_of(case, alone))
    two, _ = model.prefill(pair.ids, pair.is_real, soft_of(case, pair))
    assert (one[0] - two[0]).abs().max() < 1e-5


@pytest.mark.parametrize(
    "given, said",
    [
        pytest.param([0, 1], "Row 0 has {n} image tokens and 0 soft", id="no picture"),
        pytest.param([2, 0], "Row 0 has {n} image tokens and {m} soft", id="shifted by a row"),
        pytest.param([1, 2], "Row 1 has {n} image tokens and {m} soft", id="one too many"),
        pytest.param([1], "2 rows of ids and pictures for 1", id="a row too few"),
    ],
)
@torch.no_grad()
def test_pictures_that_do_not_match_their_row_are_refused(case: Case, given, said: str) -> None:
    inputs = make_inputs(case.ours, [(1, "cat"), (1, "a dog")])
    count = case.ours.config.vision.num_soft_tokens
    soft = [torch.zeros(n, count, case.ours.config.text.width) for n in given]
    with pytest.raises(ValueError, match=said.format(n=count, m=2 * count)):
        case.ours.model.merge(inputs.ids, soft)


@torch.no_grad()
def test_joined_matrices_compute_what_the_separate_ones_do(case: Case, monkeypatch) -> None:
    inputs = make_inputs(case.ours, [(1, "detect cat"), (2, "a dog")])
    model, soft = case.ours.model, soft_of(case, inputs)
    assert model.text.fused_path is not None
    results = []
    for quick in (model.text.fused_path, None):
        monkeypatch.setattr(model.text, "fused_path", quick)
        logits, state = model.prefill(inputs.ids, inputs.is_real, soft)
        results.append([logits, *(model.step(torch.tensor([7, 9]), state) for _ in range(6))])
    for joined, separate in zip(*results, strict=True):
        assert (joined - separate).abs().max() < 1e-5


@torch.no_grad()
def test_a_joined_model_can_change_its_number_type(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(save(make_model("paligemma"), tmp_path), "cpu")
    inputs = make_inputs(checkpoint, [(1, "detect cat")])
    soft = list(checkpoint.model.encode(inputs.pixels).split([1]))
    before, _ = checkpoint.model.prefill(inputs.ids, inputs.is_real, soft)
    checkpoint.model.double()
    assert checkpoint.model.text.fused_path is None
    after, _ = checkpoint.model.prefill(inputs.ids, inputs.is_real, soft)
    assert after.dtype == torch.float64
    assert (before - after).abs().max() < 1e-4


@torch.no_grad()
@pytest.mark.parametrize("family", ["paligemma", "gemma3"])
def test_a_table_of_angles_is_long_enough_at_its_last_row(
    family: str, tmp_path: Path, monkeypatch
) -> None:
    """Every position around the end of the table, one step at a time and several at once."""
    monkeypatch.setattr(fused, "TABLE", 12)
    text = open_checkpoint(save(make_model(family), tmp_path), "cpu").model.text
    first = 1 if family == "paligemma" else 0
    for count in (1, 2, 3):
        caches = KVCache(40), KVCache(40)
        for start in range(0, 30 - count, count):
            at = torch.arange(start, start + count)[None] + first
            embeds = torch.randn(1, count, text.config.width)
            outs = []
            for quick, cache in zip((text.fused_path, None), caches, strict=True):
                masks = {
                    kind: extend_mask(None, start + count, count, at.device)
                    for kind in (FULL, SLIDING)
                }
                kept, text.fused_path = text.fused_path, quick
                outs.append(text(embeds, at, masks, cache))
                text.fused_path = kept
            assert (outs[0] - outs[1]).abs().max() < 1e-4, start
        text.fused_path.tables.clear()
