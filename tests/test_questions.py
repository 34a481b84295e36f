"""A question in anybody's words is asked in the checkpoint's own, or told to be none of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fake_engine import FakeEngine
from PIL import Image

import gemma_vision
from gemma_vision.checkpoints.bounds.notes import check_notes
from gemma_vision.errors import CheckpointError
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.interpretation.questions import FORMS, QuestionSet, questions_of
from gemma_vision.requests.prompts import PALIGEMMA
from gemma_vision.requests.request import Request
from gemma_vision.requests.variants import limit_to
from gemma_vision.synthetic import prompts

SCENE = Path(gemma_vision.__file__).parent / "web" / "examples" / "scene-1.jpg"
NAMES = ("cat", "dog", "apple", "fish", "cactus", "umbrella")
TAUGHT = QuestionSet(tuple(FORMS), NAMES)

READ = [
    ("how many cats are there?", "how many cats are there?"),
    ("How many cats are there?", "how many cats are there?"),
    ("HOW MANY CATS ARE THERE", "how many cats are there?"),
    ("how many cat are there?", "how many cats are there?"),
    ("How many kittens do you see in this picture?", "how many cats are there?"),
    ("How many fish?", "how many fish are there?"),
    ("Count the cactuses, please.", "how many cacti are there?"),
    ("What is the number of apples?", "how many apples are there?"),
    ("please tell me how many dogs there are", "how many dogs are there?"),
    ("Is there a cat?", "is there a cat?"),
    ("Is there an Apple in the picture?", "is there an apple?"),
    ("Are there any umbrellas?", "is there an umbrella?"),
    ("Can you see a puppy?", "is there a dog?"),
    ("Please tell me do you see a dog", "is there a dog?"),
    ("Tell me does the image show a cat?", "is there a cat?"),
    ("Does this picture contain a fish", "is there a fish?"),
    ("Is the cat there?", "is there a cat?"),
    ("Is a cat in the picture?", "is there a cat?"),
    ("are cats here", "is there a cat?"),
    ("Is a dog visible in this image?", "is there a dog?"),
    ("Can a cat be seen?", "is there a cat?"),
    ("Any cats?", "is there a cat?"),
    ("Isn\u2019t there a cat?", "is there a cat?"),
    ("arent there any dogs in it", "is there a dog?"),
    ("Can't you see a cat?", "is there a cat?"),
    ("Don't you see a dog here?", "is there a dog?"),
    ("Doesn't the picture show a fish?", "is there a fish?"),
    ("Is there at least one fish", "is there a fish?"),
    ("how many of the dogs do you see", "how many dogs are there?"),
    ("How many cats does it have?", "how many cats are there?"),
    ("how many apples does the picture show", "how many apples are there?"),
    ("How many dogs can be seen here?", "how many dogs are there?"),
    ("What is left of the dog?", "what is left of the dog?"),
    ("What\u2019s on the right side of the cat?", "what is right of the cat?"),
    ("Which thing is to the LEFT of the apple?", "what is left of the apple?"),
    ("Which thing is the biggest?", "which thing is the biggest?"),
    ("What is the largest thing in this picture?", "which thing is the biggest?"),
    ("猫は何匹いますか", "how many cats are there?"),
    ("この写真に犬は何匹いますか\uff1f", "how many dogs are there?"),
    ("りんごはいくつありますか。", "how many apples are there?"),
    ("何匹の猫がいますか?", "how many cats are there?"),
    ("ネコの数は?", "how many cats are there?"),
    ("猫の数を数えてください", "how many cats are there?"),
    ("猫 は 何匹?", "how many cats are there?"),
    ("猫はいますか?", "is there a cat?"),
    ("犬がいる?", "is there a dog?"),
    ("画像の中に傘はありますか", "is there an umbrella?"),
    ("魚は写っていますか?", "is there a fish?"),
    ("犬の左には何がありますか?", "what is left of the dog?"),
    ("りんごの右側にあるものは何ですか", "what is right of the apple?"),
    ("一番大きいものは何ですか?", "which thing is the biggest?"),
]
OTHERS = [
    "What is this?",
    "What colour is the cat?",
    "How many birds are there?",
    "How many things are there?",
    "How many cats are on the left?",
    "How many cats and dogs are there?",
    "Is there a red cat?",
    "Is there no cat?",
    "Isn't there no cat?",
    "Is there not a cat?",
    "Don't you see no dogs?",
    "Is the cat asleep?",
    "Is the red cat there?",
    "Is the cat on the left there?",
    "Is the cat not there?",
    "Is it here?",
    "Isn't the cat there?",
    "Are there no dogs in it?",
    "Is the cat and the dog in the picture?",
    "What is left of the bird?",
    "Which dog is the biggest?",
    "cat",
    "鳥は何匹いますか",
    "赤い猫はいますか",
    "猫はどこにいますか",
    "猫は寝ていますか",
    "猫はいませんか",
    "猫と犬は何匹いますか",
    "これは何ですか",
    "猫",
    "is there " + "a " * 1000,
]


@pytest.mark.parametrize("said, taught", READ)
def test_a_question_is_read_as_the_taught_one(said: str, taught: str) -> None:
    assert TAUGHT.read(said) == taught


@pytest.mark.parametrize("said", OTHERS)
def test_another_question_is_none_of_them(said: str) -> None:
    assert TAUGHT.read(said) is None
    (notice,) = TAUGHT.find_doubts(said)
    assert notice.code == "unknown_question" and "how many cats are there?" in notice.message


@pytest.mark.parametrize(
    "said, about",
    [
        ("Is there a zebra?", "zebra"),
        ("Is there no zebra?", "zebra"),
        ("Aren't there any zebras?", "zebras"),
        ("Is there not a zebra?", "zebra"),
        ("Is there no cat?", None),
        ("Is the zebra there?", "zebra"),
        ("How many people are there in this picture?", "people"),
        ("What is left of the traffic light?", "traffic light"),
        ("シマウマはいますか?", "シマウマ"),
        ("How many cats are there?", None),
        ("How many cats and dogs are there?", None),
        ("Is there a red cat?", None),
        ("How many things are there?", None),
        ("Which thing is the biggest?", None),
        ("What colour is the zebra?", None),
        ("Is there " + "one more of those " * 9, None),
    ],
)
def test_a_thing_that_is_not_known_is_told_by_its_name(said: str, about: str | None) -> None:
    assert TAUGHT.find_unknown(said) == about
    told = [one.message for one in TAUGHT.find_doubts(said) if "does not know" in one.message]
    assert len(told) == (about is not None)
    assert all(repr(about) in message for message in told)


def test_only_other_words_are_told_and_not_the_size_of_letters() -> None:
    assert not list(TAUGHT.find_doubts("HOW MANY CATS ARE THERE"))
    (notice,) = TAUGHT.find_doubts("How many kittens do you see?")
    assert notice.code == "read_as"
    assert (
        notice.message == "'How many kittens do you see?' was read as 'how many cats are there?'."
    )


def test_a_kind_that_is_not_listed_is_not_read() -> None:
    few = QuestionSet(("is_there",), NAMES)
    assert few.read("Is there a cat?") == "is there a cat?"
    assert few.read("How many cats are there?") is None
    assert few.examples == ["is there a cat?"]


def test_examples_are_read_as_themselves() -> None:
    assert len(TAUGHT.examples) == len(FORMS)
    assert [TAUGHT.read(one) for one in TAUGHT.examples] == TAUGHT.examples
    alone = QuestionSet(tuple(FORMS), ("cat",))
    assert alone.examples[0] == "how many cats are there?"


@pytest.mark.parametrize("kinds, names", [((), NAMES), (("how_many",), ()), (("weather",), NAMES)])
def test_without_a_list_any_question_is_asked_as_it_is(
    kinds: tuple[str, ...], names: tuple[str, ...]
) -> None:
    assert questions_of(kinds, names) is None
    family = limit_to(PALIGEMMA, "own", {"questions": list(kinds), "names": list(names)})
    pipeline = Pipeline(FakeEngine("2"), family)
    picture = Image.new("RGB", (64, 64))
    answer = pipeline.run(Request(picture, "ask", "Is There a Cat?"))
    assert answer.prompt == "answer en Is There a Cat?" and not answer.warnings


def test_what_scenes_are_asked_is_read_as_it_is() -> None:
    things = [
        prompts.TargetObject("cat", (0.1, 0.1, 0.4, 0.4), (0,) * 16),
        prompts.TargetObject("cactus", (0.5, 0.5, 0.9, 0.9), (0,) * 16),
    ]
    drawn = np.random.default_rng(7)
    asked = {prompts.ask(drawn, things, NAMES)[0] for _ in range(200)}
    for prompt in asked:
        question = prompt.removeprefix("answer en ")
        taught = TAUGHT.read(question)
        assert taught is not None
        if not question.startswith("how many"):
            assert taught == question.rstrip(" ?") + "?"


def test_the_embedded_checkpoint_takes_capital_letters() -> None:
    pipeline = gemma_vision.load("tiny")
    small, large, other = (
        pipeline.ask(SCENE, question)
        for question in ("is there a cat?", "IS THERE A CAT", "Do you see a cat here?")
    )
    assert small.prompt == large.prompt == other.prompt == "answer en is there a cat?"
    assert small.text == large.text == other.text == "yes"
    assert [one.code for one in other.warnings] == ["read_as"] and not large.warnings
    strange = pipeline.ask(SCENE, "What is this?")
    assert [one.code for one in strange.warnings] == ["unknown_question"]


def test_notes_with_questions_of_no_kind_are_refused() -> None:
    with pytest.raises(CheckpointError, match="questions; wanted is a list of how_many, is_there"):
        check_notes({"questions": ["weather"]})
