"""Training: prompts say what scenes show, losses see only answers, stages go on after a stop."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from transformers import AutoProcessor, PaliGemmaForConditionalGeneration

from gemma_vision.optimization.stage import schedule
from gemma_vision.synthetic import prompts
from gemma_vision.synthetic.poses import EVALUATION_SEEDS
from gemma_vision.synthetic.prompts import TargetObject
from postprocess.tokens import parse
from postprocess.vqvae import MaskVQVAE
from training.data.samples import SceneStream
from training.data.sampling import MAX_THINGS, SceneRecipe, SceneSampler
from training.evaluation import evaluate_checkpoint, fingerprint
from training.model.language import SequenceLoss, prefix_mask
from training.model.tiny import ModelSizes, build_model, place_vectors
from training.model.tokenizer import SPECIALS, build_tokenizer
from training.presets import PRESETS, STAGES
from training.run import TrainingRun
from training.train import train

NAMES = ("cat", "dog", "car", "apple", "fish")
CODES = tuple(range(16))
THINGS = [
    TargetObject("dog", (0.1, 0.6, 0.5, 0.9), CODES),
    TargetObject("cat", (0.2, 0.5, 0.4, 0.6), CODES),
    TargetObject("cat", (0.0, 0.0, 0.3, 0.2), CODES),
]


@pytest.fixture(scope="module")
def tokenizer():
    return build_tokenizer()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The smoke preset, run once: its folders of state and of the checkpoint."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("smoke")
    train(a_run(folder / "run"), PRESETS["smoke"], folder / "out")
    return folder


def a_run(folder: Path) -> TrainingRun:
    parts = frozenset(part for stage in STAGES for part in PRESETS["smoke"].parts(stage))
    return TrainingRun(folder, parts, workers=0)


class TestPrompts:
    def test_answers_follow_the_prompt_and_then_the_picture_from_left_to_right(self):
        answer = prompts.locate_answer(THINGS, ["cat", "dog"], masked=False)
        found = [(mention.label, mention.box[1]) for mention in parse(answer)]
        assert found == [("cat", 0), ("cat", 512), ("dog", 614)]

    def test_places_are_bins_of_1023(self):
        assert THINGS[1].mention(masked=False).box == (205, 512, 409, 614)

    def test_absent_names_are_skipped(self):
        assert prompts.locate_answer(THINGS, ["fish", "car"], masked=True) == ""

    def test_a_detect_answer_is_what_the_prompt_asks_for(self):
        rng = np.random.default_rng(1)
        for _ in range(200):
            prompt, answer = prompts.detect(rng, THINGS, NAMES)
            asked = prompt.removeprefix("detect ").split(" ; ")
            assert len(set(asked)) == len(asked)
            labels = [mention.label for mention in parse(answer)]
            assert labels == [n for n in asked for t in THINGS if t.name == n]

    def test_masks_come_with_segment_only(self):
        rng = np.random.default_rng(2)
        answers = [prompts.segment(rng, THINGS, NAMES)[1] for _ in range(50)]
        mentions = [mention for answer in answers for mention in parse(answer)]
        assert mentions and all(mention.codes == CODES for mention in mentions)

    def test_a_caption_lists_everything_from_left_to_right(self):
        rng = np.random.default_rng(3)
        assert prompts.caption(rng, THINGS, NAMES)[1] == "two cats and a dog"
        assert prompts.caption(rng, [], NAMES)[1] == "nothing with a name"

    def test_questions_are_answered_truly(self):
        rng = np.random.default_rng(4)
        asked = dict(prompts.ask(rng, THINGS, NAMES) for _ in range(400))
        assert asked["answer en how many cats are there?"] == "2"
        assert asked["answer en how many apples are there?"] == "0"
        assert asked["answer en is there an apple?"] == "no"
        assert asked["answer en which thing is the biggest?"] == "dog"
        assert asked["answer en what is left of the dog?"] == "cat"
        assert asked["answer en what is right of the dog?"] == "nothing"


class TestTokenizer:
    @pytest.mark.parametrize("name", ["cat", "butterfly", "strawberry", "flower"])
    def test_a_name_is_one_piece(self, tokenizer, name):
        assert len(tokenizer.encode(f" {name}").ids) == 1

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("<loc0001><loc1023><loc0500><loc0007> cat ; ", id="record"),
            pytest.param("<seg000><seg127> dog", id="codes"),
            pytest.param("héllo 猫 <0x41>", id="bytes"),
            pytest.param("two  spaces\nand a line", id="white space"),
        ],
    )
    def test_text_survives(self, tokenizer, text):
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        assert tokenizer.decode(ids, skip_special_tokens=False) == text

    def test_positions_and_codes_are_contiguous_and_image_comes_last(self, tokenizer):
        first = tokenizer.token_to_id("<loc0000>")
        assert tokenizer.token_to_id("<loc1023>") == first + 1023
        assert tokenizer.token_to_id("<seg000>") == first + 1024
        assert tokenizer.token_to_id("<image>") == tokenizer.get_vocab_size() - 1
        assert [tokenizer.token_to_id(token) for token in SPECIALS] == [0, 1, 2, 3]


class TestLanguage:
    def test_the_prefix_sees_itself_and_the_answer_looks_back(self):
        mask = prefix_mask(torch.tensor([2, 3]), torch.tensor([4, 3]), 4)[:, 0]
        assert mask[0].int().tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]]
        assert mask[1].int().tolist() == [[1, 1, 1, 0]] * 4

    def test_the_loss_is_that_of_the_answer_one_step_ahead(self, tokenizer):
        language = SequenceLoss(tokenizer, NAMES)
        model = build_model(ModelSizes(text_layers=1, vision_layers=1), tokenizer, seed=0)
        soft = torch.randn(1, 64, 128)
        prefix, suffix = language.encode("caption en", "a cat and a dog")
        loss, _ = language.loss(model, soft, [(prefix, suffix)])
        decoder, known = model.model.language_model, 64 + len(prefix)
        embedded = torch.cat([soft, decoder.embed_tokens(torch.tensor([prefix + suffix]))], 1)
        length = embedded.shape[1]
        hidden = decoder(
            inputs_embeds=embedded,
            attention_mask=prefix_mask(torch.tensor([known]), torch.tensor([length]), length),
            position_ids=torch.arange(1, length + 1)[None],
        ).last_hidden_state
        logits = model.lm_head(hidden[0, known - 1 : -1])
        expected = nn.functional.cross_entropy(logits, torch.tensor(suffix))
        assert loss.item() == pytest.approx(expected.item(), abs=1e-4)

    def test_padding_changes_nothing(self, tokenizer):
        language = SequenceLoss(tokenizer, NAMES)
        model = build_model(ModelSizes(text_layers=1, vision_layers=1), tokenizer, seed=0)
        soft = torch.randn(2, 64, 128)
        short = language.encode("caption en", "a cat")
        long = language.encode("answer en is there a cat or a dog", "a cat")
        alone = [language.loss(model, soft[i : i + 1], [t])[0] for i, t in enumerate((short, long))]
        together, _ = language.loss(model, soft, [short, long])
        assert together.item() == pytest.approx((sum(alone) / 2).item(), abs=1e-5)

    def test_a_near_position_costs_less_than_a_far_one(self, tokenizer):
        language = SequenceLoss(tokenizer, NAMES)
        target = torch.tensor([language.first_place + 500])
        costs = []
        for guess in (500, 505, 700):
            logits = torch.zeros(1, tokenizer.get_vocab_size())
            logits[0, language.first_place + guess] = 12.0
            costs.append(language.token_loss(logits, target)[0].item())
        assert costs[0] < costs[1] < costs[2]

    def test_gradients_of_positions_are_blurred_and_others_are_not(self, tokenizer):
        language = SequenceLoss(tokenizer, NAMES)
        table = nn.Parameter(torch.zeros(tokenizer.get_vocab_size(), 1))
        language.smooth_place_gradients(table)
        row, word = language.first_place + 500, language.first_place - 2
        table[[row, word]].sum().backward()
        places = table.grad[language.first_place : language.first_place + 1024, 0]
        assert table.grad[word] == 1 and table.grad[word - 1] == 0
        assert places.argmax() == 500 and places.max() < 0.1
        assert places.sum().item() == pytest.approx(1, abs=1e-4)

    def test_vectors_of_neighbouring_positions_look_alike(self):
        vectors = place_vectors(128)
        assert vectors.norm(dim=1).allclose(torch.ones(1024))
        near, far = (vectors[500] @ vectors[501]).item(), (vectors[500] @ vectors[700]).item()
        assert near > 0.97 and abs(far) < 0.6


class TestSamples:
    def test_evaluation_seeds_are_refused(self):
        with pytest.raises(ValueError, match="evaluation only"):
            SceneSampler(SceneRecipe(112, 8, 16), EVALUATION_SEEDS)

    def test_patches_of_a_thing_lie_in_its_box(self):
        stream = iter(SceneStream(SceneSampler(SceneRecipe(112, 8, 16), 7)))
        rows, columns = np.divmod(np.arange(64), 8)
        for sample in (next(stream) for _ in range(40)):
            for index in np.flatnonzero(sample["names"] >= 0):
                owned = sample["owner"] == index
                y0, x0, y1, x1 = sample["boxes"][index] * 8
                assert (rows[owned] + 1 > y0).all() and (rows[owned] < y1).all()
                assert (columns[owned] + 1 > x0).all() and (columns[owned] < x1).all()
            assert sample["owner"].max() <= MAX_THINGS + 1


class TestStage:
    def test_the_rate_rises_then_falls_to_its_floor(self):
        rates = [schedule(p) for p in (0.0, 0.02, 0.5, 1.0)]
        assert rates[1] == pytest.approx(1.0)
        assert rates[0] < 0.05 and 0.4 < rates[2] < 0.6 and rates[3] == pytest.approx(0.02)


class TestSmoke:
    def test_every_stage_runs_and_writes_its_curve(self, trained):
        for stage in ("vq", "polish", "vision", "decoder", "masks", "joint"):
            rows = (trained / "run" / f"{stage}.jsonl").read_text().splitlines()
            assert json.loads(rows[-1])["steps"] > 0

    def test_the_folder_is_an_ordinary_checkpoint(self, trained):
        model, info = PaliGemmaForConditionalGeneration.from_pretrained(
            trained / "out", dtype=torch.float32, output_loading_info=True
        )
        assert not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
        processor = AutoProcessor.from_pretrained(trained / "out", backend="pil")
        assert processor.tokenizer.convert_tokens_to_ids("<image>") == model.config.image_token_id

    def test_a_finished_run_only_loads(self, trained):
        before = fingerprint(trained / "out")
        shutil.rmtree(trained / "out")
        train(a_run(trained / "run"), PRESETS["smoke"], trained / "out")
        assert (trained / "out" / "model.safetensors").stat().st_size < 10_000_000
        assert fingerprint(trained / "out") == before

    def test_the_checkpoint_is_asked_about_scenes_it_never_saw(self, trained):
        report = json.loads((trained / "run" / "eval.json").read_text())
        assert report["seed"] >= EVALUATION_SEEDS and report["n_images"] == 3
        assert report["checkpoint"] == fingerprint(trained / "out")
        assert {"recall50", "miou", "count_accuracy", "vq_iou", "vq_codes"} <= report.keys()

    def test_what_was_asked_is_not_asked_again(self, trained, monkeypatch):
        monkeypatch.setattr("gemma_vision.evaluate.running.examine", None)  # no picture is left
        kept = MaskVQVAE().eval()
        run, out = a_run(trained / "run"), trained / "out"
        report = evaluate_checkpoint(run, out, kept, names=4, scenes=3)
        assert report["n_images"] == 3

    def test_no_half_written_files_lie_about(self, trained):
        assert not [path for path in trained.rglob(".*")]
