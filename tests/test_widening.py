"""Widening: a trained checkpoint grows without forgetting, and learns from many artists."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from small_atlas import MIRRORED, small_atlas, write_atlas
from transformers import PaliGemmaForConditionalGeneration

from gemma_vision.checkpoints.file_names import CHECKPOINTS
from gemma_vision.optimization.clock import Clock
from gemma_vision.optimization.training_state import StateError
from training import widen, widening
from training.drawings.examination import Examiner
from training.mask_shapes import mean_shapes, shape_figures
from training.model.growth import grow, stretch
from training.model.tiny import ModelSizes, build_model
from training.model.tokenizer import build_tokenizer
from training.presets import WIDENING_PLANS
from training.run import Pace, TrainingRun
from training.table import Table

TINY = CHECKPOINTS / "tiny"
DEPTH = json.loads((TINY / "config.json").read_text())["vision_config"]["num_hidden_layers"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """What `training.drawings.build` writes, small: an atlas of two artists and one photograph."""
    folder = tmp_path_factory.mktemp("drawings")
    write_atlas(small_atlas(), folder / "atlas.npz")
    (folder / "photographs").mkdir()
    pixels = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "photographs" / "noise.png")
    return folder


@pytest.fixture(scope="module")
def grown():
    small_sizes = ModelSizes(side=56, vision_layers=2, text_layers=1)
    old, new = build_tokenizer(["cat", "dog"]), build_tokenizer(["cat", "zebra", "dog"])
    small = build_model(small_sizes, old, seed=3)
    large_sizes = ModelSizes(side=56, vision_layers=4, text_layers=1)
    large = build_model(large_sizes, new, seed=4)
    grow(small, large, old, new)
    return small, large, old, new


@pytest.fixture(scope="module")
def table(data):
    return Table(TINY, data, size=4)


class TestGrowth:
    def test_new_layers_change_nothing_at_first(self, grown):
        small, large, *_ = grown
        pixels = torch.randn(2, 3, 56, 56)
        towers = (model.model.vision_tower.eval() for model in (small, large))
        seen = [tower(pixel_values=pixels).last_hidden_state for tower in towers]
        assert torch.allclose(*seen, atol=1e-5)

    def test_nothing_of_a_checkpoint_is_left_out(self, grown):
        small, large, old, new = grown
        with pytest.raises(StateError, match=r"4 layers and the plan.s has 2; choose a plan"):
            grow(large, small, new, old)

    def test_new_layers_can_learn(self, grown):
        large = grown[1]
        large.model.vision_tower(pixel_values=torch.randn(1, 3, 56, 56))[0].sum().backward()
        last = large.model.vision_tower.encoder.layers[-1]
        assert last.mlp.fc2.weight.grad.abs().max() > 0

    def test_words_keep_their_vectors_and_so_do_positions(self, grown):
        small, large, old, new = grown
        tables = [m.model.language_model.embed_tokens.weight for m in (small, large)]
        for token in ("▁cat", "<loc0500>", "<seg007>", "<image>", "\n"):
            ids = old.token_to_id(token), new.token_to_id(token)
            assert torch.equal(tables[0][ids[0]], tables[1][ids[1]]), token
        assert old.token_to_id("▁zebra") is None and new.token_to_id("▁zebra") is not None
        assert torch.equal(large.lm_head.weight, tables[1])

    def test_a_finer_grid_has_the_positions_between(self):
        plane = torch.linspace(0, 1, 8)[:, None].expand(8, 8).reshape(64, 1)
        wide = stretch(plane, 144).reshape(12, 12)
        assert torch.allclose(wide[:, :1].expand(12, 12), wide, atol=1e-5)
        assert (wide[1:, 0] > wide[:-1, 0]).all()
        assert wide[5:7, 0].mean().item() == pytest.approx(0.5, abs=1e-4)


@pytest.mark.filterwarnings("ignore:__array__ implementation")
class TestWidening:
    def widened(self, data, folder, *stages, plan="names", seconds=None, **paces):
        ticks = iter(range(1_000_000))
        run = TrainingRun(
            folder,
            frozenset(stages),
            dtype=torch.float32,
            workers=0,
            clock=Clock(now=lambda: float(next(ticks)) if seconds is None else seconds()),
        )
        short = {name: Pace(share) for name, share in paces.items()}
        known = WIDENING_PLANS[plan]
        sizes = replace(known.sizes, vision_layers=DEPTH)
        sketch = known.sketch and (replace(known.sketch[0], vision_layers=DEPTH), known.sketch[1])
        own = replace(known, paces={**known.paces, **short}, sizes=sizes, sketch=sketch)
        return widening.open_widening(run, own, TINY, data)

    def test_it_begins_with_what_the_checkpoint_knew(self, data, tmp_path):
        wide = self.widened(data, tmp_path, sketch=1.0, vision=1.0)
        known = PaliGemmaForConditionalGeneration.from_pretrained(TINY, dtype=torch.float32)
        widening.train_tower(wide)  # loads alone
        for name in ("k_proj", "out_proj"):
            ours, theirs = (
                getattr(m.model.vision_tower.encoder.layers[3].self_attn, name).weight
                for m in (wide.learner.model, known)
            )
            assert torch.equal(ours, theirs)
        assert wide.artists == ("noto-font",)  # without the one that is held out

    def test_practice_begins_with_the_checkpoint_as_it_is(self, data, tmp_path):
        wide = self.widened(data, tmp_path, plan="practice", vision=1.0)
        known = PaliGemmaForConditionalGeneration.from_pretrained(TINY, dtype=torch.float32)
        widening.train_tower(wide)  # loads alone
        theirs = known.state_dict()
        for name, tensor in wide.learner.model.state_dict().items():
            assert torch.equal(tensor, theirs[name]), name

    def test_a_stage_goes_on_where_it_stopped(self, data, tmp_path, monkeypatch):
        monkeypatch.setattr(widening, "BATCH", 2)
        paces = {"sketch": 6 / 60, "vision": 5 / 60}
        wide = self.widened(data, tmp_path, "sketch", "vision", **paces)
        widening.train_tower(wide)
        for stage in paces:
            log = (tmp_path / f"{stage}.jsonl").read_text().splitlines()
            last = json.loads(log[-1])
            assert last["steps"] >= 3 and np.isfinite(last["loss"])
        again = self.widened(data, tmp_path, **paces)
        before = again.learner.model.model.vision_tower.embeddings.patch_embedding.weight.clone()
        widening.train_tower(again)
        tower = wide.learner.model.model.vision_tower
        after = again.learner.model.model.vision_tower.embeddings.patch_embedding.weight
        assert torch.equal(after, tower.embeddings.patch_embedding.weight)
        assert not torch.equal(after, before)

    @pytest.mark.parametrize("plan", ["artists", "answers", "settle", "deeper", "retold"])
    def test_a_stage_that_a_plan_leaves_out_is_the_checkpoints_own(self, data, tmp_path, plan):
        (trained,) = WIDENING_PLANS[plan].paces
        wide = self.widened(data, tmp_path, "vision", "decoder", plan=plan)
        known = PaliGemmaForConditionalGeneration.from_pretrained(TINY, dtype=torch.float32)
        other = {"vision": widening.train_answers, "decoder": widening.train_tower}[trained]
        widening.train_tower(replace(wide, run=replace(wide.run, stages=frozenset())))  # loads
        other(wide)
        theirs = known.state_dict()
        for name, tensor in wide.learner.model.state_dict().items():
            assert torch.equal(tensor, theirs[name]), name
        assert not list(tmp_path.glob("*.jsonl"))

    def test_heads_of_an_earlier_run_need_not_be_learned_again(self, data, tmp_path, monkeypatch):
        monkeypatch.setattr(widening, "BATCH", 2)
        wide = self.widened(data, tmp_path / "run", "vision", plan="practice", vision=3 / 60)
        widening.train_tower(wide)
        state = load_file(tmp_path / "run" / "vision.safetensors")
        width = wide.plan.sizes.vision_width
        head = replace(wide, heads=tmp_path / "run").head(width, "vision")
        for name, tensor in head.state_dict().items():
            assert torch.equal(tensor, state[f"module.head.{name}"]), name
        assert not torch.equal(wide.head(width, "vision").linear.weight, head.linear.weight)
        with pytest.raises(StateError, match="heads of other names"):
            replace(wide, heads=tmp_path / "run").head(width + 1, "vision")

    def test_heads_of_a_run_that_had_no_tower_are_enough_for_answers(
        self, data, tmp_path, monkeypatch
    ):
        monkeypatch.setattr(widening, "BANK", 12)
        first = self.widened(data, tmp_path / "a", "decoder", plan="answers", decoder=4 / 60)
        widening.train_answers(first)
        assert not (tmp_path / "a" / "vision.safetensors").exists()
        wide = self.widened(data, tmp_path / "b", "decoder", plan="settle", decoder=4 / 60)
        wide = replace(wide, heads=tmp_path / "a")
        widening.train_tower(wide)
        widening.train_answers(wide)
        assert (tmp_path / "b" / "decoder.jsonl").exists()

    def test_answers_are_learned_and_the_checkpoint_is_one(self, data, tmp_path, monkeypatch):
        monkeypatch.setattr(widening, "BANK", 12)
        wide = self.widened(data, tmp_path / "run", "decoder", decoder=4 / 60)
        widening.train_answers(wide)
        widening.write_checkpoint(wide, tmp_path / "out")
        notes = json.loads((tmp_path / "out" / "gemma_vision.json").read_text())
        assert tuple(notes["names"]) == small_atlas().names
        assert (tmp_path / "out" / "model.safetensors").stat().st_size < 10_000_000
        assert (tmp_path / "out" / "gallery.webp").exists()

    def test_a_plan_without_new_words_keeps_the_size_the_words_and_the_mask_decoder(
        self, data, tmp_path, monkeypatch
    ):
        monkeypatch.setattr(widening, "BATCH", 2)
        monkeypatch.setattr(widening, "BANK", 12)
        paces = {"vision": 4 / 60, "decoder": 4 / 60}
        wide = self.widened(data, tmp_path / "run", "vision", "decoder", plan="sharp", **paces)
        codes = wide.learner.vae.encode(torch.rand(2, 1, 64, 64) - 0.5)
        drawn = wide.learner.vae.decode(codes)
        widening.train_tower(wide)
        widening.polish_masks(wide)
        widening.train_answers(wide)
        assert torch.equal(wide.learner.vae.decode(codes), drawn)
        assert not (tmp_path / "run" / "sketch.jsonl").exists()
        widening.write_checkpoint(wide, tmp_path / "out")
        for file in ("tokenizer.json", "config.json"):
            ours, known = (json.loads((one / file).read_text()) for one in (tmp_path / "out", TINY))
            assert ours == known, file

    def test_scenes_are_the_same_whichever_process_draws_them(self, data, tmp_path):
        wide = self.widened(data, tmp_path)
        here, beside = (
            next(replace(wide, run=run).scenes(1, 0, 2, wide.learner.recipe))
            for run in (wide.run, replace(wide.run, workers=1))
        )
        assert here.keys() == beside.keys()
        for key, value in here.items():
            assert torch.equal(value, beside[key]), key

    def test_the_mask_decoder_learns_and_codes_stay(self, data, tmp_path, monkeypatch):
        monkeypatch.setattr(widening, "POLISHED", 16)
        wide = self.widened(data, tmp_path, "polish", polish=4 / 60)
        vae = wide.learner.vae
        masks = torch.rand(3, 1, 64, 64) - 0.5
        codes, drawn = vae.encode(masks), vae.decode(vae.encode(masks))
        widening.polish_masks(wide)
        assert torch.equal(vae.encode(masks), codes)
        assert not torch.equal(vae.decode(codes), drawn)
        assert not any(parameter.requires_grad for parameter in vae.parameters())

    def test_what_is_missing_is_told(self, tmp_path):
        with pytest.raises(SystemExit, match="make train"):
            widen.main(["--base", str(tmp_path), "--data", str(tmp_path)])
        (tmp_path / "atlas.npz").touch()
        with pytest.raises(SystemExit, match=r"vision\.safetensors is not there"):
            widen.main(["--base", str(TINY), "--data", str(tmp_path), "--heads", str(tmp_path)])
        with pytest.raises(SystemExit, match="others are for evaluation"):
            widen.main(["--base", str(TINY), "--data", str(tmp_path), "--seed", "900000"])


class TestTable:
    def test_a_hand_that_it_knows_is_found_and_another_name_is_not(self, table):
        row = table.artist(table.atlas, "noto-font")
        assert row["n"] == 16 and row["recall50"] > 0.9 and row["empty"] > 0.9

    def test_the_held_out_hand_is_told_apart(self, table):
        assert "never seen" in table.artist(table.atlas, MIRRORED)["claim"]

    def test_masks_after_the_true_box_are_better_than_chance(self):
        atlas = small_atlas()
        pictures = list(Examiner(atlas, atlas.artists[:1], 900_002).singles(4, ("fish", "dog")))
        figures = shape_figures(TINY, widening.read_vae(TINY), pictures)
        assert figures["true_codes"] > 0.85
        assert 0.6 < figures["drawn"] <= figures["true_codes"] + 0.02

    def test_the_mean_shape_is_of_the_same_name(self):
        shapes = np.zeros((3, 64, 64), bool)
        shapes[0], shapes[2, :10] = True, True
        means = mean_shapes(["cat", "dog", "cat"], shapes)
        assert means[0].all() and not means[1].any() and np.array_equal(means[0], means[2])

    def test_single_pictures_are_of_one_thing_where_the_box_says(self):
        atlas = small_atlas()
        for one in Examiner(atlas, atlas.artists[:1], 900_001).singles(1):
            x0, y0, x1, y1 = one.box
            assert one.mask[y0:y1, x0:x1].sum() == one.mask.sum() > 0
            assert 0.2 < max(x1 - x0, y1 - y0) / 224 < 0.9
            assert one.other != one.name and one.name in atlas.names
