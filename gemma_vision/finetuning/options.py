"""Options: a plan made of what somebody gave, on the command line, in a file or in Python.

Loads nothing. A value of the wrong kind ends in a sentence that says what is wanted.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gemma_vision.finetuning.plan import OPTIONS, FinetuneError, FinetunePlan
from postprocess.datasets.files import read_text
from postprocess.errors import UserError
from postprocess.user_paths import expanded

REQUIRED = {
    "data": "data (the folder or file to learn from)",
    "name": "name (what the checkpoint is to be called, --name)",
    "out": "out (the folder to write it into, --out)",
}
KINDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    Path: "a path",
}
PERHAPS = ("model", "mask_decoder")  # options that are a path, a word or an id
WORDS = ("embedded", "tiny", "published", "none")  # whatever of that name lies around
TIMES = ("minutes", "steps", "epochs")


def plan_of(*given: Mapping[str, Any]) -> FinetunePlan:
    """A plan; what comes later wins. None stands for what was not given."""
    values: dict[str, Any] = {}
    for options in given:
        known = {key.replace("-", "_"): value for key, value in options.items()}
        if any(known.get(name) is not None for name in TIMES):
            values = {name: value for name, value in values.items() if name not in TIMES}
        values |= {name: value for name, value in known.items() if value is not None}
    missing = [said for name, said in REQUIRED.items() if values.get(name) is None]
    if missing:
        message = f"A fine-tune needs {' and '.join(missing)}; give it."
        raise FinetuneError(message)
    unknown = sorted(values.keys() - OPTIONS.keys() - set(REQUIRED))
    if unknown:
        raise FinetuneError(
            f"There is no option {', '.join(unknown)}; there are "
            f"{', '.join([*REQUIRED, *OPTIONS])}."
        )
    return FinetunePlan(**{name: read_value(name, value) for name, value in values.items()})


def read_value(name: str, value: Any) -> Any:
    """A value as the plan has it."""
    if name in REQUIRED:
        return str(value) if name == "name" else read_one(name, value, Path)
    notes = OPTIONS[name].metadata
    if notes["is_many"]:
        several = [value] if isinstance(value, (str, Path)) else value
        if not isinstance(several, (list, tuple)):
            raise wrong(name, value, "a list")
        return tuple(read_one(name, one, notes["kind"]) for one in several)
    return read_one(name, value, notes["kind"])


def read_one(name: str, value: Any, kind: type) -> Any:
    """A single value, whichever door it came through."""
    if kind is Path and isinstance(value, (str, Path)):
        return expanded(value)
    if kind is bool or isinstance(value, bool):
        if kind is bool and isinstance(value, bool):
            return value
        raise wrong(name, value, KINDS[kind])
    if kind is str and isinstance(value, (str, Path)):
        return str(value)
    if kind in (int, float) and isinstance(value, (int, float, str)):
        return read_number(name, value, kind)
    raise wrong(name, value, KINDS[kind])


def read_number(name: str, value: int | float | str, kind: type) -> int | float:
    """A number, a whole one where one is wanted."""
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise wrong(name, value, KINDS[kind]) from None
    if kind is float:
        return number
    if number != number or number in (float("inf"), float("-inf")) or number != int(number):
        raise wrong(name, value, KINDS[kind])
    return int(number)


def wrong(name: str, value: Any, wanted: str) -> FinetuneError:
    """What is told of a value of another kind."""
    return FinetuneError(f"{name} is {value!r}; wanted is {wanted}.")


def read_config_file(path: Path) -> dict[str, Any]:
    """The options of a YAML, TOML or JSON file; paths in it are as seen from its folder."""
    try:
        text = read_text(path)
        content = parse_config(text, path.suffix.casefold())
    except UserError as error:
        raise FinetuneError(str(error)) from error
    except (ValueError, RecursionError) as error:
        said = " ".join(str(error).split())
        raise FinetuneError(f"{path} cannot be read as options ({said}). Correct it.") from error
    if not isinstance(content, dict):
        raise FinetuneError(f"{path} holds no options; wanted are lines such as `minutes: 20`.")
    options = {str(key).replace("-", "_"): value for key, value in content.items()}
    return {name: beside(path.parent, name, value) for name, value in options.items()}


def parse_config(text: str, suffix: str) -> Any:
    """The content of a file by its suffix: .toml, .json, and YAML of any other."""
    if suffix == ".toml":
        return tomllib.loads(text)
    if suffix == ".json":
        return json.loads(text)
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def beside(folder: Path, name: str, value: Any) -> Any:
    """A path of a file as seen from where the file lies; what is none stays as it is."""
    if isinstance(value, list):
        return [beside(folder, name, one) for one in value]
    if not isinstance(value, str):
        return value
    path = folder / expanded(value)
    is_path = name in ("data", "out") or (
        name in OPTIONS and OPTIONS[name].metadata["kind"] is Path
    )
    is_there = name in PERHAPS and value not in WORDS and path.exists()
    return str(path) if is_path or is_there else value
