"""Fine-tuning from the command line: a folder of pictures in, one that loads out, or a sentence."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_models import make_model, save

import gemma_vision
from gemma_vision.checkpoints.mask_decoder_files import open_decoder
from gemma_vision.cli import main
from gemma_vision.cli.arguments import build, parse_arguments
from gemma_vision.cli.finetune.arguments import given
from gemma_vision.finetuning.learning.learn import mix_of, open_for
from gemma_vision.finetuning.options import plan_of
from gemma_vision.finetuning.plan import OPTIONS, FinetuneError, FinetunePlan, default_text
from gemma_vision.finetuning.plan_checks import check_plan
from gemma_vision.finetuning.preparation import prepare
from gemma_vision.finetuning.program import finetune_plan, set_threads
from gemma_vision.finetuning.results.model_card import CardFacts, listed, write_card
from gemma_vision.finetuning.run_folder import Beginning, begin, check_begun
from gemma_vision.synthetic.scene_dataset import write_dataset
from training.scenes import indices

BASE = ["--threads", "1", "--device", "cpu"]
WARNS = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")  # of PEFT


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Six scenes with two names that no checkpoint here knows."""
    folder = tmp_path_factory.mktemp("data")
    only = indices("guitar ; clock")
    write_dataset(11, 6, folder, side=64, names=2, only=only)
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    """A PaliGemma of random weights without a decoder: its codes would mean nothing."""
    return save(make_model(), tmp_path_factory.mktemp("base"))


def without_masks(data: Path, folder: Path) -> Path:
    coco = json.loads((data / "annotations.json").read_text())
    for row in coco["annotations"]:
        del row["segmentation"]
    for row in coco["images"]:
        (folder / row["file_name"]).write_bytes((data / row["file_name"]).read_bytes())
    (folder / "annotations.json").write_text(json.dumps(coco))
    return folder


@pytest.fixture(scope="module")
def adapted(data, base, tmp_path_factory, short_answers) -> tuple[Path, list[str]]:
    """A run through the command line with LoRA: its output, and the words typed."""
    pytest.importorskip("peft", reason="PEFT is not installed")
    folder = tmp_path_factory.mktemp("adapted")
    (folder / "data").mkdir()
    words = ["finetune", str(without_masks(data, folder / "data")), "--name", "mine"]
    words += ["--out", str(folder / "out"), "--model", str(base), "--lora", "--rank", "2"]
    words += ["--steps", "3", "--batch", "2", "--runs", str(folder / "runs"), *BASE]
    assert main(words) == 0
    return folder / "out", words


@WARNS
class TestProgram:
    def test_the_folder_loads_and_answers(self, adapted, picture) -> None:
        answer = gemma_vision.load(adapted[0], device="cpu").detect(picture, "clock", max_tokens=8)
        assert answer.to_dict()["finish"] in ("stop", "length")
        assert answer.policy == "bigvision"

    def test_the_card_tells_before_and_after_and_the_command(self, adapted) -> None:
        card = (adapted[0] / "README.md").read_text()
        assert card.startswith("---\nlibrary_name: peft\n")  # nobody said what its licence is
        assert "adapted to find clock and guitar" in card
        assert "| recall50 | 0.000 |" in card and "--lora" in card and "--rank 2" in card
        assert str(adapted[0].parent) not in card  # nobody's folders are shown around
        assert "Learned from 5 pictures" in card and "1 picture was put aside" in card

    def test_a_finished_run_is_gone_on_with_by_writing_it_again(self, adapted, capsys) -> None:
        out, words = adapted
        card = (out / "README.md").read_text()
        (out / "README.md").unlink()
        assert main([*words, "--resume"]) == 0
        assert (out / "README.md").read_text().split("## Made with")[0] == card.split("## Made")[0]

    @pytest.mark.parametrize(
        "more, said",
        [
            pytest.param([], "holds files already", id="no resume"),
            pytest.param(["--resume", "--seed", "3"], "begun with seed 1", id="seed"),
            pytest.param(["--resume", "--rank", "4"], "begun with rank 2", id="rank"),
        ],
    )
    def test_a_run_is_never_mixed_with_another(self, adapted, more, said, capsys) -> None:
        assert main([*adapted[1], *more]) == 2
        assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "change, said",
    [
        pytest.param({"name": "a/b"}, "cannot be a name", id="name"),
        pytest.param({"seed": 900_000}, "not for learning", id="evaluation seed"),
        pytest.param({"seed": -1}, "not for learning", id="negative seed"),
        pytest.param({"minutes": 0.0}, "more than nothing", id="no time"),
        pytest.param({"batch": 0}, "more than nothing", id="no pictures"),
        pytest.param({"minutes": float("nan")}, "--minutes is nan", id="minutes that are none"),
        pytest.param({"minutes": float("inf")}, "--minutes is inf", id="no end"),
        pytest.param({"minutes": -1.0}, "--minutes is -1", id="less than no time"),
        pytest.param({"rate": float("nan")}, "--rate is nan", id="no rate"),
        pytest.param({"rate": 0.0}, "--rate is 0", id="a rate that teaches nothing"),
        pytest.param({"rank": 0}, "--rank is 0", id="no rank"),
        pytest.param({"old_scenes": -1}, "--old-scenes is -1", id="fewer than no scenes"),
        pytest.param({"out": Path(__file__) / "out"}, "cannot be made", id="no place"),
        pytest.param({"held_out": 1.0}, "between 0 and 1", id="all held out"),
        pytest.param({"held_out": float("nan")}, "between 0 and 1", id="no share"),
    ],
)
def test_wishes_that_cannot_be_granted_are_refused(change, said, tmp_path) -> None:
    plan = FinetunePlan(tmp_path, "mine", tmp_path / "out", runs=tmp_path / "runs")
    with pytest.raises(FinetuneError, match=said):
        check_plan(replace(plan, **change), resume=False)
    assert not (tmp_path / "runs").exists()


