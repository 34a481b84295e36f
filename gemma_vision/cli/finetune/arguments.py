"""Arguments of fine-tuning: an option for each field of the plan, made from its row."""

from __future__ import annotations

import argparse
from dataclasses import Field
from typing import Any

from gemma_vision.finetuning.plan import OPTIONS, default_text
from postprocess.command_parser import CommandParser, folder_path
from postprocess.user_paths import expanded

OWN = ("verb", "config", "resume", "device", "threads", "check")  # options that are no fields


def add_finetune(parser: CommandParser) -> None:
    """A data set to learn from, and how. What is left out is as in the plan."""
    add = parser.add_argument
    add(
        "data",
        type=folder_path,
        nargs="?",
        metavar="DATA",
        help="a data set: a folder, or its file",
    )
    add("--name", help="of the checkpoint that comes out")
    add("--out", type=folder_path, metavar="DIR", help="folder to write it into")
    add(
        "--config",
        type=expanded,
        metavar="FILE",
        help="options as YAML, TOML or JSON; typed ones win",
    )
    add("--check", action="store_true", help="tell all that is wrong with the data, learn nothing")
    add("--resume", action="store_true", help="go on where an earlier run stopped")
    add("--device", help="cpu, cuda or mps (default: the best there is)")
    add("--threads", type=int, metavar="N", help="of the processor (default: as torch has it)")
    groups: dict[str, Any] = {}
    for name, row in OPTIONS.items():
        title = row.metadata["group"]
        if title not in groups:
            groups[title] = parser.add_argument_group(title)
        add_option(groups[title], name, row)


def add_option(group: Any, name: str, row: Field[Any]) -> None:
    """One field as an option; what is not given is None."""
    notes, flag = row.metadata, f"--{name.replace('_', '-')}"
    told = default_text(name)
    about = f"{notes['about']} (default: {told})" if told else notes["about"]
    if notes["kind"] is bool:
        if row.default is True:
            group.add_argument(
                f"--no-{name}", dest=name, action="store_const", const=False, help=about
            )
            return
        group.add_argument(flag, action="store_const", const=True, help=about)
        if row.default is None:
            group.add_argument(
                f"--no-{name}", dest=name, action="store_const", const=False, help="never"
            )
        return
    more = {"action": "append"} if notes["is_many"] else {}
    kind = notes["kind"]
    group.add_argument(flag, type=kind, metavar=notes["metavar"], help=about, **more)


def add_merge(parser: CommandParser) -> None:
    """An adapter and where the whole model goes."""
    parser.add_argument("adapter", help="the folder of an adapter, or its id on the Hub")
    parser.add_argument("--base", help="the model under an adapter that names one elsewhere")
    about = "folder to write"
    parser.add_argument("--out", type=folder_path, required=True, metavar="DIR", help=about)


def given(options: argparse.Namespace) -> dict[str, Any]:
    """The fields of the plan that were typed."""
    return {
        name: value
        for name, value in vars(options).items()
        if name not in OWN and value is not None
    }
