"""Devices: the way of a GPU, walked on a CPU, gives the same losses and mixes no devices."""

import dataclasses
import itertools
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from device_audit import CUDA_LIKE, DeviceAudit
from torch import nn

from gemma_vision.optimization.clock import Clock
from gemma_vision.optimization.metrics_log import MetricsLog
from gemma_vision.optimization.precision import pick_dtype, quick_attention
from gemma_vision.optimization.stage import TrainingStage, adamw
from postprocess.vqvae import MaskVQVAE
from training.data.sampling import SceneRecipe, SceneSampler
from training.data.streams import scene_batches
from training.data.textures import sprites_on
from training.model import decoder, mask_vae, vision
from training.model.decoder import DecoderStep, FeatureBank, JointStep
from training.model.dense import DenseHead
from training.model.mask_vae import CodebookAverage, PolishStep, VqStep
from training.model.tiny import ModelSizes
from training.model.tokenizer import build_tokenizer
from training.model.vision import VisionStep
from training.presets import PRESETS, STAGES
from training.run import DeviceError, Pace, TrainingRun, pick_device, pick_workers
from training.train import prepare, train

SMALL = dataclasses.replace(
    PRESETS["smoke"],
    paces={
        stage: Pace(steps / 60)
        for stage, steps in [("vq", 3), ("polish", 3), ("vision", 7), ("decoder", 5), ("joint", 3)]
    },
    sizes=ModelSizes(
        side=28,
        vision_width=24,
        vision_layers=1,
        text_width=32,
        text_layers=1,
        text_heads=2,
        head_dim=16,
    ),
    bank=24,
    pool=32,
)


def a_run(folder, compositor="opencv", **kwargs) -> TrainingRun:
    """A run whose clock counts how often it is looked at: the same steps on every machine."""
    count = itertools.count()
    stages = frozenset(SMALL.paces)
    kwargs = {"dtype": torch.float32, "workers": 0, "report_every": 0.0} | kwargs
    return TrainingRun(
        folder,
        stages,
        compositor=compositor,
        clock=Clock(now=lambda: float(next(count))),
        **kwargs,
    )


@pytest.fixture(scope="module")
def parts():
    """A model, a mask VQ-VAE and a head with weights to begin from."""
    torch.manual_seed(0)
    vae = MaskVQVAE().requires_grad_(False).eval()
    learner = prepare(TrainingRun(None, frozenset()), SMALL, vae, build_tokenizer())
    return learner, DenseHead(24, SMALL.num_names)


def curves(folder) -> dict[str, list[dict]]:
    return {part: MetricsLog(folder / f"{part}.jsonl").rows() for part in SMALL.paces}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """All stages, three times: by OpenCV, by OpenCV again, and the way a GPU goes."""
    torch.set_num_threads(1)
    folders = {name: tmp_path_factory.mktemp(name) for name in ("first", "again", "torch")}
    for name, folder in folders.items():
        run = a_run(folder / "run", "torch" if name == "torch" else "opencv")
        stages = [stage for stage in STAGES if stage not in ("export", "eval")]
        train(run, SMALL, folder / "out", stages)
    return {name: curves(folder / "run") for name, folder in folders.items()}


class TestLosses:
    def test_the_same_seed_gives_the_same_losses(self, runs):
        assert all(len(rows) > 1 for rows in runs["first"].values())
        assert runs["first"] == runs["again"]

    def test_another_seed_gives_others(self, runs, tmp_path):
        run = a_run(tmp_path, seed=2)
        train(run, SMALL, tmp_path / "out", ["vq"])
        assert curves(tmp_path)["vq"][0]["loss"] != runs["first"]["vq"][0]["loss"]

    @pytest.mark.parametrize("stage", ["vision", "decoder", "joint"])
    def test_the_way_of_a_gpu_gives_the_losses_of_a_cpu(self, runs, stage):
        """Most of them to a few parts in 100,000. Where a mask differs by a pixel, one of about a
        thousand codes is another, and so is one word of a batch's answers.
        """
        ours, theirs = runs["first"][stage], runs["torch"][stage]
        assert [row["steps"] for row in ours] == [row["steps"] for row in theirs]
        for a, b in zip(ours, theirs, strict=True):
            assert a.keys() == b.keys()
            assert b["loss"] == pytest.approx(a["loss"], rel=2e-3)


