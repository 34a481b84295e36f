"""Packages: sets of drawings and pictures as npm and apt have them, unpacked."""

import subprocess
from pathlib import Path

from training.drawings.sets import DrawingSource


def fetch(source: DrawingSource, folder: Path) -> Path:
    """The unpacked package of a set -> its folder, fetched when it is not there yet."""
    place = folder / source.name
    if place.exists():
        return place
    draft = folder / f".{source.name}.new"
    draft.mkdir(parents=True, exist_ok=True)
    if not source.is_npm:
        subprocess.run(["apt-get", "download", source.package], cwd=draft, check=True)
        (archive,) = draft.glob("*.deb")
        subprocess.run(["dpkg-deb", "-x", archive.name, "."], cwd=draft, check=True)
    else:
        package = f"{source.package}@{source.version}"
        subprocess.run(["npm", "pack", "--silent", package], cwd=draft, check=True)
        (archive,) = draft.glob("*.tgz")
        subprocess.run(
            ["tar", "xzf", archive.name, "--strip-components", "1"], cwd=draft, check=True
        )
    draft.rename(place)
    return place
