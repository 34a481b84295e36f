"""Own names: what some sets call drawings that the others call by Unicode's short names.

Chosen by eye: a set's own "apple" may be a trademark, and its "tree" a diagram.
"""

import json
from pathlib import Path

FILE = Path(__file__).parent / "tables" / "own_names.json"
JOINED = ("fxemoji",)  # write short names without hyphens
# Emoji that a set shows as something else: a hoop, a racket, a tower; a bed for a hotel, and the
# game instead of the insect.
MISTAKEN = {
    "symbola": "🏀🎾🖥💻🛋",
    "noto-ink": "🎾",
    "mdi": "🏨🦗",
    "font-awesome": "🏨",
    "tabler": "🦗",
    "phosphor": "🦗",
}


def read_own_names() -> dict[str, dict[str, str]]:
    """Set -> name -> its drawings' own names, separated by spaces."""
    listed: dict[str, dict[str, str]] = json.loads(FILE.read_text("utf-8"))
    return listed
