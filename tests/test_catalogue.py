"""Listing checkpoints reads headers only; loading one gives a pipeline that knows itself."""

from __future__ import annotations

import json
import shutil

import pytest

import gemma_vision
from gemma_vision.errors import CheckpointError
from gemma_vision.registry.loading import (
    check_request,
    count_parameters,
    describe_folder,
    load,
    models,
)
from gemma_vision.requests.request import Request
from gemma_vision.requests.validation import TaskError

ROW = {"id", "family", "tasks", "side", "parameters", "licence", "here"}


def test_every_row_has_the_contracts_keys():
    rows = models()
    assert all(row.keys() == ROW for row in rows)
    assert len({row["id"] for row in rows}) == len(rows)
    chat = {row["family"] for row in rows if "chat" in row["tasks"]}
    assert chat == {"gemma3", "gemma4", "gemma4e"}
    assert json.loads(json.dumps(rows)) == rows


def test_the_embedded_checkpoint_comes_first_and_is_here():
    first = models()[0]
    assert (first["id"], first["here"]) == ("tiny", True)
    assert first["parameters"] < 5_000_000


def test_a_folder_describes_itself_without_its_weights(random_checkpoint):
    row = describe_folder("mine", random_checkpoint)
    assert (row["family"], row["side"]) == ("paligemma", 56)
    assert row["tasks"] == ["detect", "segment", "caption", "ask", "ocr", "free"]
    assert row["parameters"] == load(random_checkpoint).describe()["parameters"]


def test_a_broken_folder_is_left_out_of_the_list(tmp_path):
    (tmp_path / "config.json").write_text("{")
    assert describe_folder("broken", tmp_path) is None


def test_parameters_are_counted_from_every_shard(random_checkpoint, tmp_path):
    whole = count_parameters(random_checkpoint)
    for name in ("a.safetensors", "b.safetensors"):
        shutil.copy(random_checkpoint / "model.safetensors", tmp_path / name)
    weight_map = {"x": "a.safetensors", "y": "b.safetensors"}
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": weight_map}))
    assert count_parameters(tmp_path) == 2 * whole
    shutil.copy(random_checkpoint / "model.safetensors", tmp_path)  # which is taken instead
    assert count_parameters(tmp_path) == whole


def test_the_notes_of_a_checkpoint_shape_its_pipeline(random_checkpoint, tmp_path):
    folder = shutil.copytree(random_checkpoint, tmp_path / "noted")
    notes = {"policy": "bigvision", "tasks": ["detect", "ask"], "licence": "MIT", "names": ["cat"]}
    (folder / "gemma_vision.json").write_text(json.dumps(notes))
    pipeline = load(folder)
    row = pipeline.describe()
    assert pipeline.policy == "bigvision"
    assert (row["tasks"], row["licence"]) == (["detect", "ask"], "MIT")
    assert pipeline.card["names"] == ["cat"]
    assert row == describe_folder(folder.name, folder)


def test_a_checkpoint_without_notes_follows_the_public_space(random_checkpoint):
    pipeline = load(random_checkpoint)
    assert (pipeline.policy, pipeline.decoder.name) == ("space", "published")


def test_an_unknown_model_is_refused_in_words():
    with pytest.raises(CheckpointError, match="There is no model 'nothing'"):
        gemma_vision.load("nothing")


@pytest.mark.parametrize(
    "name, task, text, said",
    [
        pytest.param("google/gemma-3-4b-it", "detect", "cat", "cannot detect", id="family"),
        pytest.param(
            "google/paligemma-3b-ft-refcoco-seg-224", "ocr", "", "it can segment", id="ft"
        ),
        pytest.param("tiny", "chat", "hello", "tiny cannot chat", id="embedded"),
    ],
)
def test_what_a_checkpoint_cannot_do_is_known_before_it_is_fetched(
    name, task, text, said, picture, monkeypatch
):
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(TaskError, match=said):
        check_request(name, Request(picture, task, text))


@pytest.mark.parametrize("name", ["me/my-own", "/no/where", "google/paligemma-3b-mix-448"])
def test_nothing_is_refused_that_may_work(name, picture):
    check_request(name, Request(picture, "detect", "cat"))


def test_the_notes_of_a_folder_are_asked_too(random_checkpoint, tmp_path, picture):
    folder = shutil.copytree(random_checkpoint, tmp_path / "noted")
    (folder / "gemma_vision.json").write_text(json.dumps({"tasks": ["caption"]}))
    with pytest.raises(TaskError, match="it can caption"):
        check_request(folder, Request(picture, "detect", "cat"))


def test_a_real_engine_streams_what_it_runs(random_checkpoint, picture):
    pipeline = gemma_vision.load(random_checkpoint, device="cpu", dtype="float32")
    request = gemma_vision.Request(picture, "detect", "cat", max_tokens=6)
    answers = list(pipeline.stream(request))
    whole = pipeline.run(request)
    assert answers[-1].text == whole.text
    assert answers[-1].timing["tokens"] == whole.timing["tokens"] <= 6
    assert [a.text for a in pipeline.batch([request] * 3)] == [whole.text] * 3