def test_there_has_to_be_something_to_go_on_with(tmp_path) -> None:
    plan = FinetunePlan(tmp_path, "mine", tmp_path / "out", runs=tmp_path / "runs")
    with pytest.raises(FinetuneError, match="leave --resume out"):
        check_begun(plan, resume=True)
    check_begun(plan, resume=False)
    begin(plan, Beginning({"seed": 1}, "base", {"cups": "one"}))
    check_begun(plan, resume=False)  # nothing was learned yet
    (plan.state / "finetune.safetensors").touch()
    with pytest.raises(FinetuneError, match="pass --resume"):
        check_begun(plan, resume=False)
    check_begun(plan, resume=True)


@pytest.mark.parametrize(
    "changed, said",
    [
        pytest.param({"settings": {"seed": 2}}, "begun with seed 1", id="settings"),
        pytest.param({"base": "other"}, "another checkpoint", id="base"),
        pytest.param({"data": {"cups": "two"}}, "annotations of cups have changed", id="data"),
    ],
)
def test_a_run_is_gone_on_with_by_what_it_began_with(changed, said, tmp_path) -> None:
    plan = FinetunePlan(tmp_path, "mine", tmp_path / "out", runs=tmp_path / "runs")
    began = Beginning({"seed": 1}, "base", {"cups": "one"})
    begin(plan, began)
    (plan.state / "finetune.safetensors").touch()
    begin(plan, began)
    with pytest.raises(FinetuneError, match=said):
        begin(plan, replace(began, **changed))


@pytest.mark.parametrize(
    "words, said",
    [
        pytest.param({"finetune": "gone"}, "Name a COCO file, or a folder", id="no folder"),
        pytest.param({"--model": "gone"}, "There is no model 'gone'", id="no model"),
        pytest.param({"--device": "tpu"}, "no tpu device", id="no device"),
        pytest.param({"--device": ""}, "'' is no device's name", id="an empty device"),
        pytest.param({"--device": "cpu:x"}, "'cpu:x' is no device's name", id="half a device"),
        pytest.param({"--minutes": "nan"}, "--minutes is nan", id="minutes that are none"),
        pytest.param({"--threads": "0"}, "--threads is 0", id="no threads"),
        pytest.param({"--out": f"{__file__}/out"}, "cannot be made", id="no place"),
        pytest.param({"--runs": f"{__file__}/runs"}, "cannot be made", id="no place of state"),
        pytest.param({"--rehearse": "gone"}, "Name a COCO file, or a folder", id="no rehearsal"),
    ],
)
def test_the_command_line_ends_in_a_sentence(words, said, data, tmp_path, capsys) -> None:
    typed = {"finetune": str(data), "--name": "mine", "--out": str(tmp_path / "out")}
    typed |= {"--runs": str(tmp_path / "runs")} | words
    assert main([part for pair in typed.items() for part in pair]) == 2
    told = capsys.readouterr().err.strip()
    assert said in told and "Traceback" not in told and len(told.splitlines()) == 1


def test_boxes_without_masks_leave_outlining_to_what_is_rehearsed(data, tmp_path) -> None:
    (tmp_path / "data").mkdir()
    plan = FinetunePlan(
        without_masks(data, tmp_path / "data"), "mine", tmp_path / "out", runs=tmp_path / "runs"
    )
    prepared = prepare(plan, resume=False, tell=lambda sentence: None)
    decoder = open_decoder("embedded")
    mix = mix_of(prepared, open_for(prepared, torch.device("cpu")), decoder)
    (old,) = mix.old
    assert mix.new.sampler.encoder is None and old.sampler.encoder is decoder
    assert (mix.batch, mix.num_old) == (8, 2)
    assert {"cat", "guitar", "clock"} <= set(old.sampler.names)
    assert set(mix.new.sampler.names) == {"guitar", "clock"}
    masked = prepare(
        replace(plan, data=data, name="masked"), resume=False, tell=lambda sentence: None
    )
    mix = mix_of(masked, open_for(masked, torch.device("cpu")), decoder)
    assert mix.new.sampler.encoder is decoder


