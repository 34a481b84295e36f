"""Every family is asked in its own words, and refuses what it was never taught."""

from __future__ import annotations

import pytest
from PIL import Image
from tiny_models import make_tokenizer

from gemma_vision.requests.options import LANGUAGES
from gemma_vision.requests.prompts import FAMILIES, GEMMA3, PALIGEMMA, PALIGEMMA2
from gemma_vision.requests.request import Request, Turn
from gemma_vision.requests.tasks import Task
from gemma_vision.requests.validation import TaskError

PICTURE = Image.new("RGB", (8, 8))


def ask(task: str, text: str = "", **options) -> Request:
    return Request(options.pop("image", PICTURE), Task(task), text, **options)


@pytest.mark.parametrize("family", [PALIGEMMA, PALIGEMMA2], ids=lambda family: family.name)
@pytest.mark.parametrize(
    "request_, prompt",
    [
        pytest.param(ask("detect", "cat"), "detect cat", id="one name"),
        pytest.param(
            ask("detect", " cat ;dog,, red  car\n"), "detect cat ; dog ; red car", id="names"
        ),
        pytest.param(ask("segment", "cat ; dog"), "segment cat ; dog", id="segment"),
        pytest.param(
            ask("detect", "Cat ; CAT ; Stra\u00dfe"), "detect cat ; stra\u00dfe", id="small letters"
        ),
        pytest.param(ask("ask", "Is it a Cat?"), "answer en Is it a Cat?", id="words as they are"),
        pytest.param(ask("caption"), "caption en", id="caption"),
        pytest.param(ask("caption", language="ja"), "caption ja", id="caption in Japanese"),
        pytest.param(ask("ask", "what is it? "), "answer en what is it?", id="question"),
        pytest.param(ask("ask", "was?", language="de"), "answer de was?", id="German question"),
        pytest.param(ask("ocr"), "ocr", id="ocr"),
        pytest.param(ask("free", "the left dog"), "the left dog", id="bare sentence"),
        pytest.param(ask("free", "{names} {}"), "{names} {}", id="braces are words"),
    ],
)
def test_the_words_of_a_task(family, request_: Request, prompt: str) -> None:
    assert family.write_prompt(request_) == prompt


@pytest.mark.parametrize(
    "text, views, laid_out",
    [
        pytest.param("ocr", [1], "<image><bos>ocr\n", id="one picture"),
        pytest.param("ocr\n\n", [1, 1], "<image><image><bos>ocr\n", id="newline once"),
        pytest.param("", [], "<bos>\n", id="nothing"),
    ],
)
def test_pictures_bos_and_newline_come_once(text: str, views: list[int], laid_out: str) -> None:
    assert PALIGEMMA.lay_out(text, views) == laid_out


def test_a_conversation_is_told_in_turns() -> None:
    request = ask(
        "chat",
        "and this? ",
        turns=(Turn("user", "what is it?", (PICTURE, PICTURE)), Turn("model", "a cat ")),
    )
    assert GEMMA3.write_prompt(request) == (
        "<start_of_turn>user\n<start_of_image><start_of_image>what is it?<end_of_turn>\n"
        "<start_of_turn>model\na cat<end_of_turn>\n"
        "<start_of_turn>user\n<start_of_image>and this?<end_of_turn>\n"
        "<start_of_turn>model\n"
    )


def test_what_a_system_says_stands_before_the_first_words_alone() -> None:
    """Gemma 3 has no turn of its own for it."""
    turns = (Turn("system", " Be short. "), Turn("user", "what is it?"), Turn("model", "a cat"))
    assert GEMMA3.write_prompt(ask("chat", "sure?", turns=turns)) == (
        "<start_of_turn>user\nBe short.\n\nwhat is it?<end_of_turn>\n"
        "<start_of_turn>model\na cat<end_of_turn>\n"
        "<start_of_turn>user\n<start_of_image>sure?<end_of_turn>\n"
        "<start_of_turn>model\n"
    )


SHOWN = "\n\n<start_of_image><image_soft_token><end_of_image>\n\n"


@pytest.mark.parametrize(
    "views, told",
    [
        pytest.param([1], SHOWN, id="whole"),
        pytest.param(
            [3],
            f"Here is the original image {SHOWN} and here are some crops to help you see better "
            f"{SHOWN} {SHOWN}",
            id="two crops",
        ),
    ],
)
def test_views_of_a_picture_are_told(views: list[int], told: str) -> None:
    assert GEMMA3.lay_out("a<start_of_image>b", views) == f"<bos>a{told}b"


@pytest.mark.parametrize("views", [[], [1, 1]], ids=["too few", "too many"])
def test_pictures_without_a_place_are_refused(views: list[int]) -> None:
    with pytest.raises(TaskError, match="room for 1 pictures"):
        GEMMA3.lay_out("a<start_of_image>b", views)


@pytest.mark.parametrize(
    "family, request_, said",
    [
        pytest.param(GEMMA3, ask("detect", "cat"), "Gemma 3 cannot detect; it can", id="detect"),
        pytest.param(GEMMA3, ask("segment", "cat"), "cannot segment", id="segment"),
        pytest.param(PALIGEMMA, ask("chat", "hi"), "PaliGemma cannot chat", id="chat"),
        pytest.param(
            PALIGEMMA2, ask("caption", pan_and_scan=True), "leave pan-and-scan off", id="crops"
        ),
    ],
)
def test_what_a_family_was_never_taught_is_refused(family, request_: Request, said: str) -> None:
    with pytest.raises(TaskError, match=said):
        family.write_prompt(request_)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_every_mark_is_one_token_of_the_familys_tokenizer(family) -> None:
    tokenizer = make_tokenizer(family.name)
    for mark in (family.image_token, family.image_mark, "<bos>", *family.stop_tokens):
        if mark:
            assert len(tokenizer.encode(mark, add_special_tokens=False).ids) == 1


def test_every_language_is_said_by_its_name() -> None:
    assert len(LANGUAGES) == 35
    assert "in Japanese" in GEMMA3.write_prompt(ask("caption", language="ja"))
