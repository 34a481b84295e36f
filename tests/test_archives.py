"""Archives: what a zip claims is believed before anything of it is unpacked, and no further."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from noise_decoder import noise_arrays, write_noise

from gemma_vision.web.server.picture_uploads import collect_pictures
from gemma_vision.web.server.uploads import UploadError
from postprocess.archives import MAX_UNPACKED, ArchiveError, open_archive
from postprocess.mask_decoder import MaskDecoder, MaskDecoderError

MIB = 2**20
ROOM = 8 * MIB  # what reading a bomb may take of memory


def zipped(method: int, name: str = "a.png", size: int = 40 * MIB) -> bytes:
    """A zip of one member of zeros."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr(name, bytes(size))
    return packed.getvalue()


def with_size(data: bytes, size: int) -> bytes:
    """The list and the member claim another size than they have."""
    local, listed = 22, data.index(b"PK\x01\x02") + 24
    claimed = bytearray(data)
    for place in (local, listed):
        claimed[place : place + 4] = struct.pack("<I", size)
    return bytes(claimed)


def many_claims() -> bytes:
    """Sixty entries of one member: an archive of 100 kB that comes to 2 GB."""
    one = zipped(zipfile.ZIP_DEFLATED)
    start = one.index(b"PK\x01\x02")
    end = one.index(b"PK\x05\x06")
    entries = one[start:end] * 60
    return (
        one[:start]
        + entries
        + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 60, 60, len(entries), start, 0)
    )


def long_list() -> bytes:
    """A list of 40,000 names."""
    entry = struct.pack(
        "<I6H3I5H2I", 0x02014B50, *([20, 20, 0, 0, 0, 0]), 0, 0, 0, 5, *[0] * 4, 0, 0
    )
    entries = b"".join(entry + b"%05d" % number for number in range(40_000))
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 40_000, 40_000, len(entries), 0, 0)
    return entries + end


