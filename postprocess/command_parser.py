"""Command parser: argparse that complains in one sentence."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

from postprocess.errors import UserError
from postprocess.user_paths import expanded


class UsageError(UserError):
    """A command line that does not say what to do."""

    CODE = "E_USAGE"


class CommandParser(argparse.ArgumentParser):
    """argparse that complains in one sentence."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message[:1].upper()}{message[1:]}; see {self.prog} --help.")


def folder_name(text: str) -> str:
    """A folder as it was typed. Nothing at all, as an unset variable gives, names no folder: it
    would be the one that the command is called in.
    """
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty; name a folder, . for this one")
    return text


def folder_path(text: str) -> Path:
    """The same as a path. Shells leave the ~ of `--out=~/there` as it is."""
    return expanded(folder_name(text))
