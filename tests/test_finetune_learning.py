"""Learning: only answers are learned, seen as at inference; what comes out loads everywhere."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tiny_models import make_model, make_tokenizer, save

from gemma_vision.checkpoints.config import read_notes
from gemma_vision.checkpoints.file_names import CHECKPOINTS
from gemma_vision.errors import CheckpointError
from gemma_vision.finetuning.data.data_mix import DataMix, MixComponent
from gemma_vision.finetuning.data.image_set import ImageObject, LabelledImage
from gemma_vision.finetuning.data.prompt_sampler import PromptSampler
from gemma_vision.finetuning.data.rehearsal import SceneSource
from gemma_vision.finetuning.learning.bases import drawings_of, find_base
from gemma_vision.finetuning.learning.budget import Budget
from gemma_vision.finetuning.learning.run import LearningRun
from gemma_vision.finetuning.learning.sequences import (
    answer_logits,
    collate,
    image_features,
    plain_loss,
    with_handicap,
)
from gemma_vision.finetuning.learning.trainee import Trainee, open_trainee, rates
from gemma_vision.finetuning.learning.update_step import UpdateStep, pixels_of
from gemma_vision.finetuning.plan import FinetuneError, LoraOptions
from gemma_vision.finetuning.results.writing import write_checkpoint
from gemma_vision.optimization.answer_loss import AnswerLoss
from gemma_vision.optimization.stage import adamw
from gemma_vision.synthetic.atlas import NAMELESS, load_atlas
from gemma_vision.weights.checkpoint import open_checkpoint

FAMILIES = ["paligemma", "paligemma2"]
TEXTS = [
    ("detect cat ; dog", "<loc0001><loc0002><loc0003><loc0004> cat"),
    ("detect a", "<loc0901><loc0902><loc0903><loc0904> a ; <loc0011><loc0012><loc0013><loc0014> a"),
]
CPU = torch.device("cpu")


@pytest.fixture(scope="module", params=FAMILIES)
def model(request):
    return make_model(request.param)


@pytest.fixture(scope="module")
def language() -> AnswerLoss:
    return AnswerLoss(make_tokenizer(), ["cat", "dog"])


@pytest.fixture(scope="module")
def soft(model) -> torch.Tensor:
    torch.manual_seed(1)
    return image_features(model, torch.rand(2, 3, 56, 56) * 2 - 1).detach()


def inputs_of(language: AnswerLoss, texts=TEXTS) -> dict[str, torch.Tensor]:
    return collate([language.encode(*text) for text in texts], 16, language.image, CPU)


@torch.no_grad()
def test_the_loss_is_that_of_transformers_with_the_prompt_masked(model, language, soft) -> None:
    torch.manual_seed(1)
    pixels = torch.rand(2, 3, 56, 56) * 2 - 1
    inputs = inputs_of(language)
    is_answer = (inputs["token_type_ids"] * inputs["attention_mask"]).bool()
    labels = inputs["input_ids"].masked_fill(~is_answer, -100)
    expected = model(**inputs, pixel_values=pixels, labels=labels).loss
    loss, _ = plain_loss(*answer_logits(model, soft, inputs))
    assert loss.item() == pytest.approx(expected.item(), abs=1e-5)


def test_codes_weigh_as_much_as_they_are_told_to() -> None:
    language = AnswerLoss(make_tokenizer(), ["cat"])
    codes = [language.first_code + number for number in (3, 90, 3)]
    targets = torch.tensor([language.first_place + 5, *codes, 700])
    logits = torch.randn(5, 257300, generator=torch.Generator().manual_seed(2))
    each = [language.token_loss(logits[i : i + 1], targets[i : i + 1])[0] for i in range(5)]
    for weight in (1.0, 0.25):
        language.code_weight = weight
        weights = [1.0, weight, weight, weight, 1.0]
        wanted = sum(w * one for w, one in zip(weights, each, strict=True)) / sum(weights)
        assert torch.allclose(language.token_loss(logits, targets)[0], wanted, atol=1e-5)


def test_only_answers_are_targets(model, language, soft) -> None:
    _, targets = answer_logits(model, soft, inputs_of(language))
    spelled = language.tokenizer.decode(targets.tolist(), skip_special_tokens=False)
    assert spelled == "".join(f"{answer}<eos>" for _, answer in TEXTS)


@torch.no_grad()
def test_an_answer_never_sees_what_comes_after(model, language, soft) -> None:
    logits, targets = answer_logits(model, soft, inputs_of(language))
    for place in (1, 3):
        other = inputs_of(language)
        row = other["input_ids"][0]
        first = int(other["token_type_ids"][0].argmax())
        row[first + place] = 300
        with_objects, _ = answer_logits(model, soft, other)
        assert torch.allclose(with_objects[: place + 1], logits[: place + 1], atol=1e-6)
        assert not torch.allclose(with_objects[place + 1], logits[place + 1], atol=1e-2)
    assert len(targets) == len(logits)


@torch.no_grad()
def test_the_prompt_sees_itself_both_ways_and_never_the_answer(model, language, soft) -> None:
    def hidden(inputs):
        from transformers.modeling_outputs import BaseModelOutputWithPooling

        seen = {"image": BaseModelOutputWithPooling(pooler_output=soft)}
        return model.model(**inputs, mm_encoder_outputs=seen).last_hidden_state

    inputs, other, longer = (inputs_of(language) for _ in range(3))
    first = int(inputs["token_type_ids"][0].argmax())
    other["input_ids"][0, first - 2] += 1  # the last word of the prompt
    longer["input_ids"][0, first + 1] += 1  # a word of the answer
    plain = hidden(inputs)[0]
    assert (hidden(other)[0, 0] - plain[0]).abs().max() > 1e-3
    assert torch.allclose(hidden(longer)[0, :first], plain[:first], atol=1e-6)


@torch.no_grad()
def test_only_the_first_end_of_an_answer_is_raised(model, language, soft) -> None:
    texts = [*TEXTS, ("detect dog", "")]
    inputs = inputs_of(language, texts)
    logits, targets = answer_logits(model, torch.cat([soft, soft[:1]]), inputs)
    moved = with_handicap(logits, inputs, 3.0) - logits
    with_objects = moved.abs().sum(1) > 1e-3
    starts = [targets.tolist().index(language.first_place + n) for n in (1, 901)]
    assert with_objects.nonzero().flatten().tolist() == [*starts, len(targets) - 1]
    assert torch.allclose(moved[with_objects][:, 1], torch.tensor(3.0), atol=1e-5)
    assert targets[-1] == 1


@torch.no_grad()
def test_padding_changes_nothing(model, language, soft) -> None:
    together, _ = answer_logits(model, soft, inputs_of(language))
    alone = [
        answer_logits(model, soft[i : i + 1], inputs_of(language, TEXTS[i : i + 1]))[0]
        for i in range(2)
    ]
    assert torch.allclose(together, torch.cat(alone), atol=1e-5)


@torch.no_grad()
def test_learning_sees_what_inference_sees(model, language, soft, tmp_path) -> None:
    checkpoint = open_checkpoint(save(model, tmp_path), "cpu")
    inputs = inputs_of(language, TEXTS[:1])
    first = int(inputs["token_type_ids"][0].argmax())
    ids = inputs["input_ids"][:, :first]
    torch.manual_seed(1)
    pixels = (torch.rand(2, 3, 56, 56) * 2 - 1)[:1]
    ours = checkpoint.model
    got, _ = ours.prefill(ids, torch.ones_like(ids, dtype=torch.bool), [ours.encode(pixels)])
    logits, _ = answer_logits(model, soft[:1], inputs)
    assert torch.allclose(got[0], logits[0], atol=1e-4)


class OnePicture:
    """A source with a single picture: a bright square."""

    def draw(self, rng: np.random.Generator) -> LabelledImage:
        pixels = np.zeros((56, 56, 3), np.uint8)
        pixels[10:40, 20:50] = 255
        return LabelledImage(pixels, (ImageObject("cat", (20, 10, 50, 40)),))


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    return save(make_model(), folder)


def mix(count: int = 2) -> DataMix:
    new = MixComponent(OnePicture(), PromptSampler(["cat", "dog"]), mirrored=False)
    return DataMix(new, (), count, 0)


def learner(base: Path, lora: LoraOptions | None = None) -> Trainee:
    return open_trainee(find_base(str(base)), CPU, lora, seed=1)


def train(trainee: Trainee, folder: Path, *, steps: int, rate: float) -> LearningRun:
    """So many steps, or those that are left of them in a folder."""
    kept = torch.nn.ParameterDict({n.replace(".", "/"): p for n, p in trainee.trained.items()})
    opt = adamw(rates(trainee, rate), 0.0)
    run = LearningRun(folder, kept, opt, Budget(steps=steps), seed=1)
    run.run(UpdateStep(trainee, mix(), opt))
    return run


@torch.no_grad()
def first_logits(folder: Path) -> torch.Tensor:
    """What a folder's model says first to one picture, through this library."""
    checkpoint = open_checkpoint(folder, "cpu")
    language = AnswerLoss(checkpoint.tokenizer, ["cat"])
    ids = torch.tensor([[language.image] * 16 + language.encode("detect cat", "")[0]])
    pixels = torch.linspace(-1, 1, 3 * 56 * 56).view(1, 3, 56, 56)
    real = torch.ones_like(ids, dtype=torch.bool)
    return checkpoint.model.prefill(ids, real, [checkpoint.model.encode(pixels)])[0][0]


