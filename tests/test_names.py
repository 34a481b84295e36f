"""However people write names, they are understood or asked back, and never changed in secret."""

from __future__ import annotations

import json
import pickle
import time
from pathlib import Path

import pytest
from fake_engine import CAT_AND_DOG, FakeDecoder, FakeEngine
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gemma_vision.pipeline import Pipeline
from gemma_vision.registry.loading import check_request
from gemma_vision.requests.interpretation.names import (
    ParsedNames,
    UnknownNameError,
    as_text,
    names_of,
    read_names,
    split_names,
)
from gemma_vision.requests.interpretation.synonyms import GROUPS
from gemma_vision.requests.interpretation.vocabulary import is_one_slip, key, vocabulary_of
from gemma_vision.requests.prompts import PALIGEMMA
from gemma_vision.requests.request import Request
from gemma_vision.requests.validation import TaskError

ROOT = Path(__file__).parent.parent
NOTES = ROOT / "gemma_vision" / "checkpoints" / "tiny" / "gemma_vision.json"
KNOWN = names_of(json.loads(NOTES.read_text()))
SIXTEEN = KNOWN[:16]

# What is written, and the names that the embedded checkpoint is asked.
UNDERSTOOD = [
    ("cat", "cat"),
    ("Cat", "cat"),
    ("CATS", "cat"),
    ("the dog.", "dog"),
    ("a cat", "cat"),
    ("an apple!", "apple"),
    ("ball 🐶", "ball dog"),
    ("🐶🐱", "dog cat"),
    ("cat🐱 and a 🚲\ufe0f", "cat bicycle"),
    ("cat 👍 \u2764\ufe0f", "cat"),
    ("two 🐶 please", "dog"),
    ("all the cats", "cat"),
    ("find all dogs please", "dog"),
    ("please find the dog", "dog"),
    ("a photo of a cat", "cat"),
    ("pictures of butterflies", "butterfly"),
    ("is there a cat in the picture?", "cat"),
    ("how many dogs are there?", "dog"),
    ("Where are the cats and the dogs?", "cat dog"),
    ("can you show me my umbrella", "umbrella"),
    ("draw boxes around the cars", "car"),
    ("cut out the fish", "fish"),
    ("fishes", "fish"),
    ("cacti", "cactus"),
    ("cactuses", "cactus"),
    ("houses", "house"),
    ("cat and dog", "cat dog"),
    ("cat & dog", "cat dog"),
    ("cat/dog", "cat dog"),
    ("cat | dog", "cat dog"),
    ("cat + dog", "cat dog"),
    ("cat or dog", "cat dog"),
    ("cat, dog; car", "cat dog car"),
    ("cat\ndog\r\ncar", "cat dog car"),
    ("cat dog", "cat dog"),
    ("two cats, three dogs", "cat dog"),
    ("cat ; kitty ; CAT", "cat"),
    ("air plane", "airplane"),
    ("air-planes", "airplane"),
    ("\u201ccat\u201d", "cat"),
    ("['cat', 'dog']", "cat dog"),
    ("- cat\n- dog", "cat dog"),
    ("\uff43\uff41\uff54", "cat"),  # letters of full width
    ("kitty", "cat"),
    ("kittens", "cat"),
    ("puppy", "dog"),
    ("puppies", "dog"),
    ("bike", "bicycle"),
    ("my bike", "bicycle"),
    ("automobile", "car"),
    ("plane", "airplane"),
    ("aeroplanes", "airplane"),
    ("ship and sailboat", "boat"),
    ("soccer ball", "ball"),
    ("parasol", "umbrella"),
    ("猫", "cat"),
    ("ねこ", "cat"),
    ("ネコ", "cat"),
    ("\uff88\uff7a", "cat"),  # katakana of half width
    ("犬", "dog"),
    ("車", "car"),
    ("家", "house"),
    ("木", "tree"),
    ("りんご", "apple"),
    ("リンゴとバナナ", "apple banana"),
    ("猫、犬", "cat dog"),
    ("猫\uff1b犬", "cat dog"),
    ("猫と犬", "cat dog"),
    ("犬か猫", "dog cat"),
    ("犬や猫", "dog cat"),
    ("かさとねこ", "umbrella cat"),  # かさ holds か, which may stand between names
    ("飛行機・電車・船", "airplane train boat"),
    ("すべての猫を探してください", "cat"),
    ("写真の中の犬", "dog"),
    ("猫ちゃんはどこ\uff1f", "cat"),
    ("自転車がありますか。", "bicycle"),
    ("「傘」", "umbrella"),
    ("cat と 犬", "cat dog"),
    ("a couple of dogs", "dog"),
    ("every single apple", "apple"),
    ("either a cat or a dog", "cat dog"),
    ("cat, maybe a dog", "cat dog"),
    ("cat vs dog", "cat dog"),
    ("I'd like to find the cat", "cat"),
    ("let\u2019s find cats", "cat"),
    ("where's the umbrella", "umbrella"),
    ("highlight everything that's a car", "car"),
    ("label: cat", "cat"),
    ("objects = cat, dog", "cat dog"),
    ("\U0001f431", "cat"),
    ("\u2602\ufe0f and \U0001f697", "umbrella car"),  # the first with the sign for colour
    ("この画像に猫は何匹いますか", "cat"),
    ("りんごはいくつありますか", "apple"),
    ("猫がどこにいるか教えて", "cat"),
    ("猫を2匹", "cat"),
    ("くるま２台", "car"),
    ("猫及び犬", "cat dog"),
    ("猫 そして 犬", "cat dog"),
    ("猫、それから犬", "cat dog"),
    ("バナナやりんごなど", "banana apple"),
    ("un chat et un chien", "cat dog"),
    ("die Katzen und der Hund", "cat dog"),
    ("Häuser", "house"),
    ("el perro y los arboles", "dog tree"),
    ("uma maçã e um avião", "apple airplane"),
    ("고양이와 개", "cat dog"),
    ("猫和狗", "cat dog"),
]
# What is written, and what is asked back of sixteen names; nothing where there is nothing near.
ASKED_BACK = [
    ("bananna", "banana"),
    ("umbrela", "umbrella"),
    ("bicylce", "bicycle"),
    ("the aple please", "apple"),
    ("hosue", "house"),
    ("mouse", "house"),  # a word of its own, one letter away
    ("red car", "car"),
    ("black cat", "cat"),
    ("no cats", "cat"),
    ("cta", "cat"),
    ("rat", ""),  # too short to be sure that it is a slip
    ("giraffe", ""),
    ("salt and pepper", ""),
    ("きりん", ""),
    ("and", ""),
    ("?", ""),
    ("赤い車", "car"),
    ("りんごの木", "apple or tree"),
    ("ねこ犬", "cat or dog"),
    ("kitty-cat", "cat"),
    ("cat.dog", "cat or dog"),
    ("きれいな人", ""),  # き alone is no tree
    ("everything", ""),
]


