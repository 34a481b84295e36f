"""What a person can ask for is checked at the door, in words."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gemma_vision.requests.option_checks import read_options
from gemma_vision.requests.options import LANGUAGES
from gemma_vision.requests.request import Request, Turn
from gemma_vision.requests.tasks import Task
from gemma_vision.requests.validation import TaskError

CONTROL_TOKENS = """
<image> <loc0000> <loc1023> <loc1024> <seg000> <seg127> <bos> <eos> <pad> <unk> <start_of_turn>
<end_of_turn> <start_of_image> <end_of_image> <image_soft_token> <unused99>
"""


@pytest.mark.parametrize(
    "changes, code",
    [
        pytest.param({"text": ""}, "E_NO_NAMES", id="no names"),
        pytest.param({"text": " ; ,\n"}, "E_NO_NAMES", id="separators only"),
        pytest.param({"task": "segment", "text": ";"}, "E_NO_NAMES", id="nothing to segment"),
        pytest.param({"task": "ask", "text": "  "}, "E_NO_TEXT", id="no question"),
        pytest.param({"task": "free", "text": ""}, "E_NO_TEXT", id="no prompt"),
        pytest.param({"text": "\u200b ; \ufeff"}, "E_NO_NAMES", id="names that nobody sees"),
        pytest.param({"task": "ask", "text": "\u200b\u2060"}, "E_NO_TEXT", id="nothing is seen"),
        pytest.param({"task": "chat", "text": ""}, "E_NO_TEXT", id="no message"),
        pytest.param({"task": "fly"}, "E_TASK", id="unknown task"),
        pytest.param({"task": "fly\n" * 99}, "E_TASK", id="a poem for a task"),
        pytest.param({"text": None}, "E_TEXT", id="text is nothing"),
        pytest.param({"text": "x" * 4001}, "E_TEXT_TOO_LONG", id="too long"),
        pytest.param({"task": "caption", "text": "<image>"}, "E_CONTROL_TOKEN", id="unread text"),
        pytest.param({"language": "xx"}, "E_LANGUAGE", id="unknown language"),
        pytest.param({"language": "en\n<image>"}, "E_LANGUAGE", id="language with a token"),
        pytest.param({"max_tokens": 0}, "E_MAX_TOKENS", id="no tokens"),
        pytest.param({"max_tokens": 4097}, "E_MAX_TOKENS", id="too many tokens"),
        pytest.param({"max_tokens": 2.5}, "E_MAX_TOKENS", id="half a token"),
        pytest.param({"max_tokens": True}, "E_MAX_TOKENS", id="a truth for a number"),
        pytest.param({"temperature": -0.1}, "E_TEMPERATURE", id="cold"),
        pytest.param({"temperature": float("nan")}, "E_TEMPERATURE", id="not a number"),
        pytest.param({"temperature": "1"}, "E_TEMPERATURE", id="a string for a number"),
        pytest.param({"seed": -1}, "E_SEED", id="negative seed"),
        pytest.param({"seed": 2**63}, "E_SEED", id="seed too large"),
        pytest.param({"min_score": 1.5}, "E_MIN_SCORE", id="surer than sure"),
        pytest.param({"max_overlap": -1}, "E_MAX_OVERLAP", id="negative overlap"),
        pytest.param({"image": None}, "E_NO_IMAGE", id="no picture"),
        pytest.param({"image": ()}, "E_NO_IMAGE", id="no pictures"),
        pytest.param({"image": ("a", None)}, "E_NO_IMAGE", id="one of two missing"),
        pytest.param({"image": ("a", "b")}, "E_TOO_MANY_IMAGES", id="two pictures to detect in"),
        pytest.param(
            {"task": "caption", "image": ("a",) * 17}, "E_TOO_MANY_IMAGES", id="17 pictures"
        ),
        pytest.param({"turns": (Turn("user", "a"),)}, "E_TURNS", id="detect with turns"),
        pytest.param(
            {"task": "chat", "turns": (Turn("user", "a"),)}, "E_TURNS", id="two users in a row"
        ),
        pytest.param(
            {"task": "chat", "turns": (Turn("model", "a"), Turn("user", "b"))},
            "E_TURNS",
            id="model begins",
        ),
        pytest.param({"text": "cat \ud800"}, "E_TEXT", id="half a character"),
        pytest.param({"task": "ask", "text": "\udfff?"}, "E_TEXT", id="the other half"),
        pytest.param({"temperature": 10**400}, "E_TEMPERATURE", id="beyond floats"),
        pytest.param({"temperature": 10**5000}, "E_TEMPERATURE", id="beyond printing"),
        pytest.param({"temperature": float("inf")}, "E_TEMPERATURE", id="infinite"),
        pytest.param({"temperature": 1j}, "E_TEMPERATURE", id="imaginary"),
        pytest.param({"min_score": -(10**400)}, "E_MIN_SCORE", id="far below"),
        pytest.param({"max_overlap": 10**400}, "E_MAX_OVERLAP", id="far above"),
        pytest.param({"seed": np.float32(3)}, "E_SEED", id="a float for a seed"),
        pytest.param({"seed": np.bool_(True)}, "E_SEED", id="a truth for a seed"),
        pytest.param({"drop_repeats": "false"}, "E_DROP_REPEATS", id="a word for a truth"),
        pytest.param({"drop_full_frame": []}, "E_DROP_FULL_FRAME", id="a list for a truth"),
        pytest.param({"drop_unasked": "no"}, "E_DROP_UNASKED", id="a word for another truth"),
        pytest.param({"task": "caption", "drop_unasked": True}, "E_DROP_UNASKED", id="no names"),
        pytest.param({"pan_and_scan": "no"}, "E_PAN_AND_SCAN", id="no is no truth"),
        pytest.param({"pan_and_scan": 1}, "E_PAN_AND_SCAN", id="a number for a truth"),
        pytest.param({"pan_and_scan": None}, "E_PAN_AND_SCAN", id="nothing for a truth"),
        pytest.param({"task": "caption", "region": (0, 0, 1, 10**400)}, "E_REGION", id="far out"),
        pytest.param({"task": "caption", "region": "0011"}, "E_REGION", id="a word for a region"),
        pytest.param(
            {"task": "caption", "region": (False, False, True, True)}, "E_REGION", id="four truths"
        ),
        *(
            pytest.param({"task": "chat", "turns": turns}, "E_TURNS", id=f"turns are {turns}")
            for turns in (5, None, "x", ["x"], [None], {"user": "x"})
        ),
    ],
)
def test_a_request_that_cannot_work_is_refused_in_one_sentence(changes, code):
    with pytest.raises(TaskError) as caught:
        Request(**{"image": "a.png", "task": "detect", "text": "cat"} | changes)
    message = str(caught.value)
    assert caught.value.code == code
    assert message.endswith(".")
    assert "\n" not in message


@pytest.mark.parametrize(
    "task, said", [("ask", "question"), ("free", "prompt"), ("chat", "message")]
)
def test_what_is_missing_is_called_by_its_name(task, said):
    with pytest.raises(TaskError, match=f"There is no {said}"):
        Request("a.png", task, " ")
    with pytest.raises(TaskError, match=f"^{task} needs a picture"):
        Request(None, task, "x")


def test_half_a_character_in_a_turn_is_refused():
    with pytest.raises(TaskError, match=r"U\+D800") as caught:
        Turn("user", "look \ud800")
    assert caught.value.code == "E_TEXT"


def test_numbers_and_truths_of_numpy_are_taken_as_pythons_own():
    request = Request(
        "a.png",
        "caption",
        max_tokens=np.int64(5),
        temperature=np.float32(0.5),
        seed=np.uint8(3),
        min_score=Fraction(1, 2),
        pan_and_scan=np.bool_(True),
        region=np.array([0, 0, 0.5, 1]),
    )
    numbers = (request.max_tokens, request.temperature, request.seed, request.min_score)
    assert numbers == (5, 0.5, 3, 0.5)
    assert [type(number) for number in numbers] == [int, float, int, float]
    assert request.pan_and_scan is True
    assert request.region == (0.0, 0.0, 0.5, 1.0)
    assert [type(edge) for edge in request.region] == [float] * 4


@pytest.mark.parametrize("token", CONTROL_TOKENS.split())
@pytest.mark.parametrize("task", [task for task in Task if task not in ("caption", "ocr")])
def test_control_tokens_are_refused_wherever_they_hide(token, task):
    for text in (token, f"cat {token}", f"cat{token}dog", token.upper()):
        with pytest.raises(TaskError) as caught:
            Request("a.png", task, text)
        assert caught.value.code == "E_CONTROL_TOKEN"
    with pytest.raises(TaskError):
        Turn("user", f"look: {token}")


@pytest.mark.parametrize("text", ["a < b > c", "<b>bold</b>", "<local>", "loc0001", "5 <seg> 6"])
def test_angle_brackets_alone_are_no_control_tokens(text):
    assert Request("a.png", "ask", text).text == text


@pytest.mark.parametrize(
    "text, names",
    [
        pytest.param("cat", ("cat",), id="one"),
        pytest.param("cat ; dog", ("cat", "dog"), id="semicolon"),
        pytest.param("cat;dog,bird\nfish", ("cat", "dog", "bird", "fish"), id="every separator"),
        pytest.param("  red   car ;; ", ("red car",), id="white space"),
        pytest.param("cat ; dog ; cat", ("cat", "dog"), id="each once"),
        pytest.param("\u732b\u3001\u72ac", ("\u732b", "\u72ac"), id="japanese"),
    ],
)
def test_names_are_read_from_the_text(text, names):
    assert Request("a.png", "detect", text).names == names


@given(st.text(max_size=60))
def test_names_hold_no_separators_and_read_back_the_same(text):
    try:
        names = Request("a.png", "detect", text).names
    except TaskError:
        return
    assert all(name and name == name.strip() for name in names)
    assert Request("a.png", "detect", " ; ".join(names)).names == names


def test_pictures_come_in_the_order_in_which_the_prompt_meets_them():
    turns = (Turn("user", "this?", ("a",)), Turn("model", "yes"), Turn("user", "and?", ["b", "c"]))
    request = Request("d", "chat", "now?", turns=(*turns, Turn("model", "no")))
    assert request.images == ("a", "b", "c", "d")
    assert Request(["a", "b"], "caption").images == ("a", "b")


@pytest.mark.parametrize(
    "image", [np.zeros((2, 2, 3), np.uint8), b"bytes", "path", Image.new("RGB", (2, 2))]
)
def test_one_picture_of_any_kind_counts_as_one(image):
    assert len(Request(image, "caption").images) == 1


def test_a_request_never_prints_pictures_or_words():
    turns = (Turn("user", "secret words"), Turn("model", "secret answer"))
    request = Request("/secret/path.png", "chat", "secret question", turns=turns)
    assert "secret" not in repr(request) + repr(turns)


@pytest.mark.parametrize(
    ("task", "name", "given", "read"),
    [
        ("caption", "language", "JA", "ja"),
        ("caption", "language", " En ", "en"),
        ("caption", "language", "english", "en"),
        ("caption", "language", "Japanese", "ja"),
        ("caption", "style", "Describe", "describe"),
        ("detect", "decoding", "EXACT", "exact"),
        ("caption", "budget", np.int64(280), 280),
    ],
)
def test_choices_are_read_in_letters_of_any_size(task, name, given, read) -> None:
    request = Request(Image.new("RGB", (8, 8)), task, "cat", **{name: given})
    assert getattr(request, name) == read and type(getattr(request, name)) is type(read)
    assert read_options(task, {name: given}) == {name: read}


def test_every_language_of_the_checkpoints_is_taken():
    assert len(LANGUAGES) == 35
    for language in LANGUAGES:
        assert Request("a.png", "caption", language=language).language == language
