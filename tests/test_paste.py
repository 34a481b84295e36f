"""An answer from elsewhere reads the same as one of our own, without a model."""

from __future__ import annotations

import json
import time
import tracemalloc

import numpy as np
import pytest
from fake_engine import CAT_AND_DOG, CAT_WITH_MASK, fake_pipeline

from gemma_vision.answers import answer_reader
from gemma_vision.answers.parse_answer import MAX_ANSWER, MAX_MASK_PIXELS, read, read_json
from gemma_vision.checkpoints.lazy_mask_decoder import lazy_decoder
from gemma_vision.images.opening import ImageError
from gemma_vision.requests.validation import TaskError
from gemma_vision.web.tabs.paste_run import parse_for_visitor
from postprocess.coordinate_conventions import ConventionError
from postprocess.instances import locate
from postprocess.tokens import Mention

SIZE = (640, 480)


@pytest.mark.parametrize("text", [CAT_AND_DOG, "a cat", "", "<loc0001> odd ; ; <seg999>"])
def test_pasted_text_reads_as_a_models_answer(picture, text):
    own = fake_pipeline(text, policy="space").free(picture, "x").to_dict()
    pasted = read_json(text, SIZE)
    for instance in own["instances"]:
        instance["score"] = None  # nobody knows how sure the other system was
    for key in ("text", "plain", "image", "policy", "warnings", "instances"):
        assert pasted[key] == own[key], key
    assert pasted.keys() == own.keys()
    assert json.loads(json.dumps(pasted)) == pasted


@pytest.mark.parametrize("name", ["published", "embedded", "nowhere.npz"])
def test_without_the_decoder_there_are_boxes_and_a_notice(name, monkeypatch, tmp_path):
    monkeypatch.setattr("gemma_vision.checkpoints.mask_decoder_files.CHECKPOINTS", tmp_path)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    answer = read_json(CAT_WITH_MASK, SIZE, mask_decoder=name)
    assert [one["mask"] for one in answer["instances"]] == [None]
    assert [warning["code"] for warning in answer["warnings"]] == ["no_mask_decoder"]


def test_codes_of_the_embedded_checkpoint_become_masks():
    (instance,) = read(CAT_WITH_MASK, SIZE, mask_decoder="embedded").instances
    assert instance.mask.shape == (480, 640)
    assert read_json(CAT_WITH_MASK, SIZE, mask_decoder="embedded")["policy"] == "bigvision"


def test_no_decoder_asked_for_is_no_reason_to_warn():
    answer = read_json(CAT_WITH_MASK, SIZE)
    assert (answer["instances"][0]["mask"], answer["warnings"]) == (None, [])


@pytest.mark.parametrize(
    "size, error",
    [
        pytest.param((0, 5), ImageError, id="empty"),
        pytest.param((99_999, 99_999), ImageError, id="too large"),
        pytest.param((6.5, 5), TaskError, id="half a pixel"),
        pytest.param((True, 5), TaskError, id="a truth"),
        pytest.param(("6", 5), TaskError, id="a string"),
        pytest.param(None, TaskError, id="nothing"),
        pytest.param((10,), TaskError, id="one side"),
        pytest.param((10, 10, 3), TaskError, id="three sides"),
        pytest.param(7, TaskError, id="a number"),
    ],
)
def test_a_size_that_no_picture_has_is_refused(size, error):
    with pytest.raises(error) as caught:
        read_json("cat", size)
    assert "PNG" not in str(caught.value)  # nobody gave a picture


def test_sides_of_numpy_are_sides():
    assert read_json("cat", tuple(np.array([6, 5])))["image"] == {"width": 6, "height": 5}


@pytest.mark.parametrize(
    "text, code", [(None, "E_TEXT"), (b"cat", "E_TEXT"), ("cat \ud800", "E_TEXT")]
)
def test_what_is_no_text_is_refused_in_words(text, code):
    with pytest.raises(TaskError) as caught:
        read_json(text, SIZE)
    assert caught.value.code == code


