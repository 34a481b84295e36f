"""The page's languages: every text in each, with the same holes, and none left in English."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from PIL import Image

import gemma_vision
from gemma_vision.requests.languages import TONGUES
from gemma_vision.requests.prompts import PALIGEMMA
from gemma_vision.requests.request import Request
from gemma_vision.requests.variants import limit_to
from gemma_vision.web.forms.options import fit_options, read_option_fields
from gemma_vision.web.i18n.columns import FOLDER, LANGUAGES, in_language, read_language
from gemma_vision.web.i18n.gradio_texts import LACKING
from gemma_vision.web.i18n.language_names import LANGUAGE_NAMES, language_choice
from gemma_vision.web.i18n.option_texts import OPTION_TEXTS
from gemma_vision.web.i18n.texts import (
    TABLES,
    all_texts,
    page_texts,
    translate,
    translations,
)

SOURCES = Path(__file__).parent.parent / "gemma_vision"
# What only programs, the command line and the log are told.
PROGRAMS = [
    "ACCESS",
    "ADDRESS",
    "ARGUMENTS",
    "BATCH_SIZE",
    "CALL",
    "COPY",
    "ENDPOINT",
    "ENGINE",
    "FILE",
    "KIND",
    "LABEL_CONFIG",
    "LIVE",
    "LOG",
    "NOT_LOADED",
    "RATE",
    "SLOW",
    "TARGET",
    "TOO_LARGE",
]

TRANSLATED = [language for language in LANGUAGES if language not in ("en", "ja")]
HINTS = {"names_hint", "question_hint", "prompt_hint"}  # what a model takes
# Words that are the same in a language, or names.
LOANWORDS = {"Image", "Video", "Chat", "Pixels", "Score", "Seed", "Checkpoints", "licence"}
LOANWORDS |= {"Pan", "and", "scan", "token", "tokens", "checkpoints", "Python", "client"}
LOANWORDS |= {"JSON", "COCO", "YOLO", "LabelMe", "Label", "Studio", "Pascal", "VOC", "SVG"}
LOANWORDS |= {"PaliGemma", "JavaScript", "curl", "MCP"}
HOLE = re.compile(r"\{\w+\}")
WORD = re.compile(r"[^\W\d_]+")


def cases() -> list[object]:
    return [
        pytest.param(language, name, id=f"{language}-{name}")
        for language in LANGUAGES
        for name in TABLES
    ]


@pytest.mark.parametrize("language, name", cases())
def test_every_text_is_there_with_its_holes(language: str, name: str) -> None:
    table = TABLES[name]
    own = {key: row[language] for key, row in table.items() if language in row}
    own |= read_language(language).get(name, {})
    assert own.keys() == table.keys()
    for key, text in own.items():
        assert text.strip() == text and text, key
        assert sorted(HOLE.findall(text)) == sorted(HOLE.findall(table[key]["en"])), key


def test_every_hole_is_filled_by_somebody() -> None:
    """A hole that is misspelt alike in every language would stay on the page as it is."""
    holes = {
        hole[1:-1]
        for table in TABLES.values()
        for row in table.values()
        for hole in HOLE.findall(row["en"])
    }
    scripts = "".join(path.read_text() for path in SOURCES.rglob("*.js"))
    filled = set(re.findall(r"(?<=[{,\s])(\w+)(?=\s*[:,}])", scripts))
    for path in SOURCES.rglob("*.py"):
        filled |= {a or b for a, b in re.findall(r'"(\w+)": |\b(\w+)=', path.read_text())}
    assert holes and holes <= filled, holes - filled


@pytest.mark.parametrize("language, name", cases())
def test_no_text_is_left_in_english(language: str, name: str) -> None:
    column = in_language(name, TABLES[name], language)
    for key, row in TABLES[name].items():
        words = set(WORD.findall(HOLE.sub("", row["en"])))
        is_left = column[key] == row["en"] and key not in HINTS and not words <= LOANWORDS
        assert not is_left or language == "en", f"{key}: {column[key]}"


def test_no_file_has_tables_or_languages_that_the_page_does_not() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(TRANSLATED)
    for language in TRANSLATED:
        for name, texts in read_language(language).items():
            assert texts.keys() <= TABLES[name].keys(), (language, name)


def test_an_option_has_all_its_texts_in_one_row() -> None:
    assert all(row.keys() == set(LANGUAGES) for row in OPTION_TEXTS.values())


def test_a_missing_text_is_english() -> None:
    assert in_language("new", {"key": {"en": "Hello", "ja": "やあ"}}, "de") == {"key": "Hello"}


def test_scripts_find_a_text_by_its_table_and_components_by_its_key() -> None:
    texts = all_texts("de")
    assert texts["picture"] == texts["texts:picture"] == "Bild"
    assert texts["viewer:picture"].startswith("Das Bild;")


def test_no_word_that_somebody_may_type_is_the_key_of_a_text_on_the_page() -> None:
    """Gradio translates whatever is one, the values of fields as well."""
    assert all(":" in key for key in page_texts("en"))
    assert translate("detect").key == "texts:detect"


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_gradio_has_no_text_for_is_said_in_words(language: str) -> None:
    """It would say "common.complete" to whoever hears the page."""
    told = translations.translations_dict[language]
    assert told["common.complete"] == page_texts(language)["viewer:state_done"]
    assert all(told[key] for key in LACKING)


def test_the_files_are_written_alike() -> None:
    for path in FOLDER.glob("*.json"):
        text = path.read_text("utf-8")
        assert json.dumps(json.loads(text), ensure_ascii=False, indent=2) + "\n" == text, path.name


def test_every_error_that_the_page_can_show_has_a_meaning() -> None:
    rooms = ["requests", "images", "video", "answers", "runtime", "web", "inside", "registry"]
    rooms += ["checkpoints", "weights"]
    files = [path for room in rooms for path in (SOURCES / room).rglob("*.py")]
    files += [SOURCES / "pipeline.py", SOURCES / "errors.py"]
    codes = {code for file in files for code in re.findall(r'"(E_[A-Z_]+)"', file.read_text())}
    codes -= {"E_" + name for name in PROGRAMS}
    assert not {code for code in codes if code not in TABLES["notes"]}


def test_every_language_of_answers_has_its_name() -> None:
    assert LANGUAGE_NAMES.keys() == TONGUES.keys()
    assert language_choice("de") == ("Deutsch (de)", "de")


@pytest.mark.parametrize(
    "notes, offered",
    [
        pytest.param({}, tuple(TONGUES), id="all that the family was taught"),
        pytest.param({"languages": ["ja", "en"]}, ("en", "ja"), id="those of the notes"),
        pytest.param({"languages": ["tlh"]}, tuple(TONGUES), id="none that is known"),
    ],
)
def test_a_form_offers_the_languages_that_the_checkpoint_was_taught(
    notes: dict[str, list[str]], offered: tuple[str, ...]
) -> None:
    family = limit_to(PALIGEMMA, "own", notes)
    choices = fit_options(family, "caption")["language"]["choices"]
    assert choices == [language_choice(code) for code in offered]


def test_a_language_that_was_not_offered_says_nothing() -> None:
    family = limit_to(PALIGEMMA, "own", {"languages": ["de", "fr"]})
    assert read_option_fields(family, "caption", {"language": "fr"})["language"] == "fr"
    assert "language" not in read_option_fields(family, "caption", {"language": "ja"})


@pytest.mark.parametrize(
    ("code", "task", "told"),
    [
        ("en", "caption", []),
        ("de", "caption", ["unknown_language"]),
        ("ja", "ask", ["unknown_language"]),
        ("de", "free", []),
    ],
)
def test_a_language_that_was_not_taught_is_told(
    picture: Image.Image, code: str, task: str, told: list[str]
) -> None:
    options = {} if task == "free" else {"language": code}
    answer = gemma_vision.load("tiny").run(Request(picture, task, "is there a cat?", **options))
    assert [one.code for one in answer.warnings] == told
    for notice in answer.warnings:
        assert "was taught English, not" in notice.message
