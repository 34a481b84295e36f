"""Clip art: drawings of hundreds of people, chosen by eye from the Open Clip Art Library.

Each is in the public domain; file names end with who drew it. Those under "" have no name.
"""

import json
from pathlib import Path

FILE = Path(__file__).parent / "tables" / "clipart.json"


def read_clipart() -> dict[str, list[str]]:
    """Name -> its drawings, as paths below the library's folder, without `.svg`."""
    listed: dict[str, list[str]] = json.loads(FILE.read_text("utf-8"))
    return listed
