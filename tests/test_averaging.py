"""Averaging: two moments of one training become one checkpoint."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from training.averaging import main

FILE = "model.safetensors"


def write(folder: Path, **tensors: torch.Tensor) -> str:
    folder.mkdir()
    save_file(tensors, folder / FILE)
    (folder / "config.json").write_text(f'"{folder.name}"')
    return str(folder)


def test_weights_are_the_mean_and_the_rest_is_the_later_ones(tmp_path: Path) -> None:
    one, other = torch.randn(2, 3, 4).to(torch.bfloat16)
    before, after = write(tmp_path / "before", w=one), write(tmp_path / "after", w=other)
    main([before, after, "--out", str(tmp_path / "out")])
    mean = load_file(tmp_path / "out" / FILE)["w"]
    assert torch.equal(mean, ((one.float() + other.float()) / 2).to(torch.bfloat16))
    assert (tmp_path / "out" / "config.json").read_text() == '"after"'


def test_the_later_one_may_count_for_more(tmp_path: Path) -> None:
    before, after = (
        write(tmp_path / "before", w=torch.zeros(2)),
        write(tmp_path / "after", w=torch.ones(2)),
    )
    main([before, after, "--out", str(tmp_path / "out"), "--share", "0.75"])
    assert load_file(tmp_path / "out" / FILE)["w"].tolist() == [0.75, 0.75]
    with pytest.raises(SystemExit):
        main([before, after, "--out", str(tmp_path / "out"), "--share", "2"])


def test_the_vector_that_ends_an_answer_may_be_shorter(tmp_path: Path) -> None:
    words = {"model.embed_tokens.weight": torch.ones(3, 2), "w": torch.ones(2)}
    before, after = write(tmp_path / "before", **words), write(tmp_path / "after", **words)
    (tmp_path / "after" / "generation_config.json").write_text('{"eos_token_id": 1}')
    main([before, after, "--out", str(tmp_path / "out"), "--end", "0.75"])
    made = load_file(tmp_path / "out" / FILE)
    assert made["model.embed_tokens.weight"].tolist() == [[1, 1], [0.75, 0.75], [1, 1]]
    assert torch.equal(made["w"], words["w"])
    with pytest.raises(SystemExit):
        main([before, after, "--out", str(tmp_path / "out"), "--end", "-1"])


@pytest.mark.parametrize("other", [{"v": torch.ones(2)}, {"w": torch.ones(3)}])
def test_of_two_trainings_nothing_is_made(tmp_path: Path, other: dict[str, torch.Tensor]) -> None:
    before, after = write(tmp_path / "a", w=torch.ones(2)), write(tmp_path / "b", **other)
    with pytest.raises(ValueError, match="one training"):
        main([before, after, "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()