@pytest.mark.parametrize("text, names", UNDERSTOOD)
def test_names_are_understood_however_they_are_written(text: str, names: str) -> None:
    reading = read_names(text, KNOWN)
    assert reading.names == tuple(names.split())
    assert not reading.unknown


@pytest.mark.parametrize("text, meant", ASKED_BACK)
def test_what_is_no_name_is_asked_back(text: str, meant: str) -> None:
    with pytest.raises(TaskError) as caught:
        read_names(text, SIXTEEN)
    message = str(caught.value)
    assert caught.value.code == "E_UNKNOWN_NAME"
    assert (f"Did you mean {meant}?" in message) == bool(meant)
    assert all(name in message for name in SIXTEEN) and message.endswith(".")


@pytest.mark.parametrize(
    "text, names",
    [
        pytest.param("my phone", ("cell phone",), id="phone"),
        pytest.param("teddy", ("teddy bear",), id="teddy"),
        pytest.param("a sofa and a TV set", ("couch", "tv"), id="furniture"),
        pytest.param("hotdogs, doughnuts", ("hot dog", "donut"), id="in one word"),
        pytest.param("traffic lights ; stop signs", ("traffic light", "stop sign"), id="two words"),
        pytest.param("wine glasses or mugs", ("wine glass", "cup"), id="glasses"),
        pytest.param("mice and a lorry", ("mouse", "truck"), id="mice"),
        pytest.param("scissor", ("scissors",), id="one of a pair"),
        pytest.param("キリンとスケボー", ("giraffe", "skateboard"), id="Japanese"),
        pytest.param("Stühle und der Teddybär", ("chair", "teddy bear"), id="German"),
        pytest.param("une brosse à dents et un livre", ("toothbrush", "book"), id="French"),
        pytest.param(
            "el semáforo y la señal de stop", ("traffic light", "stop sign"), id="Spanish"
        ),
        pytest.param("uma xícara e um ônibus", ("cup", "bus"), id="Portuguese"),
        pytest.param("코끼리와 의자", ("elephant", "chair"), id="Korean"),
        pytest.param("斑马和书", ("zebra", "book"), id="Chinese"),
        pytest.param("车和伞、公共汽车、比萨", ("car", "umbrella", "bus", "pizza"), id="short"),
        pytest.param("Wagen, Fußball, bici", ("car", "ball", "bicycle"), id="other words"),
        pytest.param("🦓🍕", ("zebra", "pizza"), id="emoji"),
        pytest.param(" ".join(KNOWN), KNOWN, id="all of them"),
    ],
)
def test_names_of_more_things_are_understood(text: str, names: tuple[str, ...]) -> None:
    assert read_names(text, KNOWN).names == names


