"""Options of fine-tuning as files and Python give them: paths, numbers, and what is neither."""

import json
from pathlib import Path

import pytest

from gemma_vision.cli.arguments import parse_arguments
from gemma_vision.cli.finetune.arguments import given
from gemma_vision.finetuning.options import plan_of, read_config_file
from gemma_vision.finetuning.plan import FinetuneError
from postprocess.__main__ import build_parser

NEEDED = {"data": "a", "name": "n", "out": "b"}


@pytest.mark.parametrize("name", ["data", "out", "val", "runs"])
@pytest.mark.parametrize("value", [2024, ["a", "b"], {"a": 1}, 5.5, True])
def test_what_is_no_path_is_refused_whichever_door_it_came_through(name, value, tmp_path) -> None:
    with pytest.raises(FinetuneError, match=f"{name} is .*; wanted is a path"):
        plan_of(NEEDED | {name: value})
    path = tmp_path / "options.json"
    path.write_text(json.dumps({name: value}))
    with pytest.raises(FinetuneError, match=f"{name} is .*; wanted is a path"):
        plan_of(NEEDED, read_config_file(path))


def test_a_number_beyond_all_measure_is_refused() -> None:
    with pytest.raises(FinetuneError, match="wanted is a whole number"):
        plan_of(NEEDED | {"steps": 10**400})


def test_a_model_and_a_decoder_beside_the_file_of_options_are_found(tmp_path) -> None:
    (tmp_path / "cups-model").mkdir()
    (tmp_path / "embedded").mkdir()
    (tmp_path / "codes.npz").touch()
    path = tmp_path / "tuning.yaml"
    path.write_text("model: cups-model\nmask_decoder: codes.npz\n")
    options = read_config_file(path)
    assert options == {
        "model": str(tmp_path / "cups-model"),
        "mask_decoder": str(tmp_path / "codes.npz"),
    }
    path.write_text("model: embedded\nmask_decoder: published\n")
    assert read_config_file(path) == {"model": "embedded", "mask_decoder": "published"}
    path.write_text("model: google/paligemma2-3b-mix-448\n")
    assert read_config_file(path) == {"model": "google/paligemma2-3b-mix-448"}


def test_the_home_of_somebody_is_known_at_every_door(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    words = ["finetune", "~/a", "--name", "n", "--out=~/b", "--config=~/c.yaml"]
    typed = parse_arguments(words)
    assert typed.config == tmp_path / "c.yaml"
    plan = plan_of(given(typed))
    assert (plan.data, plan.out) == (tmp_path / "a", tmp_path / "b")
    assert parse_arguments(["merge", "a", "--out=~/m"]).out == tmp_path / "m"
    convert = ["a", "--from", "coco", "--to", "csv", "--out=~/c", "--mask-decoder=~/d.npz"]
    typed = build_parser().parse_args(convert)
    assert (typed.out, typed.mask_decoder) == (tmp_path / "c", tmp_path / "d.npz")


def test_a_name_that_is_nobodys_home_is_a_name() -> None:
    assert plan_of(NEEDED | {"val": "~nobody-here/x"}).val == Path("~nobody-here/x")
    assert plan_of(NEEDED | {"data": "~nobody-here/x"}).data == Path("~nobody-here/x")
