"""Every option and every task is offered at every door, as its row says."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import get_type_hints

import pytest
from fake_engine import fake_pipeline

from gemma_vision.cli.arguments import COMMANDS, build
from gemma_vision.cli.option_arguments import flag_of
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests import options
from gemma_vision.requests.option import Option
from gemma_vision.requests.options import OPTIONS, Options, options_of
from gemma_vision.requests.request import Request
from gemma_vision.requests.tasks import FORM_TASKS, PARSE, TASKS, Task
from gemma_vision.web.api.endpoints import parse_endpoint, task_endpoints
from gemma_vision.web.api.mcp_tools import Line, tool_of

ROOT = Path(__file__).parent.parent
ENDPOINTS = {one.__name__: one for one in (*task_endpoints(fake_pipeline()), parse_endpoint())}
COMMAND_PARSERS = build()[1]
PAIRS = [
    pytest.param(task, option, id=f"{task}-{option.name}")
    for task in (*TASKS, PARSE)
    for option in options_of(task)
]


@pytest.mark.parametrize("task, option", PAIRS)
def test_a_command_offers_the_option(task: str, option: Option) -> None:
    actions = {flag: one for one in COMMAND_PARSERS[task]._actions for flag in one.option_strings}
    assert actions[flag_of(option.name)].default == option.default
    assert not [name for name in OPTIONS if flag_of(name) in actions and not has(task, name)]


@pytest.mark.parametrize("task, option", [pair for pair in PAIRS if pair.values[0] in ENDPOINTS])
def test_an_endpoint_and_its_tool_offer_the_option(task: str, option: Option) -> None:
    endpoint = ENDPOINTS[task]
    for door in (endpoint, tool_of(endpoint, Line())):
        taken = inspect.signature(door).parameters
        assert taken[option.name].default == option.default
        assert not [name for name in OPTIONS if name in taken and not has(task, name)]


@pytest.mark.parametrize("option", OPTIONS.values(), ids=lambda option: option.name)
def test_a_video_offers_what_its_frames_can_be_asked(option: Option) -> None:
    flags = {flag for one in COMMAND_PARSERS["video"]._actions for flag in one.option_strings}
    assert (flag_of(option.name) in flags) == bool(set(FORM_TASKS) & option.tasks)


def test_a_request_has_every_option_and_nothing_else() -> None:
    own = {"image", "task", "text", "turns", "reading"}
    assert {one.name for one in fields(Request)} == {*OPTIONS, *own}


@pytest.mark.parametrize("task", TASKS)
def test_the_types_of_a_verb_are_those_of_its_rows(task: str) -> None:
    """Type checkers read typed dicts, everything else the rows: they say the same."""
    verb = inspect.signature(getattr(Pipeline, task))
    (name,) = re.findall(r"^Unpack\[(\w+)\]$", verb.parameters["options"].annotation)
    typed, hints, own = vars(options)[name], get_type_hints(Options), set(verb.parameters)
    wanted = {one.name: hints[one.name] for one in options_of(task) if one.name not in own}
    assert get_type_hints(typed) == wanted and not typed.__required_keys__


def test_the_types_of_read_are_those_of_its_rows() -> None:
    hints = get_type_hints(Options)
    wanted = {one.name: hints[one.name] for one in options_of(PARSE)}
    assert get_type_hints(options.FilterOptions) == wanted


def test_what_may_be_null_is_yes_or_no_or_neither_on_the_command_line() -> None:
    parser = COMMAND_PARSERS["detect"]
    given = [["a.png", "cat"], ["a.png", "cat", "--drop-unasked"]]
    given.append(["a.png", "cat", "--no-drop-unasked"])
    assert [parser.parse_args(words).drop_unasked for words in given] == [None, True, False]


def test_every_task_has_a_row_and_a_command() -> None:
    assert list(TASKS) == list(Task) and set(TASKS) <= set(COMMANDS)


@pytest.mark.parametrize("option", OPTIONS.values(), ids=lambda option: option.name)
def test_a_row_makes_sense(option: Option) -> None:
    assert option.tasks <= {*Task, PARSE} and option.late <= option.tasks
    assert option.check(option.default) == option.default
    assert option.describe().endswith(".") and "{" not in option.describe()
    assert option.is_nullable == (option.default is None)
    if option.type in (int, float):
        assert option.low is not None and option.high is not None and option.low < option.high
    if option.type is str:
        assert option.choices and (option.is_nullable or option.default in option.choices)


def test_the_tables_of_the_docs_are_those_of_the_library() -> None:
    script = ROOT / "scripts" / "write_tables.py"
    done = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout} Run python scripts/write_tables.py."


def has(task: str, name: str) -> bool:
    return task in OPTIONS[name].tasks
