"""Whatever bytes come, a reader opens them or refuses in its own words, at once and in little room.

`make fuzz` runs the same for longer: FUZZ_EXAMPLES says how many examples a target gets.
"""

from __future__ import annotations

import io
import json
import os
import struct
import time
import zipfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from crafted_pictures import encoded
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from gemma_vision.checkpoints.bounds.malformed import as_checkpoint_error
from gemma_vision.checkpoints.config import parse_config
from gemma_vision.evaluate.dataset_reader import read_dataset
from gemma_vision.images.opening import open_image
from gemma_vision.registry.loading import count_parameters
from postprocess.archives import open_archive
from postprocess.errors import UserError
from postprocess.mask_decoder import MaskDecoder
from postprocess.tokens import parse

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "25"))
SECONDS = 1.0  # of the processor
KINDS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "AVIF")
QUICK = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize="FUZZ_EXAMPLES" not in os.environ,
)


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", encoded(Image.new("RGB", (9, 7)), "PNG"))
        archive.writestr("deep/b.txt", "words" * 50)
    return file.getvalue()


def packed_arrays() -> bytes:
    file = io.BytesIO()
    np.savez(file, **{"_vq_vae._embedding": np.zeros((4, 4), np.float32)})
    return file.getvalue()


def safetensors() -> bytes:
    header = json.dumps({"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(24)


def read_zip(data: bytes) -> None:
    with open_archive(io.BytesIO(data)) as archive:
        for name in archive.names[:8]:
            archive.read(name, 2**20)


def from_file(name: str, read: Callable[[Path], object]) -> Callable[[bytes], None]:
    """A reader of bytes that are a file of this name, alone in a folder."""

    def reader(data: bytes) -> None:
        with TemporaryDirectory() as folder:
            (Path(folder) / name).write_bytes(data)
            read(Path(folder))

    return reader


TARGETS: dict[str, tuple[bytes, Callable[[bytes], object]]] = {
    **{
        kind: (encoded(Image.effect_noise((33, 21), 50).convert("RGB"), kind), open_image)
        for kind in KINDS
    },
    "zip": (zipped(), read_zip),
    "npz": (packed_arrays(), from_file("a.npz", lambda at: MaskDecoder.load(at / "a.npz"))),
    "safetensors": (safetensors(), from_file("model.safetensors", count_parameters)),
    "answer": (
        b"<loc0102><loc0200><loc0800><loc0900><seg001> cat ; [{'box_2d': [1, 2, 3, 4]}]",
        lambda data: parse(data.decode("utf-8", "replace")),
    ),
}


@pytest.mark.parametrize("target", TARGETS)
def test_changed_bytes_are_read_or_refused(target: str) -> None:
    seed, read = TARGETS[target]
    with suppress(UserError):
        read(seed)  # what is imported by then does not count
    places = st.integers(0, len(seed) - 1)
    change = st.tuples(places, st.binary(min_size=0, max_size=8), st.integers(0, 8))

    @QUICK
    @given(st.lists(change, max_size=6), places)
    def attack(changes: list[tuple[int, bytes, int]], end: int) -> None:
        data = bytearray(seed)
        for start, fresh, length in changes:
            data[start : start + length] = fresh
        for one in (bytes(data), bytes(data[:end])):
            begun = time.process_time()
            try:
                read(one)
            except UserError as error:
                assert len(str(error)) < 1000 and "\n" not in str(error)
            assert time.process_time() - begun < SECONDS

    attack()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=9,
)
CONFIG = json.loads(
    (Path(__file__).parent.parent / "gemma_vision/checkpoints/tiny/config.json").read_text()
)


@QUICK
@given(st.sampled_from([None, "text_config", "vision_config"]), st.integers(0, 99), VALUES)
def test_any_value_of_a_config_is_read_or_refused(
    part: str | None, number: int, value: object
) -> None:
    place = CONFIG if part is None else CONFIG[part]
    key = sorted(place)[number % len(place)]
    changed = {**place, key: value}
    values = changed if part is None else CONFIG | {part: changed}
    try:
        with as_checkpoint_error("config.json"):
            parse_config(values)
    except UserError as error:
        assert len(str(error)) < 1000


ANNOTATIONS = {
    "images": [{"id": 1, "file_name": "a.png", "width": 64, "height": 48}],
    "categories": [{"id": 1, "name": "cat"}],
    "annotations": [
        {
            "id": 1,
            "image_id": 1,
            "category_id": 1,
            "bbox": [1, 2, 10, 10],
            "segmentation": [[1, 2, 11, 2, 11, 12, 1, 12]],
        },
        {
            "id": 2,
            "image_id": 1,
            "category_id": 1,
            "iscrowd": 1,
            "bbox": [1, 2, 10, 10],
            "segmentation": {"size": [48, 64], "counts": [0, 100, 2972]},
        },
    ],
}
HOSTILE = st.sampled_from(
    [float("inf"), float("nan"), -1e308, 2**62, "9" * 5000, "../../etc/passwd", "a\0b", [1e300] * 8]
)


def places_of(value: object, place: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """Where something stands in a JSON value, as keys from its root."""
    rows: Iterable[tuple[object, object]] = ()
    if isinstance(value, dict):
        rows = value.items()
    elif isinstance(value, list):
        rows = enumerate(value)
    return [place, *(one for key, part in rows for one in places_of(part, (*place, key)))]


PLACES = places_of(ANNOTATIONS)[1:]


@QUICK
@example(("annotations", 0, "category_id"), "9" * 5000)
@example(("images", 0, "file_name"), "9" * 5000)
@given(st.sampled_from(PLACES), VALUES | HOSTILE)
def test_any_value_of_annotations_is_read_or_refused(
    place: tuple[str | int, ...], value: object
) -> None:
    changed = json.loads(json.dumps(ANNOTATIONS))
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    with TemporaryDirectory() as name:
        folder = Path(name)
        Image.new("RGB", (64, 48)).save(folder / "a.png")
        (folder / "annotations.json").write_text(json.dumps(changed))
        begun = time.process_time()
        try:
            for scene in read_dataset(folder).scenes:
                assert scene.path.is_relative_to(folder)
                for thing in scene.things:
                    thing.mask(scene.size)
        except UserError as error:
            assert len(str(error)) < 1000
        assert time.process_time() - begun < 2 * SECONDS