@torch.no_grad()
def their_logits(trainee) -> torch.Tensor:
    """The same of a model in training."""
    language = AnswerLoss(trainee.tokenizer, ["cat"])
    texts = [(language.encode("detect cat", "")[0], [1])]
    pixels = torch.linspace(-1, 1, 3 * 56 * 56).view(1, 3, 56, 56)
    inputs = collate(texts, 16, language.image, CPU)
    return answer_logits(trainee.model, image_features(trainee.model, pixels), inputs)[0][0]


@pytest.fixture(scope="module")
def taught_lora(base, tmp_path_factory):
    """A student with LoRA, its weights before, and the folder it was written to."""
    pytest.importorskip("peft", reason="PEFT is not installed")
    trainee = learner(base, LoraOptions(rank=4))
    before = {n: p.detach().clone() for n, p in trainee.model.named_parameters()}
    folder = tmp_path_factory.mktemp("lora")
    train(trainee, folder / "run", steps=20, rate=2e-2)
    write_checkpoint(trainee, find_base(str(base)), folder / "out", decoder=None)
    return trainee, before, folder / "out"


@pytest.fixture(scope="module")
def taught_whole(base, tmp_path_factory):
    """A student that learned whole for some steps, and its folders."""
    trainee = learner(base)
    folder = tmp_path_factory.mktemp("whole")
    train(trainee, folder / "run", steps=12, rate=2e-3)
    write_checkpoint(trainee, find_base(str(base)), folder / "out", decoder=None)
    return trainee, folder


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")  # of PEFT
class TestLora:
    def test_only_its_own_matrices_learn_and_none_lies_in_the_tower(self, taught_lora) -> None:
        trainee, before, _ = taught_lora
        moved = {n for n, p in trainee.model.named_parameters() if not torch.equal(p, before[n])}
        assert moved and all("lora_" in name for name in moved)
        places = {name.split(".lora_")[0] for name in moved}
        assert all("language_model" in place for place in places)
        ends = {place.rsplit(".", 1)[1] for place in places}
        gates = {"gate_proj", "up_proj", "down_proj"}
        assert ends == {"q_proj", "k_proj", "v_proj", "o_proj"} | gates

    def test_the_folder_loads_here_and_says_the_same(self, taught_lora, base) -> None:
        trainee, _, out = taught_lora
        assert torch.allclose(first_logits(out), their_logits(trainee), atol=1e-4)
        assert (first_logits(out) - first_logits(base)).abs().max() > 0.05

    def test_the_folder_names_its_base_as_seen_from_itself(self, taught_lora, base) -> None:
        out = taught_lora[2]
        config = json.loads((out / "adapter_config.json").read_text())
        named = config["base_model_name_or_path"]
        assert not Path(named).is_absolute() and (out / named).resolve() == base.resolve()
        assert not (out / "model.safetensors").exists()

    def test_the_folder_says_how_strong_it_is(self, taught_lora) -> None:
        config = json.loads((taught_lora[2] / "adapter_config.json").read_text())
        assert (config["r"], config["lora_alpha"]) == (4, LoraOptions(rank=4).alpha)

    def test_alpha_is_as_it_is_asked_for(self, base) -> None:
        trainee = learner(base, LoraOptions(rank=4, alpha=6.0))
        assert trainee.lora_model.peft_config["default"].lora_alpha == 6.0
        layers = [m for m in trainee.model.modules() if hasattr(m, "lora_A")]
        assert layers and all(one.scaling["default"] == 1.5 for one in layers)

    def test_an_adapter_is_gone_on_with_as_one(self, taught_lora) -> None:
        trainee, _, out = taught_lora
        found = find_base(str(out))
        assert found.adapter == out.resolve()
        again = open_trainee(found, CPU, LoraOptions(), seed=1)
        assert torch.allclose(their_logits(again), their_logits(trainee), atol=1e-4)
        assert all("lora_" in name for name in again.trained) and again.trained

    def test_an_adapter_does_not_learn_whole(self, taught_lora) -> None:
        with pytest.raises(FinetuneError, match="is an adapter: go on with it by --lora"):
            open_trainee(find_base(str(taught_lora[2])), CPU, None, seed=1)

    def test_the_tower_learns_where_it_is_asked_to(self, base) -> None:
        trainee = learner(base, LoraOptions(rank=2, targets="tower"))
        assert any("vision_tower" in name for name in trainee.trained)
        assert all("lora_" in name for name in trainee.trained)