@pytest.mark.parametrize("name", ["drop_repeats", "drop_full_frame"])
def test_a_truth_is_no_word(name):
    with pytest.raises(TaskError, match="true or false") as caught:
        read_json("cat", SIZE, **{name: "false"})
    assert caught.value.code == f"E_{name.upper()}"
    assert read_json("cat", SIZE, **{name: np.bool_(False)})["finish"] == "stop"


def many_masks(count):
    """Records with masks of the whole picture, no two alike."""
    codes = "".join(f"<seg{code:03d}>" for code in range(16))
    return " ; ".join(
        f"<loc0000><loc0000><loc1023><loc1023> {codes} thing {n}" for n in range(count)
    )


def test_more_masks_than_memory_are_refused_before_any_is_drawn(monkeypatch):
    monkeypatch.setattr(
        "gemma_vision.checkpoints.lazy_mask_decoder.open_decoder", lambda name: pytest.fail("drawn")
    )
    size = (16_000, 5_000)
    count = MAX_MASK_PIXELS // (size[0] * size[1]) + 1
    with pytest.raises(TaskError, match=f"{count} masks.*16000 x 5000.*none") as caught:
        read_json(many_masks(count), size, mask_decoder="embedded")
    assert caught.value.code == "E_TOO_MANY_MASKS"
    with pytest.raises(TaskError):
        read(many_masks(count), size, mask_decoder="embedded")
    assert len(read_json(many_masks(count), size)["instances"]) == count  # boxes cost nothing


def test_copies_that_are_left_out_count_for_nothing(monkeypatch):
    monkeypatch.setattr("gemma_vision.answers.parse_answer.MAX_MASK_PIXELS", 640 * 480)
    text = " ; ".join([CAT_WITH_MASK] * 9)
    answer = read_json(text, SIZE, mask_decoder="embedded", drop_repeats=True)
    assert len(answer["instances"]) == 1
    assert answer["instances"][0]["mask"]


def test_the_json_holds_one_mask_at_a_time():
    size, count = (4_000, 2_500), 12
    read_json(many_masks(1), size, mask_decoder="embedded")  # what is loaded once is loaded
    tracemalloc.start()
    answer = read_json(many_masks(count), size, mask_decoder="embedded")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [bool(one["mask"]) for one in answer["instances"]] == [True] * count
    assert peak < (count - 1) * size[0] * size[1]


def test_the_json_and_the_objects_tell_the_same():
    text = f"{CAT_WITH_MASK} ; {CAT_AND_DOG} ; words"
    assert read_json(text, SIZE, mask_decoder="embedded") == (
        read(text, SIZE, mask_decoder="embedded").to_dict()
    )


DRAWN = json.dumps([{"box_2d": [1, 2, 300, 400], "label": "a", "mask": [[1, 2], [9, 9], [9, 2]]}])


@pytest.mark.parametrize("decoder", ["none", "embedded"])
@pytest.mark.parametrize("text", [f"{CAT_WITH_MASK} ; {CAT_AND_DOG} ; words", DRAWN])
def test_what_needs_no_drawing_is_located_once(text: str, decoder: str, monkeypatch) -> None:
    """Ten thousand boxes take half the time; what is said of each is the same."""
    drawn: list[Mention] = []

    def noted(mentions, *given):
        drawn.extend(mentions)
        return locate(mentions, *given)

    monkeypatch.setattr(answer_reader, "locate", noted)
    answer = read(text, SIZE, mask_decoder=decoder)
    again = locate(answer.mentions, SIZE, lazy_decoder(decoder), answer.policy)
    assert len(drawn) == sum(one.mask is not None for one in answer.instances) < 3
    for one, other in zip(answer.instances, again, strict=True):
        assert (one.label, one.box, one.pixels, one.score) == (
            other.label,
            other.box,
            other.pixels,
            other.score,
        )
        assert (one.mask is None) == (other.mask is None)


