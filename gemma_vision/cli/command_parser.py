"""Command parser: argparse that complains in one sentence."""

from __future__ import annotations

import argparse
from typing import NoReturn

from postprocess.errors import UserError


class UsageError(UserError):
    """A command line that does not say what to do."""

    CODE = "E_USAGE"


class CommandParser(argparse.ArgumentParser):
    """argparse that complains in one sentence."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message[:1].upper()}{message[1:]}; see {self.prog} --help.")