BOMBS: dict[str, Callable[[], bytes]] = {
    "bzip2": lambda: zipped(zipfile.ZIP_BZIP2),
    "lzma": lambda: zipped(zipfile.ZIP_LZMA),
    "a zip in a zip": lambda: zipped(zipfile.ZIP_DEFLATED, "b.ZIP"),
    "a tar in a zip": lambda: zipped(zipfile.ZIP_DEFLATED, "b.tar.xz"),
    "claims of 2 GiB": lambda: with_size(zipped(zipfile.ZIP_DEFLATED), 2**31),
    "many entries of one member": many_claims,
    "a list without end": long_list,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_at_once_and_takes_no_memory(name: str, tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    path.write_bytes(BOMBS[name]())
    tracemalloc.start()
    begun = time.process_time()
    try:
        with pytest.raises(ArchiveError), open_archive(path) as archive:
            archive.read(archive.names[0], 2**31)
        assert tracemalloc.get_traced_memory()[1] < ROOM
    finally:
        tracemalloc.stop()
    assert time.process_time() - begun < 1


@pytest.mark.parametrize("name", BOMBS)
def test_the_batch_tab_refuses_it_too(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    (tmp_path / "bomb.zip").write_bytes(BOMBS[name]())
    with pytest.raises(UploadError):
        collect_pictures([str(tmp_path / "bomb.zip")])


def test_a_member_without_a_name_is_refused(tmp_path: Path) -> None:
    """A name ends at a zero byte; Python's own reader fails on what is left of this one."""
    path = tmp_path / "nameless.zip"
    path.write_bytes(zipped(zipfile.ZIP_DEFLATED, size=9).replace(b"a.png", b"\0.png"))
    with pytest.raises(ArchiveError, match="without a name"), open_archive(path) as archive:
        archive.read(archive.names[0], 9)
    write_noise(tmp_path / "codes.npz")
    data = (tmp_path / "codes.npz").read_bytes()
    with zipfile.ZipFile(tmp_path / "codes.npz") as opened:
        first = opened.namelist()[0].encode()
    path.write_bytes(data.replace(first, b"\0" + first[1:]))
    with pytest.raises(MaskDecoderError):
        MaskDecoder.load(path)


def test_a_member_is_read_to_one_byte_more_than_its_limit(tmp_path: Path) -> None:
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        path = tmp_path / "large.zip"
        path.write_bytes(zipped(method))
        tracemalloc.start()
        with open_archive(path) as archive:
            assert len(archive.read("a.png", MIB)) == MIB + 1
            assert tracemalloc.get_traced_memory()[1] < ROOM
        tracemalloc.stop()


def test_as_much_as_is_allowed_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "limit.zip"
    path.write_bytes(with_size(zipped(zipfile.ZIP_DEFLATED, size=100), MAX_UNPACKED))
    with open_archive(path) as archive:
        assert archive.names == ["a.png"]
    path.write_bytes(with_size(zipped(zipfile.ZIP_DEFLATED, size=100), MAX_UNPACKED + 1))
    with pytest.raises(ArchiveError, match="512 MiB"), open_archive(path):
        pass


def test_a_member_that_lies_in_front_of_the_file_is_damaged() -> None:
    """A byte cut off at the start moves every place that the list names; found by changed bytes."""
    file = io.BytesIO(zipped(zipfile.ZIP_DEFLATED, size=100)[1:])
    with open_archive(file) as archive, pytest.raises(ArchiveError, match="damaged"):
        archive.read("a.png", MIB)


def test_a_locked_zip_says_that_it_is_locked(tmp_path: Path) -> None:
    data = bytearray(zipped(zipfile.ZIP_STORED, size=10))
    for place in (6, data.index(b"PK\x01\x02") + 8):
        data[place] |= 1
    (tmp_path / "locked.zip").write_bytes(data)
    with pytest.raises(ArchiveError, match="password"), open_archive(tmp_path / "locked.zip"):
        pass


def rewritten(path: Path, method: int, **members: bytes) -> Path:
    """A mask decoder file with members of other bytes, packed in another way."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, array in noise_arrays(0).items():
            plain = io.BytesIO()
            np.save(plain, array)
            archive.writestr(f"{name}.npy", members.get(name, plain.getvalue()))
    return path


def header(shape: str, kind: str = "<f4") -> bytes:
    """An array's file that claims a shape and brings no numbers."""
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) + 1) + text.encode() + b"\n"


NAME = "_vq_vae._embedding"
ARRAYS = {
    "a shape of exabytes": header("(1000000000, 1000000000)"),
    "a shape whose product never ends": header(f"({'9' * 15}, {'9' * 15})"),
    "a number of 5000 digits": header(f"({'9' * 5000},)"),
    "deep nesting": header("(" * 3000 + ")" * 3000),
    "objects": header("(128, 512)", "|O"),
    "gigabytes behind the header": header("(128, 512)") + bytes(200 * MIB),
    "nothing": b"",
}


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> int:
    """What reading a good file takes of memory, once torch is here."""
    path = write_noise(tmp_path_factory.mktemp("honest") / "noise.npz")
    MaskDecoder.load(path)
    tracemalloc.start()
    MaskDecoder.load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_that_claims_too_much_is_refused(name: str, honest: int, tmp_path: Path) -> None:
    path = rewritten(tmp_path / "bad.npz", zipfile.ZIP_DEFLATED, **{NAME: ARRAYS[name]})
    tracemalloc.start()
    begun = time.process_time()
    try:
        with pytest.raises(MaskDecoderError) as refusal:
            MaskDecoder.load(path)
        assert tracemalloc.get_traced_memory()[1] < honest + ROOM
    finally:
        tracemalloc.stop()
    assert time.process_time() - begun < 2 and len(str(refusal.value)) < 500


def test_a_mask_decoder_packed_by_bzip2_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MaskDecoderError):
        MaskDecoder.load(rewritten(tmp_path / "bad.npz", zipfile.ZIP_BZIP2))


def test_a_mask_decoder_is_read_however_numpy_packs_it(tmp_path: Path) -> None:
    plain, packed = write_noise(tmp_path / "plain.npz"), tmp_path / "packed.npz"
    np.savez_compressed(packed, **noise_arrays(0))
    codes = np.arange(16)[None]
    one, other = (MaskDecoder.load(path).decode(codes) for path in (plain, packed))
    assert np.array_equal(one, other)
