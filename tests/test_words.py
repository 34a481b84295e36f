"""Names are the field's words: what a reader would search for, each with one meaning.

The glossary of docs/architecture.md says which words those are; here stand those that were given
up for them. A name is that of a module, of a class, of a function that others may call, or of a
script of the page.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("gemma_vision", "postprocess", "training", "benchmarks", "scripts", "serving")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
GLOSSARY = ROOT / "docs" / "architecture.md"

# Given up in every place of a name: what is used instead.
RETIRED = {
    "album": "image_set",
    "choosing": "model_switcher",
    "chooser": "ModelSwitcher",
    "discreet": "private_errors",
    "filming": "video_run",
    "foretold": "variant_from_registry",
    "hands": "viewer_input",
    "hygiene": "filters",
    "intake": "prefill",
    "journal": "metrics_log",
    "kept": "cached, stored",
    "lanes": "tracks",
    "lettering": "label_drawing",
    "looker": "ImageRun",
    "looking": "image_run",
    "mending": "header_a11y_fixes",
    "pasted": "Answer",
    "picking": "sampling",
    "policies": "coordinate_conventions",
    "quantising": "quantization",
    "reel": "VideoJob",
    "refit": "FormUpdater",
    "refitting": "model_change",
    "refusals": "errors",
    "remembered": "cache_status",
    "said": "reported, message",
    "shelf": "model_cache",
    "shoot": "run",
    "sight": "image_encoder",
    "speller": "Detokenizer",
    "spreading": "device_map",
    "student": "trainee",
    "talks": "chat_sessions",
    "taught": "limit_to",
    "telling": "endpoints",
    "told": "reported, message, without_masks",
    "watching": "progress",
    "wish": "FormValues",
    "wishes": "prompt_sampler",
    "wiring": "events",
}

# Given up as the whole name of a module, a class or a function, and good as a part of one.
RETIRED_MODULES = {
    "adapt": "finetune",
    "adapters": "lora",
    "bare": "uninitialized_layers",
    "decoders": "mask_decoder_files",
    "draws": "sampling",
    "front_page": "page_delivery",
    "grounds": "background_stream",
    "growing": "answer_builder",
    "joined": "fused",
    "kinds": "variants",
    "lesson": "data_mix",
    "local": "local_engine",
    "reading": "answer_reader",
    "recent": "lru_cache",
    "seen": "crops",
    "shapes": "mask_formats",
    "talking": "chat_sessions",
    "transfer": "download",
    "values": "validation",
    "whole_files": "atomic_write",
}
RETIRED_CLASSES = {
    "Carrier": "JobRunner",
    "Growing": "AnswerBuilder",
    "JoinedDecoder": "FusedDecoder",
    "Lesson": "DataMix",
    "Reading": "StreamingReader",
    "Recent": "LruCache",
    "Talk": "ChatSession",
    "View": "EncoderInput",
    "Watch": "ProgressReporter",
    "Work": "Job",
}
RETIRED_FUNCTIONS = {
    "arrive": "on_load",
    "drop_double": "evict_duplicate",
    "explain": "describe",
    "growing": "stream_answers",
    "halt": "stop",
    "prompts_of": "variant_from_registry",
    "rotate": "apply_rotary",
    "seen": "requested, examples_done",
    "side_by_side": "fuse",
    "thread": "open_job",
    "turn_by": "apply_rotary",
}
RETIRED_WHOLE = RETIRED_MODULES | RETIRED_CLASSES | RETIRED_FUNCTIONS

# A function says what it does to what; `gemma_vision.read` is what people call.
VAGUE = {"check", "keep", "look", "pick", "read", "say", "show", "tell"}
PUBLIC_VERBS = {"gemma_vision.answers.parse_answer.read"}


@cache
def modules() -> dict[str, ast.Module]:
    """Every module by its dotted name."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return {dotted(path): ast.parse(path.read_text("utf-8")) for path in paths}


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def public(nodes: list[ast.stmt], kinds: type | tuple[type, ...]) -> list[str]:
    return [node.name for node in nodes if isinstance(node, kinds) and node.name[0] != "_"]


def names() -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Every name that a reader meets from outside: where it stands, itself, and what is retired
    as a whole among its like.
    """
    for module, tree in modules().items():
        yield module, module.rpartition(".")[2], RETIRED_MODULES
        for name in public(tree.body, ast.ClassDef):
            yield f"{module}.{name}", name, RETIRED_CLASSES
        for where, name in functions(module, tree):
            yield where, name, RETIRED_FUNCTIONS
    for path in sorted((ROOT / "gemma_vision" / "web").rglob("*.js")):
        where = path.relative_to(ROOT).as_posix()
        yield where, path.stem, RETIRED_MODULES
        for name in re.findall(r"^(?:export )?(?:async )?function (\w+)", path.read_text(), re.M):
            yield f"{where}: {name}", name, RETIRED_FUNCTIONS


def functions(module: str, tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Public functions and the methods of public classes."""
    for name in public(tree.body, FUNCTIONS):
        yield f"{module}.{name}", name
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name[0] != "_":
            for name in public(node.body, FUNCTIONS):
                yield f"{module}.{node.name}.{name}", name


def snake(name: str) -> str:
    """ChatSession, chatSession  ->  chat_session."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def is_retired(name: str, whole: Mapping[str, str] = RETIRED_WHOLE) -> bool:
    return name in whole or not RETIRED.keys().isdisjoint(snake(name).split("_"))


def shared_classes() -> set[str]:
    """Public classes that share their name with another one."""
    homes = defaultdict(list)
    for module, tree in modules().items():
        for name in public(tree.body, ast.ClassDef):
            homes[name].append(f"{module}.{name}")
    return {place for places in homes.values() if len(places) > 1 for place in places}


def vague_functions() -> set[str]:
    """Functions whose whole name is one of the words that say nothing."""
    found = {
        f"{module}.{name}"
        for module, tree in modules().items()
        for name in public(tree.body, FUNCTIONS)
        if name in VAGUE
    }
    return found - PUBLIC_VERBS


def against_the_rules() -> set[str]:
    return {where for where, *name in names() if is_retired(*name)} | (
        shared_classes() | vague_functions()
    )


def test_names_are_the_fields_words() -> None:
    assert against_the_rules() == set()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("ModelShelf", True, id="a part of a class"),
        pytest.param("telling_endpoints", True, id="a part of a module"),
        pytest.param("toldOnce", True, id="a part of a script's function"),
        pytest.param("reading", True, id="a whole name"),
        pytest.param("yolo_reading", False, id="good as a part"),
        pytest.param("shelfish", False, id="another word"),
    ],
)
def test_a_retired_word_is_found_as_a_word(name: str, expected: bool) -> None:
    assert is_retired(name) == expected


def test_no_word_of_the_glossary_is_retired() -> None:
    section = GLOSSARY.read_text("utf-8").split("## Glossary")[1].split("\n## ")[0]
    terms = re.findall(r"^\| ([^|`]+?) \|", section, re.MULTILINE)[1:]
    assert len(terms) >= 30 and terms == sorted(terms, key=str.lower)
    assert [term for term in terms if is_retired(term.replace(" ", "_").replace("-", "_"))] == []
