"""Label Studio's names: its tasks have the addresses of pictures, data sets have names of files."""

import re
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from postprocess.datasets.picture_files import name_parts

NAME = "file_name"  # of what this package writes into a task's data, beside the address
UPLOADS = "/data/"  # how the address of an uploaded file begins, written as addresses are

_MEANT = re.compile(r"[%?#&+:\\]")  # what means something in an address

JSON = dict[str, Any]


def address_of(name: str) -> str:
    """A picture's name as an address, relative to wherever pictures are.

    "a b/what?.jpg"  ->  "a b/what%3F.jpg"
    """
    return _MEANT.sub(lambda found: f"%{ord(found[0]):02X}", name)


def image_of(task: JSON) -> str:
    """What a task says of where its picture is."""
    data = task.get("data", task)
    said = data.get("image") or next(
        (v for v in data.values() if isinstance(v, str) and "." in v), None
    )
    if not isinstance(said, str):
        raise ValueError("a task has no image")
    return said


def path_in(address: str) -> str:
    """The path that an address names; any other text is one itself."""
    if "?" not in address and "://" not in address and not address.startswith(UPLOADS):
        return address
    parts = urlsplit(address)
    asked = parse_qs(parts.query).get("d")  # of a local file, and no more an address
    return asked[0] if asked else unquote(parts.path)


def picture_place(task: JSON) -> tuple[tuple[str, ...], int]:
    """The folders and the name of a task's picture, and how many of them belong to its name.

    One that this package wrote is called as it was, in whatever folder it is by now.
    """
    said, name = image_of(task), task.get("data", task).get(NAME)
    if isinstance(name, str) and is_within(name):
        before, is_own, _ = said.rpartition(address_of(name))
        if is_own and before[-1:] in ("", "/", "=") and said.endswith(address_of(name)):
            own = tuple(name.split("/"))
            return (*name_parts(path_in(before)), *own), len(own)
    return name_parts(path_in(said)), 1


def is_within(name: str) -> bool:
    """Whether a name leads nowhere else than into a folder."""
    whole = all(part.strip(".") and not part.endswith(":") for part in name.split("/"))
    return whole and ".." not in name.replace("\\", "/").split("/")