class TestWhole:
    def test_the_folder_has_the_names_and_types_of_its_base(self, taught_whole, base) -> None:
        before, after = (
            load_file(folder / "model.safetensors") for folder in (base, taught_whole[1] / "out")
        )
        assert {n: (t.shape, t.dtype) for n, t in before.items()} == {
            n: (t.shape, t.dtype) for n, t in after.items()
        }
        assert sum(not torch.equal(before[n], after[n]) for n in before) == len(before)

    def test_the_folder_loads_here_and_says_the_same(self, taught_whole) -> None:
        trainee, folder = taught_whole
        assert torch.allclose(first_logits(folder / "out"), their_logits(trainee), atol=1e-4)

    def test_a_run_goes_on_where_it_stopped(self, taught_whole, base) -> None:
        trainee, folder = taught_whole
        again = learner(base)
        run = train(again, folder / "run", steps=12, rate=2e-3)
        assert run.is_over and run.reached.steps == 12
        assert torch.allclose(their_logits(again), their_logits(trainee), atol=1e-6)

    def test_a_model_is_written_in_the_type_that_it_came_in(self, tmp_path) -> None:
        small = save(make_model().to(torch.bfloat16), tmp_path / "base")
        trainee = learner(small)
        assert {p.dtype for p in trainee.trained.values()} == {torch.float32}
        train(trainee, tmp_path / "run", steps=1, rate=2e-3)
        write_checkpoint(trainee, find_base(str(small)), tmp_path / "out", decoder=None)
        written = load_file(tmp_path / "out" / "model.safetensors")
        assert {tensor.dtype for tensor in written.values()} == {torch.bfloat16}

    def test_the_tower_goes_slower(self, base) -> None:
        trainee = learner(base)
        (tower, slow), (rest, quick) = rates(trainee, None)
        assert slow == pytest.approx(0.4 * quick)
        assert len(tower) + len(rest) == len(trainee.trained)
        assert {id(p) for p in tower} == {
            id(p) for p in trainee.model.model.vision_tower.parameters()
        }


