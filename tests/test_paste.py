"""An answer from elsewhere reads the same as one of our own, without a model."""

from __future__ import annotations

import json

import pytest
from fake_engine import CAT_AND_DOG, CAT_WITH_MASK, fake_pipeline

from gemma_vision.images import ImageError
from gemma_vision.paste import MAX_ANSWER, paste, read
from gemma_vision.tasks import TaskError
from postprocess.policies import PolicyError

SIZE = (640, 480)


@pytest.mark.parametrize("text", [CAT_AND_DOG, "a cat", "", "<loc0001> odd ; ; <seg999>"])
def test_pasted_text_reads_as_a_models_answer(picture, text):
    own = fake_pipeline(text, policy="space").free(picture, "x").to_dict()
    pasted = read(text, SIZE)
    for instance in own["instances"]:
        instance["score"] = None  # nobody knows how sure the other system was
    for key in ("text", "plain", "image", "policy", "warnings", "instances"):
        assert pasted[key] == own[key], key
    assert pasted.keys() == own.keys()
    assert json.loads(json.dumps(pasted)) == pasted


@pytest.mark.parametrize("name", ["published", "embedded", "nowhere.npz"])
def test_without_the_decoder_there_are_boxes_and_a_notice(name, monkeypatch, tmp_path):
    monkeypatch.setattr("gemma_vision.decoders.CHECKPOINTS", tmp_path)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    answer = read(CAT_WITH_MASK, SIZE, mask_decoder=name)
    assert [one["mask"] for one in answer["instances"]] == [None]
    assert [warning["code"] for warning in answer["warnings"]] == ["no_mask_decoder"]


def test_codes_of_the_embedded_checkpoint_become_masks():
    (instance,) = paste(CAT_WITH_MASK, SIZE, mask_decoder="embedded").instances
    assert instance.mask.shape == (480, 640)
    assert read(CAT_WITH_MASK, SIZE, mask_decoder="embedded")["policy"] == "bigvision"


def test_no_decoder_asked_for_is_no_reason_to_warn():
    answer = read(CAT_WITH_MASK, SIZE)
    assert (answer["instances"][0]["mask"], answer["warnings"]) == (None, [])


@pytest.mark.parametrize(
    "size, error",
    [
        pytest.param((0, 5), ImageError, id="empty"),
        pytest.param((99_999, 99_999), ImageError, id="too large"),
        pytest.param((6.5, 5), TaskError, id="half a pixel"),
        pytest.param((True, 5), TaskError, id="a truth"),
        pytest.param(("6", 5), TaskError, id="a string"),
    ],
)
def test_a_size_that_no_picture_has_is_refused(size, error):
    with pytest.raises(error):
        read("cat", size)


def test_a_pasted_answer_is_tidied_on_request_and_says_so():
    text = " ; ".join([CAT_WITH_MASK] * 3 + ["<loc0000><loc0000><loc1023><loc1023> sky"])
    whole, tidy = read(text, SIZE), read(text, SIZE, drop_repeats=True, drop_full_frame=True)
    assert [len(answer["instances"]) for answer in (whole, tidy)] == [4, 1]
    codes = [warning["code"] for warning in tidy["warnings"]]
    assert [codes.count(code) for code in ("removed_repeat", "removed_full_frame")] == [2, 1]
    with pytest.raises(TaskError, match=r"from 0\.0 to 1\.0") as caught:
        read(text, SIZE, max_overlap=2)
    assert caught.value.code == "E_MAX_OVERLAP"


def test_an_unknown_policy_is_refused_in_words():
    with pytest.raises(PolicyError, match="space and bigvision"):
        read("cat", SIZE, policy="other")


def test_an_endless_answer_is_refused():
    with pytest.raises(TaskError, match="limit"):
        read("x" * (MAX_ANSWER + 1), SIZE)
