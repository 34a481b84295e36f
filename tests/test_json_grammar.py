"""Under the JSON grammar every walk is a list of things, and every such list is a walk."""

from __future__ import annotations

import json
import random

import pytest
import torch
from PIL import Image
from tiny_gemma4 import make_gemma4, save_gemma4
from tiny_models import make_tokenizer
from tokenizers import AddedToken, Tokenizer

from gemma_vision.registry.loading import load
from gemma_vision.requests.request import Request
from gemma_vision.runtime.engine import Prompt
from gemma_vision.runtime.json_grammar import JsonGrammar
from gemma_vision.runtime.local_engine import LocalEngine
from postprocess import Parser

NAMES = ("cat", "a dog", 'the "big" one', "\u732b")


def pieces() -> Tokenizer:
    """A tokenizer with letters, and with pieces that run over several parts of a record."""
    tokenizer = make_tokenizer("gemma4")
    letters = [*'`[]{}"_:,0123456789\\', "jsonbx", "\u732b"]
    long = ["```", "json", "[\n", '{"', "box", '": [', ", ", "100", "00", '], "', '"},', '"}\n]']
    tokenizer.add_tokens([AddedToken(one, normalized=False) for one in [*letters, *long]])
    return tokenizer


TOKENIZER = pieces()
STOP = TOKENIZER.token_to_id("<turn|>")


def walk(grammar: JsonGrammar, seed: int) -> str:
    """A random answer that the grammar allows."""
    choose = random.Random(seed)
    walker = grammar.rules(TOKENIZER, [STOP]).start()
    ids: list[int] = []
    while STOP not in (allowed := sorted(walker.allowed)):
        assert allowed, TOKENIZER.decode(ids, skip_special_tokens=False)
        ids.append(choose.choice(allowed))
        walker.advance(ids[-1])
        assert len(ids) < 20_000
    return TOKENIZER.decode(ids, skip_special_tokens=False)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("has_points", [False, True], ids=["boxes", "points"])
def test_a_walk_is_a_list_of_things(has_points: bool, seed: int) -> None:
    text = walk(JsonGrammar(NAMES, has_points), seed)
    assert text.startswith("```json\n[") and text.endswith("]\n```")
    records = json.loads(text.removeprefix("```json\n").removesuffix("\n```"))
    parser = Parser()
    mentions = parser.feed(text) + parser.close()
    assert len(mentions) == len(records) and not parser.plain.strip()
    for record, mention in zip(records, mentions, strict=True):
        assert record["label"] in NAMES and mention.label
        place = record["point" if has_points else "box_2d"]
        assert len(place) == (2 if has_points else 4)
        assert all(isinstance(one, int) and 0 <= one <= 1000 for one in place)


def is_allowed(text: str) -> bool:
    walker = JsonGrammar(NAMES).rules(TOKENIZER, [STOP]).start()
    for token in TOKENIZER.encode(text, add_special_tokens=False).ids:
        if token not in walker.allowed:
            return False
        walker.advance(token)
    return STOP in walker.allowed


def fenced(*records: str) -> str:
    inside = "\n" + ",\n".join(f"  {record}" for record in records) + "\n" if records else ""
    return f"```json\n[{inside}]\n```"


CAT = '{"box_2d": [0, 7, 100, 1000], "label": "cat"}'


@pytest.mark.parametrize(
    "text, expected",
    [
        pytest.param(fenced(), True, id="nothing found"),
        pytest.param(fenced(CAT), True, id="one"),
        pytest.param(fenced(CAT, CAT.replace("100,", "999,")), True, id="two"),
        pytest.param(fenced(CAT.replace("cat", 'the \\"big\\" one')), True, id="quotes"),
        pytest.param(fenced(CAT.replace("1000", "1001")), False, id="past the grid"),
        pytest.param(fenced(CAT.replace("1000", "10000")), False, id="five digits"),
        pytest.param(fenced(CAT.replace("7", "07")), False, id="a zero in front"),
        pytest.param(fenced(CAT.replace("0, 7, ", "7, ")), False, id="three numbers"),
        pytest.param(fenced(CAT.replace("cat", "dog")), False, id="another name"),
        pytest.param(fenced(CAT) + " ", False, id="something behind"),
        pytest.param(CAT, False, id="no list"),
    ],
)
def test_what_is_allowed(text: str, expected: bool) -> None:
    assert is_allowed(text) == expected


@pytest.mark.parametrize("names", [(), ("cat", " ")])
def test_a_grammar_needs_names(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="names"):
        JsonGrammar(names)


@torch.no_grad()
def test_any_model_writes_a_list_under_it(tmp_path) -> None:
    """A random one too, which would say nothing sensible; digits come as bytes here."""
    engine = LocalEngine.load(save_gemma4(make_gemma4("E2B"), tmp_path, "E2B"), "cpu")
    image = Image.new("RGB", (40, 30), "#77aadd")
    text = engine.checkpoint.family.turn[0] + "user\n<|image|>cat"
    prompt = Prompt((image,), text, 600, budget=70, grammar=JsonGrammar(("cat",)))
    said = "".join(chunk.text for (chunk,) in engine.stream([prompt]) if chunk)
    assert said.startswith("```json\n[")
    parser = Parser()
    mentions = parser.feed(said) + parser.close()
    assert {one.label for one in mentions} <= {"cat"} and (mentions or said.endswith("]\n```"))


@pytest.mark.parametrize("task", ["detect", "point"])
def test_a_strict_wish_is_answered_with_a_list_of_its_things(task: str, tmp_path) -> None:
    folder = save_gemma4(make_gemma4("E2B"), tmp_path, "E2B")
    pipeline = load(folder, "cpu")
    picture = Image.new("RGB", (120, 90), "#446688")
    free, strict = (
        pipeline.run(Request(picture, task, "cat ; a dog", decoding=kind, max_tokens=80))
        for kind in ("free", "strict")
    )
    assert free.text != strict.text and strict.text.startswith("```json\n[")
    assert {one.label for one in strict.instances[:-1]} <= {"cat", "a dog"}  # the last may be cut
    assert not [one.code for one in strict.warnings if one.code == "unread"]