@pytest.mark.parametrize("lora", [None, LoraOptions(rank=4)], ids=["whole", "lora"])
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")  # of PEFT
def test_losses_fall(lora, base, tmp_path) -> None:
    trainee = learner(base, lora)
    opt = adamw(rates(trainee, None), 0.0)
    for group in opt.param_groups:
        group["lr"] = 5e-3 if lora is None else 2e-2
    rng = np.random.default_rng(2)
    step = UpdateStep(trainee, mix(), opt)
    shown, texts = step.draw(rng)
    step.draw = lambda rng: (shown, texts)
    losses = [step.loss(shown, texts)[0].item() for _ in range(30) if step(rng, 0.5)]
    assert losses[-1] < (0.8 if lora is None else 0.9) * losses[0]  # the head stays as it is


def test_pictures_reach_the_tower_as_at_inference(base) -> None:
    from PIL import Image

    from gemma_vision.images.resizing import to_pixels

    trainee = learner(base)
    shown = OnePicture().draw(np.random.default_rng(0))
    expected = to_pixels(Image.fromarray(shown.pixels), 56)
    assert (pixels_of([shown], trainee)[0].numpy() == expected).all()


def test_long_answers_are_cut_and_their_end_is_not_learned(base) -> None:
    trainee = learner(base)
    step = UpdateStep(trainee, mix(), adamw(rates(trainee, None), 0.0))
    many = " ; ".join(["<loc0001><loc0002><loc0003><loc0004> cat"] * 60)
    _, suffix = step.encode("detect cat", many)
    assert len(suffix) == 256 and 1 not in suffix
    _, short = step.encode("detect cat", "<loc0001><loc0002><loc0003><loc0004> cat")
    assert short[-1] == 1