def test_the_table_is_long_enough_to_mean_something() -> None:
    assert len(UNDERSTOOD) + len(ASKED_BACK) >= 60


def test_what_is_known_is_asked_and_the_rest_is_told() -> None:
    reading = read_names("cat and giraffe ; mouse", SIXTEEN)
    assert (reading.names, reading.unknown) == (("cat",), ("giraffe", "mouse"))
    assert reading.alternatives == (("mouse", ("house",)),)
    (notice,) = reading.notices
    assert notice.code == "unknown_name"
    assert "'giraffe', 'mouse'" in notice.message and "Did you mean house?" in notice.message


@pytest.mark.parametrize(
    "text, corrections",
    [
        pytest.param("Cats and the dog.", (), id="forms of the names themselves"),
        pytest.param("find my bike please", (("bike", "bicycle"),), id="another word"),
        pytest.param("猫と犬", (("猫", "cat"), ("犬", "dog")), id="another language"),
    ],
)
def test_another_word_is_said_and_a_form_is_not(text: str, corrections: tuple) -> None:
    reading = read_names(text, KNOWN)
    assert reading.corrections == corrections
    said = [f"{asked!r} was read as {name!r}." for asked, name in corrections]
    assert [notice.message for notice in reading.notices] == said


@pytest.mark.parametrize(
    "known, text, name",
    [
        pytest.param(("mobile phone",), "phone", "mobile phone", id="phone"),
        pytest.param(("phone",), "cell phones", "phone", id="the other way"),
        pytest.param(("cell phone", "phone"), "phone", "phone", id="the name itself comes first"),
        pytest.param(("people",), "person", "people", id="listed in the plural"),
        pytest.param(("Guitar",), "guitars", "Guitar", id="listed with a capital"),
        pytest.param(("salt and pepper",), "salt and pepper", "salt and pepper", id="and within"),
        pytest.param(("T-shirt",), "t shirts", "T-shirt", id="hyphen"),
        pytest.param(("bus",), "buses", "bus", id="bus"),
        pytest.param(("knife",), "knives", "knife", id="knife"),
    ],
)
def test_a_checkpoint_is_asked_for_names_as_it_lists_them(known, text: str, name: str) -> None:
    assert read_names(text, known).names == (name,)


@pytest.mark.parametrize(
    "text, names, alternatives",
    [
        pytest.param("cat ; dog", ("cat", "dog"), (), id="plain"),
        pytest.param("A Cat.", ("a cat",), (("A Cat.", ("cat",)),), id="article"),
        pytest.param(
            "a man and a dog",
            ("a man and a dog",),
            (("a man and a dog", ("man", "dog")),),
            id="one phrase or two things",
        ),
        pytest.param("giraffe", ("giraffe",), (), id="any word"),
        pytest.param("picture", ("picture",), (), id="a word that may stand before a name"),
    ],
)
def test_an_open_vocabulary_is_asked_phrases_as_they_are(text, names, alternatives) -> None:
    reading = read_names(text)
    assert (reading.names, reading.alternatives) == (names, alternatives)
    assert not reading.notices


