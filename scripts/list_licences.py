"""List the licences of what an installation of the app comes to, by requirements.lock.

Writes docs/licences.md from what the installed packages say of themselves; the ones that are not
installed here (NVIDIA's, which torch brings on Linux) stand below it by name.
"""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK, PAGE = ROOT / "requirements.lock", ROOT / "docs" / "licences.md"
LONGEST = 60  # letters of a licence's name; longer ones are the text itself

HEAD = """# Licences of what the app brings

Every package of `requirements.lock` and the licence that it states; written by `make lock`.

| package | version | licence |
|---|---|---|
"""


def locked() -> list[tuple[str, str]]:
    """Names and versions, as they are locked."""
    return re.findall(r"^([a-z0-9][\w.-]*)==([^ ;\\]+)", LOCK.read_text("utf-8"), re.MULTILINE)


def licence_of(name: str) -> str | None:
    """What an installed package says of its licence; None where it is not installed."""
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return None
    key = "License-Expression"
    stated = told[key] if key in told else ""  # noqa: SIM401  (its type has no get)
    kinds = [one for one in told.get_all("Classifier") or [] if one.startswith("License ::")]
    named = ", ".join(one.rpartition(" :: ")[2] for one in kinds)
    text = told["License"].strip().split("\n")[0] if "License" in told else ""
    return stated or named or (text if len(text) <= LONGEST else "") or "see its own page"


def main() -> None:
    """Write the page."""
    rows, others = [], []
    for name, version in locked():
        licence = licence_of(name)
        if licence is None:
            others.append(name)
        else:
            rows.append(f"| {name} | {version} | {licence} |")
    PAGE.write_text(HEAD + "\n".join(rows) + "\n", "utf-8")
    if others:
        more = "\nOn some systems only, under their own terms: " + ", ".join(others) + ".\n"
        PAGE.write_text(PAGE.read_text("utf-8") + more, "utf-8")


if __name__ == "__main__":
    main()