def test_what_is_rehearsed_are_the_drawings_of_the_embedded_checkpoint(base, tmp_path) -> None:
    names = drawings_of(CHECKPOINTS / "tiny")
    assert names == tuple(read_notes(CHECKPOINTS / "tiny")["names"]) and drawings_of(base) == ()
    rng = np.random.default_rng(1)
    seen = {thing.name for _ in range(60) for thing in SceneSource(names[:2]).draw(rng).objects}
    assert seen == set(names[:2])
    source = SceneSource(names, ["Hammers", "帽子", "bees"])
    assert len(source.only) == len(names)
    drawn = [NAMELESS[sprite - first_nameless()] for sprite in source.nameless]
    assert drawn and not {*drawn} & {*names, "hammer", "hat", "bee"}
    shutil.copyfile(CHECKPOINTS / "tiny" / "gemma_vision.json", tmp_path / "gemma_vision.json")
    assert drawings_of(tmp_path) == ()  # somebody's own folder may mean other cats


def first_nameless() -> int:
    """Distractors lie behind each other."""
    return int(load_atlas().variants(-1)[0])


def test_a_name_that_nobody_drew_is_not_said_to_be_kept(tmp_path) -> None:
    (tmp_path / "gemma_vision.json").write_text('{"drawings": ["cat", "unicorn"]}')
    assert drawings_of(tmp_path) == ("cat",)


def test_gemma_3_cannot_be_fine_tuned(tmp_path) -> None:
    with pytest.raises(CheckpointError, match="has no tokens for places"):
        find_base(str(save(make_model("gemma3"), tmp_path)))


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")  # of PEFT
def test_large_models_compute_activations_twice_and_learn_the_same(
    base, tmp_path, monkeypatch
) -> None:
    from gemma_vision.finetuning.learning import trainee as module

    losses = []
    for large in (10**9, 1):
        monkeypatch.setattr(module, "LARGE", large)
        trainee = learner(base, LoraOptions(rank=2))
        step = UpdateStep(trainee, mix(), adamw(rates(trainee, None), 0.0))
        loss, _ = step.loss(*step.draw(np.random.default_rng(1)))
        loss.backward()
        grads = [p.grad.abs().sum().item() for p in step.parameters if p.grad is not None]
        losses.append(
            (loss.item(), sum(grads), len(grads), trainee.model.is_gradient_checkpointing)
        )
    assert losses[0][:3] == pytest.approx(losses[1][:3], rel=1e-4)
    assert [row[3] for row in losses] == [False, True]