@settings(deadline=None)
@given(st.text(max_size=60))
def test_whatever_is_written_is_read_or_refused_in_words(text: str) -> None:
    if not split_names(text):
        return
    assert read_names(text).names
    try:
        assert set(read_names(text, KNOWN).names) <= set(KNOWN)
    except TaskError as error:
        assert error.code == "E_UNKNOWN_NAME"


@settings(deadline=None)
@given(st.lists(st.sampled_from(KNOWN), min_size=1, max_size=6, unique=True))
def test_names_as_they_are_listed_read_back_the_same(names: list[str]) -> None:
    for mark in (" ; ", ", ", "\n", " and ", "/", " ", "と"):
        reading = read_names(mark.join(names), KNOWN)
        assert reading.names == tuple(names) and not reading.notices


@pytest.mark.parametrize(
    "text",
    [
        "the " * 1000,
        "いる" * 59 + "猫",
        "猫" + "いる" * 59 + "x",
        "cat and " * 500,
        "とか" * 2000,
        "a/" * 2000,
        "猫" + "の" * 3990,
        "x;" * 2000,
    ],
    ids=["fillers", "verbs", "verbs behind", "names", "kana", "marks", "one letter", "unknown"],
)
def test_long_texts_are_read_at_once(text: str) -> None:
    start = time.perf_counter()
    try:
        read_names(text[:4000], KNOWN)
    except TaskError as error:
        assert len(str(error)) < 1000
    assert time.perf_counter() - start < 1


def test_no_word_stands_in_two_groups() -> None:
    words = [key(word) for group in GROUPS for word in group]
    assert len(words) == len(set(words))


@pytest.mark.parametrize("name", KNOWN)
def test_every_name_of_the_embedded_checkpoint_has_a_japanese_word(name: str) -> None:
    (group,) = (group for group in GROUPS if name in group)
    assert any(not word.isascii() for word in group)
    assert all(vocabulary_of(KNOWN).find(word).name == name for word in group)


@pytest.mark.parametrize(
    "one, other, is_slip",
    [
        ("banana", "bananna", True),
        ("banana", "bannana", True),
        ("bicycle", "bicylce", True),
        ("house", "mouse", True),
        ("cactus", "cactu", True),
        ("house", "house", False),
        ("banana", "bannanna", False),
        ("train", "rtian", False),
    ],
)
def test_a_slip_is_one_letter(one: str, other: str, is_slip: bool) -> None:
    assert is_one_slip(one, other) == is_one_slip(other, one) == is_slip


@pytest.mark.parametrize(
    "written, meant",
    [
        pytest.param("cta", ("cat",), id="two letters in the wrong order"),
        pytest.param("dgo", ("dog",), id="at the end"),
        pytest.param("catt", ("cat",), id="a letter twice"),
        pytest.param("bal", ("ball",), id="once"),
        pytest.param("caat ; doog", ("cat", "dog"), id="two words"),
        pytest.param("rat", (), id="another word"),
        pytest.param("coat", (), id="a longer word"),
        pytest.param("ca", (), id="a shorter one"),
        pytest.param("看", (), id="no letters"),
    ],
)
def test_a_slip_in_a_short_word_is_asked_back(written: str, meant: tuple[str, ...]) -> None:
    with pytest.raises(TaskError) as caught:
        read_names(written, KNOWN)
    assert f"Did you mean {' or '.join(meant)}?" in str(caught.value) or not meant
    assert meant or "Did you mean" not in str(caught.value)


def test_an_error_tells_all_the_names_of_the_embedded_checkpoint() -> None:
    with pytest.raises(TaskError) as caught:
        read_names("unicorn", KNOWN)
    assert all(name in str(caught.value) for name in KNOWN) and "more" not in str(caught.value)


def listing(script: str = CAT_AND_DOG, known: tuple[str, ...] = KNOWN) -> Pipeline:
    """A pipeline over a checkpoint that lists its names."""
    card = {"names": list(known)}
    return Pipeline(FakeEngine(script), PALIGEMMA, decoder=FakeDecoder(), name="fake", card=card)


