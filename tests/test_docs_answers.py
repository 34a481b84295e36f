"""docs/answers.md says what is so: its examples run, its tables hold, its commands are commands."""

import doctest
import re
import shlex
import shutil
from dataclasses import fields
from pathlib import Path

import pytest
from noise_decoder import write_noise
from PIL import Image

from gemma_vision.cli import arguments
from postprocess.__main__ import build_parser
from postprocess.exports import EXPORTERS, READERS
from postprocess.filters import Filters
from postprocess.tokens import Mention, Parser

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "answers.md").read_text(encoding="utf-8")
POSITIONS = ("<loc0102>", "<loc0200>", "<loc0800>", "<loc0900>")


def rows(head: str) -> list[list[str]]:
    """The cells of the table whose first column is called this."""
    lines = PAGE.split(f"| {head} |", 1)[1].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def spelled_out(text: str) -> str:
    """The text that a cell of the table of rules stands for."""
    positions = iter(POSITIONS * 4)
    text = re.sub("L(?=[L ;<Sca]|$)", lambda _: next(positions), text.replace("⏎", "\n"))
    return re.sub("S([0-9]+)", lambda found: "<seg007>" * int(found[1]), text)


def in_words(mention: Mention) -> str:
    return f"{'mask' if mention.codes else 'box'} {mention.label or 'without a label'}"


@pytest.mark.parametrize(("text", "read", "notice"), rows("the text"))
def test_a_rule_reads_as_the_table_says(text, read, notice):
    parser = Parser()
    whole = spelled_out(text.strip("`"))
    mentions = parser.feed(whole) + parser.close()
    assert (", ".join(map(in_words, mentions)) or "nothing") == read
    assert [found.code for found in parser.notices] == [
        code for code in [notice.strip("`")] if code
    ]


def test_the_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (640, 480), "gray").save("photo.jpg")
    write_noise(tmp_path / "vae-oid.npz")
    shutil.copy(ROOT / "gemma_vision" / "checkpoints" / "tiny" / "tokenizer.json", tmp_path)
    blocks = re.findall(r"```pycon\n(.*?)```", PAGE, re.DOTALL)
    example = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "answers.md", None, 0)
    assert len(example.examples) > 40
    said: list[str] = []
    doctest.DocTestRunner().run(example, out=said.append)
    assert not said, "".join(said)


def test_every_export_is_in_the_table():
    table = rows("name")
    assert [row[0].strip("`") for row in table] == list(EXPORTERS)
    able = {"yolo" if name == "yolo-polygons" else name for name in readable(table)}
    assert able == set(READERS)


def readable(table: list[list[str]]) -> list[str]:
    return [row[0].strip("`") for row in table if row[2] == "yes"]


def commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("line", commands())
def test_a_command_is_one(line):
    program, *words = shlex.split(line)
    if program == "gemma-vision":
        assert arguments.parse_arguments(words).verb == words[0]
    else:
        assert (program, *words[:2]) == ("python", "-m", "postprocess")
        assert build_parser().parse_args(words[2:]).target in EXPORTERS


def test_the_filters_are_called_as_the_code_calls_them() -> None:
    assert [name.strip("`") for name, _ in rows("rule")] == [one.name for one in fields(Filters)]
