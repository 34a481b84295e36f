"""Where a COCO data set keeps its annotations and its pictures, as the programs lay it out.

FOLDER/annotations.json, pictures beside it or in images/     Gemma Vision
FOLDER/train/_annotations.coco.json                           Roboflow
FOLDER/annotations/instances_default.json, images/            CVAT, Datumaro
FOLDER/annotations/instances_val2017.json, val2017/           COCO itself
FOLDER/result.json, images/                                   Label Studio
FOLDER/labels.json, data/                                     FiftyOne
"""

from fnmatch import fnmatchcase
from pathlib import Path

from postprocess.datasets.files import ExportError

FILE = "annotations.json"

# Those of a row are alike; the first row with a file that is there decides.
_PATTERNS = (
    (FILE,),
    ("_annotations.coco.json", "result.json", "labels.json", "instances_*.json"),
    ("annotations/instances_*.json",),
    ("annotations/*.json",),
    ("*/_annotations.coco.json", "*/annotations.json", "*/result.json"),
    ("*.json",),
)
_SPLIT = "instances_"  # what comes behind it is often the folder of the pictures
_MOST_NAMED = 3


def find_file(path: Path) -> Path:
    """The annotations of a folder, or the file itself; ExportError where there is none, or many."""
    if path.is_file():
        return path
    if not path.is_dir():
        raise ExportError(f"There is no file {path}. Name a COCO file, or a folder with {FILE}.")
    for patterns in _PATTERNS:
        found = [file for pattern in patterns for file in match_files(path, pattern)]
        if len(found) == 1:
            return found[0]
        if found:
            named = ", ".join(file.relative_to(path).as_posix() for file in found[:_MOST_NAMED])
            more = " and others" if len(found) > _MOST_NAMED else ""
            raise ExportError(
                f"{path} holds several files that could be its annotations: {named}{more}. "
                "Name one of them."
            )
    looked = ", ".join(name for names in _PATTERNS[:-1] for name in names)
    raise ExportError(
        f"There is no COCO file in {path}. Looked for {looked}; name the file itself."
    )


def picture_places(path: Path, given: Path) -> list[Path]:
    """Where the pictures of an annotation file may lie, the likeliest first.

    given: the path that the data set was named by.
    """
    here = path.parent
    root = here.parent if here.name.casefold() == "annotations" else here
    split = path.stem.removeprefix(_SPLIT) if path.stem.startswith(_SPLIT) else ""
    of_split = [root / split, root / "images" / split] if split else []
    places = [here, here / "images", *of_split, root, root / "images", root / "data"]
    return [*places, given] if given.is_dir() else places


def match_files(folder: Path, pattern: str) -> list[Path]:
    """The files below a folder that a pattern means, whatever the case of their letters."""
    first, _, rest = pattern.partition("/")
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    found = [one for one in entries if fnmatchcase(one.name.casefold(), first)]
    if rest:
        return [file for one in found if one.is_dir() for file in match_files(one, rest)]
    return [one for one in found if one.is_file() and not one.name.startswith(".")]