def test_the_request_carries_what_was_asked_and_what_the_model_is_asked(picture) -> None:
    pipeline = listing()
    answer = pipeline.detect(picture, "Kitty and the DOGS")
    assert pipeline.engine.prompts[0].text == "detect cat ; dog"
    assert answer.request.text == "Kitty and the DOGS"
    assert answer.request.names == ("cat", "dog")
    assert [(one.code, one.message) for one in answer.warnings] == [
        ("read_as", "'Kitty' was read as 'cat'.")
    ]
    assert answer.to_dict()["warnings"][0]["code"] == "read_as"


def test_names_may_be_given_as_a_list(picture) -> None:
    for names in (["cat", "dog"], ("cat", "dog"), "cat ; dog"):
        assert listing().detect(picture, names).prompt == "detect cat ; dog"
        assert listing().segment(picture, names).prompt == "segment cat ; dog"


@pytest.mark.parametrize(
    "names, code",
    [([], "E_NO_NAMES"), (["cat", 5], "E_TEXT"), (["cat ; dog"], "E_TEXT"), ({"cat"}, "E_TEXT")],
)
def test_a_list_that_names_nothing_well_is_refused(names, code: str, picture) -> None:
    with pytest.raises(TaskError) as caught:
        listing().detect(picture, names)
    assert caught.value.code == code


def test_a_list_is_written_as_its_text() -> None:
    assert as_text(["red car", "dog"]) == "red car ; dog"


def test_unknown_names_are_told_before_the_picture_is_opened() -> None:
    with pytest.raises(TaskError, match="yeti"):
        listing().stream(Request("no such file.png", "detect", "yeti"))


def test_an_unknown_name_is_told_by_another_process() -> None:
    with pytest.raises(UnknownNameError) as caught:
        read_names("bananna", ["banana"])
    brought = pickle.loads(pickle.dumps(caught.value))
    assert (str(brought), brought.code) == (str(caught.value), "E_UNKNOWN_NAME")
    assert brought.reading == caught.value.reading


def test_unknown_names_are_told_before_a_checkpoint_is_loaded(picture) -> None:
    with pytest.raises(TaskError, match="Did you mean banana"):
        check_request("tiny", Request(picture, "detect", "bananna"))
    check_request("tiny", Request(picture, "ask", "bananna?"))
    check_request("google/paligemma-3b-mix-448", Request(picture, "detect", "bananna"))


def test_a_prompt_of_names_is_in_small_letters() -> None:
    request = Request("a.png", "detect", "Red Car ; red car ; DOG")
    assert PALIGEMMA.write_prompt(request) == "detect red car ; dog"


@pytest.mark.parametrize(
    "known, drop_unasked, labels",
    [
        pytest.param(KNOWN, None, ["cat"], id="listed"),
        pytest.param(KNOWN, True, ["cat"], id="listed, wanted"),
        pytest.param(KNOWN, False, ["cat", "dog"], id="listed, not wanted"),
        pytest.param((), None, ["cat", "dog"], id="open"),
        pytest.param((), True, ["cat"], id="open, wanted"),
    ],
)
def test_only_what_was_asked_for_is_found_where_names_are_listed(
    known, drop_unasked, labels: list[str], picture
) -> None:
    answer = listing(known=known).detect(
        picture, "kitty" if known else "cat", drop_unasked=drop_unasked
    )
    assert answer.labels == labels
    left_out = [one.message for one in answer.warnings if one.code == "removed_unasked"]
    assert left_out == ([] if "dog" in labels else ["Left out: dog, not asked for."])


@pytest.mark.parametrize("names", [None, "cat", {"cat": 1}, [1, None, " "]])
def test_notes_without_a_list_of_names_leave_the_vocabulary_open(names: object) -> None:
    assert names_of({"names": names}) == ()


def test_a_reading_of_ones_own_is_asked_as_it_is() -> None:
    pipeline = listing()
    reading = ParsedNames(("giraffe",))
    pipeline.run(Request(Image.new("RGB", (8, 8)), "detect", "giraffe", reading=reading))
    assert pipeline.engine.prompts[0].text == "detect giraffe"
    with pytest.raises(TaskError, match="command"):
        Request("a.png", "detect", "cat", reading=ParsedNames(("<image>",)))


@pytest.mark.parametrize("text", ["s", "es", "\U0001f984"])
def test_an_ending_alone_is_no_name(text: str) -> None:
    with pytest.raises(TaskError, match="does not know"):
        read_names(text, KNOWN)
