"""Text grows by pieces that together are the tokenizer's decoding of all ids."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import make_tokenizer
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from gemma_vision.runtime.detokenizer import Detokenizer

TOKENIZER = make_tokenizer()


def spell(ids: list[int], tokenizer: Tokenizer = TOKENIZER) -> list[str]:
    speller = Detokenizer(tokenizer)
    return [*(speller.add(one) for one in ids), speller.rest()]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a cat ; dog", id="words"),
        pytest.param("<loc0001><loc1023><loc0007><loc0000> cat ; <seg001>", id="positions"),
        pytest.param("caf\u00e9 \u732b \U0001f408", id="bytes"),
        pytest.param("line\nline\n", id="lines"),
    ],
)
def test_pieces_make_the_whole_text(text: str) -> None:
    assert "".join(spell(TOKENIZER.encode(text, add_special_tokens=False).ids)) == text


def test_positions_come_one_by_one() -> None:
    ids = TOKENIZER.encode("<loc0001><loc0002> cat", add_special_tokens=False).ids
    assert spell(ids)[:3] == ["<loc0001>", "<loc0002>", " cat"]


def test_a_character_of_several_bytes_waits_until_it_is_whole() -> None:
    ids = TOKENIZER.encode("\u732ba", add_special_tokens=False).ids
    assert len(ids) == 4
    assert spell(ids) == ["", "", "", "\u732ba", ""]


def test_bytes_that_never_become_a_character_are_shown_at_the_end() -> None:
    ids = TOKENIZER.encode("\u732b", add_special_tokens=False).ids[:2]  # of three
    assert spell(ids)[:2] == ["", ""]
    assert set(spell(ids)[2]) == {"\ufffd"}


def test_marks_are_not_spelled() -> None:
    ids = [TOKENIZER.token_to_id(mark) for mark in ("<bos>", "<image>", "<pad>")]
    assert "".join(spell(ids)) == ""


def test_ids_past_the_vocabulary_are_not_spelled() -> None:
    assert "".join(spell([TOKENIZER.get_vocab_size() + 3])) == ""


@given(st.lists(st.integers(0, TOKENIZER.get_vocab_size() + 5), max_size=30))
def test_any_ids_are_spelled_as_the_tokenizer_does(ids: list[int]) -> None:
    assert "".join(spell(ids)) == TOKENIZER.decode(ids, skip_special_tokens=True)


def test_a_tokenizer_that_drops_the_first_space_keeps_the_others() -> None:
    tokenizer = Tokenizer(models.WordLevel({"\u2581a": 0, "\u2581b": 1}, unk_token="\u2581a"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    assert spell([0, 1, 0], tokenizer) == ["a", " b", " a", ""]


def test_a_character_of_a_tokenizer_of_bytes_waits_until_it_is_whole() -> None:
    """Tokens that are bytes by another name, as most other models' are."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: n for n, letter in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    ids = tokenizer.encode("\u732ba").ids
    assert len(ids) == 4
    assert spell(ids, tokenizer) == ["", "", "\u732b", "a", ""]