def test_a_pasted_answer_is_tidied_on_request_and_says_so():
    text = " ; ".join([CAT_WITH_MASK] * 3 + ["<loc0000><loc0000><loc1023><loc1023> sky"])
    whole, tidy = (
        read_json(text, SIZE),
        read_json(text, SIZE, drop_repeats=True, drop_full_frame=True),
    )
    assert [len(answer["instances"]) for answer in (whole, tidy)] == [4, 1]
    codes = [warning["code"] for warning in tidy["warnings"]]
    assert [codes.count(code) for code in ("removed_repeat", "removed_full_frame")] == [2, 1]
    with pytest.raises(TaskError, match=r"from 0\.0 to 1\.0") as caught:
        read_json(text, SIZE, max_overlap=2)
    assert caught.value.code == "E_MAX_OVERLAP"


def test_a_policy_is_named_in_letters_of_any_size() -> None:
    assert read(CAT_WITH_MASK, SIZE, policy=" SPACE ").policy == "space"


def test_an_unknown_policy_is_refused_in_words():
    with pytest.raises(ConventionError, match="space and bigvision"):
        read_json("cat", SIZE, policy="other")


def test_an_endless_answer_is_refused():
    with pytest.raises(TaskError, match="limit"):
        read_json("x" * (MAX_ANSWER + 1), SIZE)


def test_numbers_of_boxes_have_two_decimals_and_points_stand_beside_them():
    text = (
        '[{"point": [333, 667], "label": "cat", "score": 0.123456}, {"box_2d": [1, 2, 333, 667]}]'
    )
    dot, box = read(text, (999, 777)).to_dict()["instances"]
    assert (dot["point"], dot["score"]) == ([666.33, 258.74], 0.1235)
    assert dot["box"] == [666.33, 258.74, 666.33, 258.74]
    assert (box["point"], box["box"]) == (None, [2.0, 0.78, 666.33, 258.74])


def test_pixels_of_a_resized_picture_are_read_by_its_size():
    text = '[{"bbox_2d": [64, 64, 320, 640], "label": "cat"}]'
    (cat,) = read(text, SIZE, input_size=(640, 640)).instances
    assert cat.box == (64.0, 48.0, 320.0, 480.0)
    with pytest.raises(TaskError, match="no size"):
        read(text, SIZE, input_size=(640,))


def test_masks_that_an_answer_draws_count_for_memory(monkeypatch):
    monkeypatch.setattr("gemma_vision.answers.parse_answer.MAX_MASK_PIXELS", 640 * 480)
    one = '{"box_2d": [1, 2, 300, 400], "mask": [[1, 2], [300, 2], [300, 400]]}'
    assert read(f"[{one}]", SIZE).instances[0].mask.any()
    with pytest.raises(TaskError) as caught:
        read(f"[{one}, {one.replace('400', '401')}]", SIZE)
    assert caught.value.code == "E_TOO_MANY_MASKS"


@pytest.mark.parametrize(
    "text, code",
    [
        pytest.param("x" * 200_001, "E_TEXT_TOO_LONG", id="a long text"),
        pytest.param("<loc0001>" * 4 + "<seg001>" * 16 * 129, "E_TOO_MANY_MASKS", id="codes"),
        pytest.param("&lt;seg001&gt;" * 16 * 129, "E_TOO_MANY_MASKS", id="escaped codes"),
        pytest.param('{"mask": ""},' * 129, "E_TOO_MANY_MASKS", id="drawn masks"),
    ],
)
def test_what_would_keep_the_app_at_work_is_refused_over_the_network(text: str, code: str) -> None:
    begun = time.process_time()
    with pytest.raises(TaskError) as refusal:
        parse_for_visitor(text, (100, 100), "none")
    assert refusal.value.code == code and time.process_time() - begun < 0.5


def test_as_many_masks_as_are_allowed_are_read() -> None:
    record = "<loc0100><loc0100><loc0500><loc0500>" + "<seg001>" * 16 + " cat ; "
    assert len(parse_for_visitor(record * 128, (100, 100), "none")["instances"]) == 128
