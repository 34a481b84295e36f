"""Under a grammar every walk is a well-formed answer, and every well-formed answer is a walk."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_models import make_model, make_tokenizer, save

from gemma_vision.runtime.engine import Prompt
from gemma_vision.runtime.grammar import Grammar, Node
from gemma_vision.runtime.local_engine import LocalEngine
from postprocess import Parser, parse

TOKENIZER = make_tokenizer()
STOP = TOKENIZER.token_to_id("<eos>") or 0
BOXES = Grammar(("cat", "dog", "a dog", "cat dog"))
MASKS = Grammar(("cat", "dog"), has_masks=True)


def walk(grammar: Grammar, seed: int) -> str:
    """A random answer that the grammar allows."""
    choose = random.Random(seed)
    rules = grammar.rules(TOKENIZER, [STOP])
    place: Node | None = rules.start
    ids: list[int] = []
    for budget in range(200, 0, -1):
        assert place is not None
        allowed = rules.allowed(place, budget)
        token = choose.choice([STOP] if STOP in allowed and choose.random() < 0.3 else allowed)
        if token == STOP:
            break
        place = place.follow(token)
        ids.append(token)
    return TOKENIZER.decode(ids, skip_special_tokens=False)


def is_allowed(grammar: Grammar, text: str) -> bool:
    place: Node | None = grammar.rules(TOKENIZER, [STOP]).start
    for token in TOKENIZER.encode(text, add_special_tokens=False).ids:
        place = place and place.follow(token)
    return place is not None and place.may_end


@pytest.mark.parametrize("grammar", [BOXES, MASKS], ids=["boxes", "masks"])
@pytest.mark.parametrize("seed", range(12))
def test_a_walk_is_read_without_notices(grammar: Grammar, seed: int) -> None:
    parser = Parser()
    text = walk(grammar, seed)
    mentions = parser.feed(text) + parser.close()
    odd = {notice.code for notice in parser.notices} - {"inverted_box", "repeat", "full_frame"}
    assert not odd, text
    assert {mention.label for mention in mentions} <= set(grammar.names)
    assert all(len(mention.codes) == (16 if grammar.has_masks else 0) for mention in mentions)


BOX = "<loc0001><loc0002><loc0003><loc0004>"
CODES = "".join(f"<seg{i:03d}>" for i in range(16))


@pytest.mark.parametrize(
    "grammar, text, expected",
    [
        pytest.param(BOXES, "", True, id="nothing"),
        pytest.param(BOXES, f"{BOX} cat", True, id="one"),
        pytest.param(BOXES, f"{BOX} cat ; {BOX} a dog", True, id="two"),
        pytest.param(BOXES, f"{BOX} cat dog", True, id="a name that begins as another"),
        pytest.param(BOXES, f"{BOX} cat ; ", False, id="dangling separator"),
        pytest.param(BOXES, f"{BOX}", False, id="no label"),
        pytest.param(BOXES, f"{BOX} it", False, id="another name"),
        pytest.param(BOXES, f"{BOX[:27]} cat", False, id="three positions"),
        pytest.param(BOXES, f"{BOX} {CODES} cat", False, id="codes not asked for"),
        pytest.param(MASKS, f"{BOX} {CODES} cat ; {BOX} {CODES} dog", True, id="masks"),
        pytest.param(MASKS, f"{BOX} cat", False, id="no codes"),
        pytest.param(MASKS, f"{BOX} {CODES[:-8]} cat", False, id="fifteen codes"),
    ],
)
def test_what_is_allowed(grammar: Grammar, text: str, expected: bool) -> None:
    assert is_allowed(grammar, text) is expected


@pytest.mark.parametrize("names", [(), ("",), ("cat", " ")], ids=["none", "empty", "blank"])
def test_a_grammar_without_names_is_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="names"):
        Grammar(names)


def test_a_tokenizer_without_positions_is_refused() -> None:
    with pytest.raises(ValueError, match="loc0000"):
        BOXES.rules(make_tokenizer("gemma3"), [STOP])


@pytest.mark.parametrize("grammar", [BOXES, MASKS], ids=["boxes", "masks"])
def test_a_model_of_noise_writes_records(grammar: Grammar, tmp_path: Path) -> None:
    """The engine keeps to the grammar in a batch, drawn or greedy, beside a row without one."""
    engine = LocalEngine.load(save(make_model(), tmp_path), "cpu")
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 9, 3), np.uint8))
    prompts = [
        Prompt((image,), "detect cat", 60, 2.0, seed=1, grammar=grammar),
        Prompt((image,), "detect cat", 60),
        Prompt((image,), "detect cat", 60, grammar=grammar),
    ]
    texts = ["", "", ""]
    for chunks in engine.stream(prompts):
        for i, chunk in enumerate(chunks):
            texts[i] += chunk.text if chunk else ""
    for text in (texts[0], texts[2]):
        mentions = parse(text)
        assert mentions
        assert {mention.label for mention in mentions[:-1]} <= set(grammar.names)
    assert texts[1] not in (texts[0], texts[2])


class Forgetful(dict[object, object]):
    """Grammars held ready of which another caller makes room at once."""

    def __setitem__(self, key: object, value: object) -> None:
        """Gone again."""


def test_a_grammar_is_read_though_others_make_room_of_it(tmp_path: Path) -> None:
    engine = LocalEngine.load(save(make_model(), tmp_path), "cpu")
    batch, _ = engine.watch(Prompt((Image.new("RGB", (9, 9)),), "detect cat"))
    batch._rules = Forgetful()  # type: ignore[assignment]
    row = batch.make_row(Prompt((Image.new("RGB", (9, 9)),), "detect cat", grammar=BOXES))
    assert row.rules is not None
