"""Downloads: a result as the files of one kind, written among the uploads, from where they go."""

from __future__ import annotations

import secrets
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from gemma_vision.checkpoints.lazy_mask_decoder import LazyMaskDecoder
from gemma_vision.checkpoints.mask_decoder_files import DecoderError
from gemma_vision.web.jobs.visitor_answers import VisitorAnswer
from gemma_vision.web.server.picture_worker import open_picture
from gemma_vision.web.server.uploads import upload_folder
from postprocess.datasets.annotated import Codec
from postprocess.datasets.files import write_json
from postprocess.errors import UserError
from postprocess.exports import EXPORTERS, POINTLESS, Annotated

PICTURE, ANSWER = "picture", "answer"  # beside the kinds of EXPORTERS
NEEDS_PICTURE = ("overlay", PICTURE, "cutouts")
NEEDS_MASKS = ("yolo-polygons", "masks")
# In the order of the menu.
KINDS = (
    "overlay",
    PICTURE,
    ANSWER,
    "coco",
    "yolo",
    "yolo-polygons",
    "labelme",
    "label-studio",
    "voc",
    "csv",
    "masks",
    "cutouts",
    "svg",
    "paligemma",
)
assert set(KINDS) == {*EXPORTERS, PICTURE, ANSWER}


class DownloadError(UserError):
    """A download that cannot be made of what there is."""

    CODE = "E_DOWNLOAD"


def offered(result: VisitorAnswer) -> list[str]:
    """The kinds that can be made of a result."""
    return [kind for kind in KINDS if is_possible(result, kind)]


def is_possible(result: VisitorAnswer, kind: str) -> bool:
    """Whether a result has what files of a kind show."""
    if kind == ANSWER:
        return True
    if result.picture is None and kind in NEEDS_PICTURE:
        return False
    if kind == PICTURE:
        return True
    if result.has_points and kind in POINTLESS:
        return False
    return result.has_masks if kind in NEEDS_MASKS else result.has_things


def write_download(
    result: VisitorAnswer | None, kind: object, decoder: LazyMaskDecoder | None = None
) -> Path:
    """One file to take home, named after the picture: the kind's only one, or a zip of them.

    decoder: that of the codes, for lines of PaliGemma with masks. Raises DownloadError for what
    cannot be made, and as opening a picture does where the upload is gone.
    """
    if result is None or not isinstance(kind, str) or kind not in offered(result):
        raise DownloadError("There is no answer to make that of any more; press Run again.")
    with tempfile.TemporaryDirectory(prefix="gemma-vision-") as folder:
        picture = annotated(result, kind, decoder)
        files = write_files(result, kind, picture, Path(folder))
        target = upload_folder() / secrets.token_hex(16) / file_name(picture.stem, kind, files)
        target.parent.mkdir(parents=True)
        if len(files) == 1:
            target.write_bytes(files[0].read_bytes())
        else:
            pack(files, Path(folder), target)
    return target


def annotated(result: VisitorAnswer, kind: str, decoder: LazyMaskDecoder | None) -> Annotated:
    """The result as exporters take it; the picture is opened only where it is shown."""
    image = None
    if kind in NEEDS_PICTURE and result.picture is not None:
        if not result.picture.is_file():
            raise DownloadError("The picture is no longer here; choose it and press Run again.")
        image = open_picture(result.picture)
    instances = [] if kind in (PICTURE, ANSWER) else result.instances()
    codec = codec_of(decoder) if result.has_masks else None
    return Annotated(result.name, result.size, instances, image, codec=codec)


def write_files(result: VisitorAnswer, kind: str, picture: Annotated, folder: Path) -> list[Path]:
    """The files of a kind in a folder."""
    if kind == ANSWER:
        return [write_json(folder / f"{picture.stem}.answer.json", result.answer)]
    if kind == PICTURE:
        path = folder / f"{picture.stem}.png"
        picture.pixels.save(path, compress_level=1)
        return [path]
    return EXPORTERS[kind]([picture], folder)


def file_name(stem: str, kind: str, files: Sequence[Path]) -> str:
    """photo.svg, photo.coco.json for annotations.json, photo.masks.zip for several."""
    if len(files) != 1:
        return f"{stem}.{kind}.zip"
    own = files[0].name
    if own.startswith(f"{stem}."):
        return own
    suffix = files[0].suffix
    return f"{stem}{suffix}" if suffix == f".{kind}" else f"{stem}.{kind}{suffix}"


def pack(files: Sequence[Path], folder: Path, target: Path) -> None:
    """Files of a folder as a zip."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, path.relative_to(folder).as_posix())


def codec_of(decoder: LazyMaskDecoder | None) -> Codec | None:
    """What turns masks into codes, where it is at hand."""
    if decoder is None or not decoder.is_at_hand:
        return None
    try:
        opened = decoder.open()
    except DecoderError:
        return None
    return opened if hasattr(opened, "encode") else None  # type: ignore[return-value]