def test_a_model_is_never_written_over(data, base, capsys) -> None:
    words = ["finetune", str(data), "--name", "mine", "--out", str(base), "--model", str(base)]
    assert main([*words, "--resume"]) == 2
    assert "is the model itself" in capsys.readouterr().err


def test_options_become_a_plan(tmp_path) -> None:
    words = ["finetune", "a", "--name", "n", "--out", "b", "--lora", "--tower", "--rate", "1e-4"]
    plan = plan_of(given(parse_arguments([*words, "--no-mirror", "--held-out", "0.3"])))
    lora = plan.lora_options(is_small=False)
    assert (lora.rank, lora.alpha, lora.targets) == (16, 32.0, "tower")
    assert (plan.rate, plan.mirror, plan.held_out) == (1e-4, False, 0.3)
    assert plan.budget == ("minutes", 10.0)


def test_what_is_left_out_is_as_the_plan_has_it() -> None:
    plan = plan_of(given(parse_arguments(["finetune", "a", "--name", "n", "--out", "b"])))
    assert plan == FinetunePlan(Path("a"), "n", Path("b"))


@pytest.mark.parametrize("name", OPTIONS)
def test_the_help_tells_the_defaults_of_the_plan(name) -> None:
    parser = build()[1]["finetune"]
    actions = [action for action in parser._actions if action.dest == name]
    assert actions and OPTIONS[name].metadata["about"] in actions[0].help
    told = default_text(name)
    assert not told or f"(default: {told})" in actions[0].help


def test_cards_spell_lists_and_missing_figures() -> None:
    assert [listed(names) for names in (["a"], ["a", "b"], ["a", "b", "c"])] == [
        "a",
        "a and b",
        "a, b and c",
    ]
    keys = ("recall50", "recall75", "ap50", "mean_box_iou", "miou", "absent_empty")
    found = {"things": 4, "recall50": 0.5, "miou": None}
    scores = {"new": dict.fromkeys(keys) | {"n_images": 3, "n_objects": 4, "recall50": 0.5}}
    scores["new"]["names"] = {"a": found}
    card = write_card(FACTS, scores, scores)
    assert "| recall50 | 0.500 | 0.500 |" in card and "| miou | \u2013 | \u2013 |" in card
    assert "| a | 4 | 0.500 | 0.500 | \u2013 |" in card
    assert "license: apache-2.0" in card and "library_name" not in card
    assert "base_model" not in card and "Forgotten" not in card
    poor = {"new": scores["new"] | {"mask_in_box": 0.5, "mask_in_box_mean_shape": 0.7}}
    assert "**Masks are not yet of use**" in write_card(FACTS, scores, poor)
    assert "Masks are not" not in card
    lost = replace(FACTS, forgotten=["cat", "dog"], unchecked=["cup"])
    assert "**Forgotten: cat and dog.**" in write_card(lost, scores, scores)
    assert "**Not asked about: cup.**" in write_card(lost, scores, scores)
    hub = replace(FACTS, base="google/a", hub_base="google/a", is_adapter=True, licence="")
    card = write_card(hub, scores, scores)
    assert "base_model: google/a\nbase_model_relation: adapter\n" in card
    assert "library_name: peft" in card and "icen" not in card  # nobody knows its licence


FACTS = CardFacts(
    name="n",
    base="tiny",
    names=["a"],
    num_learned=9,
    num_things=12,
    num_held=3,
    is_adapter=False,
    command="gemma-vision",
    duration="5 minutes of learning",
    steps=7,
    best_step=7,
    device="cpu",
    dtype="float32",
    date="2025-01-01",
    version="1",
    fingerprint="f",
    settings="s",
    licence="Apache-2.0",
)


@pytest.mark.slow
def test_the_embedded_checkpoint_learns_new_things_and_keeps_the_old(tmp_path, capsys) -> None:
    """A minute of one thread teaches little, but more than nothing, and forgets little."""
    write_dataset(12, 40, tmp_path / "data", side=160, names=1, only=indices("guitar"))
    plan = FinetunePlan(
        tmp_path / "data",
        "one",
        tmp_path / "out",
        minutes=2.0,
        batch=8,
        old_scenes=24,
        runs=tmp_path / "runs",
    )
    torch.set_num_threads(1)
    finetune_plan(plan, device="cpu")
    before, after = (
        json.loads((tmp_path / "runs" / "one" / f"{when}.json").read_text())["scores"]
        for when in ("before", "after")
    )
    assert after["new"]["mean_box_iou"] > before["new"]["mean_box_iou"] + 0.05
    assert after["old"]["recall50"] > before["old"]["recall50"] - 0.15
    answers = gemma_vision.load(tmp_path / "out")
    assert "guitar" in answers.card["names"] and "cat" in answers.card["names"]
    assert answers.card["drawings"] == gemma_vision.load("tiny").card["names"]


def test_threads_of_another_kind_end_in_a_sentence() -> None:
    with pytest.raises(FinetuneError, match="--threads is '2'; it has to be a whole number"):
        set_threads("2")