class TestAudit:
    """What would fail on a GPU, found without one."""

    def test_it_finds_a_tensor_left_behind(self):
        layer = nn.Linear(3, 3)
        with DeviceAudit(layer) as audit:
            layer(torch.ones(2, 3, device="cpu"))
            assert not audit.mixes
            layer(torch.ones(2, 3))
        assert len(audit.mixes) == 1 and "linear" in audit.mixes[0]

    def test_it_knows_what_a_gpu_allows(self):
        there = torch.ones(4, 3).to(CUDA_LIKE)
        with DeviceAudit() as audit:
            there = there.to(CUDA_LIKE)
            there[torch.tensor([0, 2])] = torch.tensor(1.5)
            (there.mT * torch.tensor(2.0)).sum().item()
            assert not audit.mixes
            torch.ones(4)[there[:, 0].long()]
        assert len(audit.mixes) == 1

    def stage(self, tmp_path, module) -> TrainingStage:
        opt = adamw([(list(module.parameters()), 1e-3)], 0.0)
        return TrainingStage(tmp_path, "part", 1.0, module, opt, dtype=torch.float32)

    def audited(self, parts, monkeypatch, make) -> list[str]:
        """Make a step and call it twice, without the updates -> every mix of devices."""
        learner, head = parts
        for module in (vision, decoder):
            monkeypatch.setattr(module, "update", lambda *_: None)
        sprites_on.cache_clear()
        with DeviceAudit(learner.model, learner.vae, head) as audit:
            step = make()
            step(0.5)
            step(0.9)
        return audit.mixes

    @pytest.fixture
    def run(self, tmp_path) -> TrainingRun:
        return a_run(tmp_path, "torch", device=CUDA_LIKE)

    def test_stage_vision_leaves_nothing_behind(self, parts, run, tmp_path, monkeypatch):
        learner, head = parts

        def make() -> VisionStep:
            tower = learner.model.model.vision_tower
            step = VisionStep(tower, head, learner.vae, self.stage(tmp_path, head))
            step.alone = step.data = scene_batches(run, learner.recipe, 6, seed=1, start=0)
            return step

        assert self.audited(parts, monkeypatch, make) == []

    def test_stage_decoder_leaves_nothing_behind(self, parts, run, tmp_path, monkeypatch):
        learner, head = parts[0], DenseHead(32, SMALL.num_names)

        def make() -> DecoderStep:
            stage = self.stage(tmp_path, learner.model.model.language_model)
            step = DecoderStep(learner, head, stage, np.random.default_rng(1), 6, is_first=True)
            data = scene_batches(run, learner.recipe, 6, seed=1, start=0)
            step.bank = FeatureBank(learner, data, 12, stage)
            return step

        assert self.audited((learner, head), monkeypatch, make) == []

    def test_stage_joint_leaves_nothing_behind(self, parts, run, tmp_path, monkeypatch):
        learner, head = parts

        def make() -> JointStep:
            step = JointStep(learner, head, self.stage(tmp_path, head), np.random.default_rng(1))
            step.data = scene_batches(run, learner.recipe, 4, seed=1, start=0)
            return step

        assert self.audited(parts, monkeypatch, make) == []

    @pytest.mark.parametrize("is_first", [True, False], ids=["vq", "polish"])
    def test_stage_vq_leaves_nothing_behind(self, run, monkeypatch, tmp_path, is_first):
        model = MaskVQVAE()
        codes = CodebookAverage(model)
        masks, rng = np.zeros((8, 64, 64), np.uint8), np.random.default_rng(1)
        masks[:, 20:40, 10:50] = 255
        monkeypatch.setattr(mask_vae, "update", lambda *_: None)
        stage = self.stage(tmp_path, model)
        stage.device = run.device
        with DeviceAudit(model, codes) as audit:
            if is_first:
                stage.steps = mask_vae.REVIVE_EVERY - 1
                VqStep(model, codes, stage, masks, rng, 4)(0.1)
            else:
                PolishStep(model, stage, masks, rng, 4)(0.1)
        assert audit.mixes == []


class TestPicking:
    def test_a_device_that_is_not_here_is_an_error_in_words(self, monkeypatch):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        with pytest.raises(DeviceError, match="no CUDA device is here; take cpu or auto"):
            pick_device("cuda")
        assert pick_device("auto") == pick_device("cpu") == torch.device("cpu")

    def test_auto_takes_the_gpu_where_there_is_one(self, monkeypatch):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        assert pick_device("auto").type == pick_device("cuda").type == "cuda"
        assert pick_device("cpu").type == "cpu"

    def test_a_cpu_is_tried_out(self, monkeypatch):
        seconds = {torch.bfloat16: 1.0, torch.float32: 2.0}
        monkeypatch.setattr(
            "gemma_vision.optimization.precision._seconds", lambda dtype: seconds[dtype]
        )
        assert pick_dtype(torch.device("cpu")) == torch.bfloat16
        seconds[torch.bfloat16] = 3.0
        assert pick_dtype(torch.device("cpu")) == torch.float32

    def test_most_cores_draw_beside_a_gpu(self, monkeypatch):
        monkeypatch.setattr("os.cpu_count", lambda: 6)
        assert pick_workers(torch.device("cuda")) == 4
        assert pick_workers(torch.device("cpu")) == 1


def test_processes_beside_each_other_draw_different_scenes(monkeypatch):
    draws = SceneSampler(SceneRecipe(28, 2, 4), 1)
    alone = next(iter(draws))[0]
    for process, is_same in ((0, True), (1, False)):
        worker = SimpleNamespace(id=process)
        monkeypatch.setattr("training.data.sampling.get_worker_info", lambda worker=worker: worker)
        assert (next(iter(draws))[0] == alone) is is_same


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # on a machine of one core
@pytest.mark.parametrize("compositor", ["opencv", "torch"])
def test_processes_draw_beside_the_training(compositor):
    alone = TrainingRun(None, frozenset(), compositor=compositor, workers=0)
    beside = dataclasses.replace(alone, workers=2)
    recipe = SceneRecipe(28, 2, 4)
    first, second = itertools.islice(scene_batches(beside, recipe, 4, seed=1, start=0), 2)
    expected = next(scene_batches(alone, recipe, 4, seed=1, start=0))
    assert all(torch.equal(first[key], expected[key]) for key in expected)
    assert not torch.equal(first["pixels"], second["pixels"])


def test_a_report_is_one_line_of_json(runs):
    assert all("NaN" not in json.dumps(row) for rows in runs["first"].values() for row in rows)


class TestQuickAttention:
    def test_products_in_bfloat16_are_those_of_float32_to_its_precision(self):
        rng = torch.Generator().manual_seed(5)
        queries, keys, values = (torch.randn(2, 3, 36, 64, generator=rng) for _ in range(3))
        expected = nn.functional.scaled_dot_product_attention(queries, keys, values)
        with quick_attention(torch.device("cpu")):
            assert torch.backends.cuda.fp16_bf16_reduction_math_sdp_allowed()
            got = nn.functional.scaled_dot_product_attention(
                *(tensor.bfloat16() for tensor in (queries, keys, values))
            )
        assert got.dtype == torch.bfloat16
        assert (got - expected).abs().max() < 0.02 * expected.abs().max()

    def test_the_setting_is_put_back_after_an_error(self):
        before = torch.backends.cuda.fp16_bf16_reduction_math_sdp_allowed()
        with pytest.raises(KeyError), quick_attention(torch.device("cpu")):
            raise KeyError
        assert torch.backends.cuda.fp16_bf16_reduction_math_sdp_allowed() is before
