"""Pictures open upright and clean or not at all, and become the pixels that transformers makes."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gemma_vision.images.opening import MAX_BYTES, MAX_SIDE, ImageError, open_image
from gemma_vision.images.resizing import to_pixels


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and has no pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(b"")), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
def test_formats_that_people_have_open(kind: str) -> None:
    opened = open_image(encoded(noise(30, 20), kind))
    assert (opened.mode, opened.size) == ("RGB", (30, 20))


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda path: path, id="path"),
        pytest.param(str, id="string"),
        pytest.param(lambda path: path.read_bytes(), id="bytes"),
        pytest.param(lambda path: io.BytesIO(path.read_bytes()), id="file"),
        pytest.param(Image.open, id="lazy picture"),
        pytest.param(lambda path: np.asarray(Image.open(path)), id="array"),
    ],
)
def test_one_picture_is_the_same_from_wherever_it_comes(make, tmp_path: Path) -> None:
    noise(13, 7).save(tmp_path / "a.png")
    assert open_image(make(tmp_path / "a.png")).tobytes() == noise(13, 7).tobytes()


@pytest.mark.parametrize(
    "bad, code",
    [
        pytest.param(b"", "E_IMAGE_EMPTY", id="0 bytes"),
        pytest.param(b"GIF", "E_IMAGE_FORMAT", id="three bytes"),
        pytest.param(b"hello, world" * 50, "E_IMAGE_FORMAT", id="text"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "E_IMAGE_FORMAT", id="svg"),
        pytest.param(encoded(noise(64, 64))[:-900], "E_IMAGE_UNREADABLE", id="truncated png"),
        pytest.param(encoded(noise(64, 64), "JPEG")[:-900], "E_IMAGE_UNREADABLE", id="cut jpeg"),
        pytest.param(encoded(noise(9, 9), "TIFF"), "E_IMAGE_FORMAT", id="tiff is not allowed"),
        pytest.param(png_header(60_000, 60_000), "E_IMAGE_TOO_LARGE", id="bomb"),
        pytest.param(png_header(MAX_SIDE + 1, 1), "E_IMAGE_TOO_LARGE", id="too wide"),
        pytest.param(png_header(12_000, 12_000), "E_IMAGE_TOO_LARGE", id="too many pixels"),
        pytest.param(b"\0" * (MAX_BYTES + 1), "E_IMAGE_TOO_LARGE", id="too many bytes"),
        pytest.param(Path("no-such-file.png"), "E_IMAGE_MISSING", id="no file"),
        pytest.param(Path("."), "E_IMAGE_UNREADABLE", id="folder"),
        pytest.param("a\0b", "E_IMAGE_UNREADABLE", id="null in a path"),
        pytest.param(42, "E_IMAGE_TYPE", id="number"),
        pytest.param(np.zeros((4, 4, 2)), "E_IMAGE_TYPE", id="two channels"),
        pytest.param(np.zeros((0, 4, 3)), "E_IMAGE_EMPTY", id="no pixels"),
        pytest.param(np.zeros(4), "E_IMAGE_TYPE", id="a row of numbers"),
        pytest.param(np.array([["a"]]), "E_IMAGE_TYPE", id="array of words"),
    ],
)
def test_bad_input_gets_a_code_and_one_sentence(bad, code: str) -> None:
    with pytest.raises(ImageError) as caught:
        open_image(bad)
    assert caught.value.code == code
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("error")
def test_our_own_check_of_the_size_is_the_only_one_that_speaks() -> None:
    with pytest.raises(ImageError, match="12000 x 12000; the limit"):
        open_image(png_header(12_000, 12_000))
    with pytest.raises(Image.DecompressionBombWarning):  # anybody else still hears it
        Image.open(io.BytesIO(png_header(12_000, 12_000)))


@pytest.mark.parametrize("name", ["", ".", "/"])
def test_a_name_that_names_no_file_is_told(name: str) -> None:
    with pytest.raises(ImageError, match=r"^[\w./]") as caught:
        open_image(name)
    assert caught.value.code == ("E_IMAGE_UNREADABLE" if name else "E_IMAGE_MISSING")


def test_pixels_that_are_missing_are_no_reason_to_ask_for_a_file() -> None:
    with pytest.raises(ImageError, match=r"4 x 0.*at least 1 x 1") as caught:
        open_image(np.zeros((0, 4, 3)))
    assert "PNG" not in str(caught.value)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_stand_as_the_camera_was_held(orientation: int) -> None:
    from PIL import ImageOps

    plain = noise(12, 8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    opened = open_image(encoded(plain, "PNG", exif=exif))
    plain.getexif()[0x0112] = orientation
    assert opened.tobytes() == ImageOps.exif_transpose(plain).tobytes()
    assert opened.size == ((12, 8) if orientation < 5 else (8, 12))


def test_metadata_stays_behind() -> None:
    exif = Image.Exif()
    exif[0x010E] = "somewhere private"
    opened = open_image(encoded(noise(8, 8), "JPEG", exif=exif, comment=b"secret"))
    assert opened.info == {}
    assert b"private" not in encoded(opened, "JPEG")


def test_the_picture_given_is_left_as_it_was() -> None:
    given = noise(8, 8)
    given.info["note"] = "mine"
    opened = open_image(given)
    opened.paste((0, 0, 0), (0, 0, 8, 8))
    assert given.info == {"note": "mine"}
    assert given.tobytes() == noise(8, 8).tobytes()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_lies_on_white(mode: str) -> None:
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0)).convert(mode)
    assert open_image(encoded(clear)).getpixel((0, 0)) == (255, 255, 255)


def test_half_transparent_black_on_white_is_grey() -> None:
    veil = Image.new("RGBA", (4, 4), (0, 0, 0, 128))
    assert open_image(veil).getpixel((1, 1)) == (127, 127, 127)


@pytest.mark.parametrize(
    "array, grey",
    [
        pytest.param(np.full((4, 4), 32768, np.uint16), 128, id="uint16"),
        pytest.param(np.full((4, 4), 65535, np.uint16), 255, id="white uint16"),
        pytest.param(np.full((4, 4), 32768, ">u2"), 128, id="big-endian uint16"),
        pytest.param(np.full((4, 4), 200, np.uint16), 1, id="nearly black uint16"),
        pytest.param(np.full((4, 4), 128, np.uint8), 128, id="uint8"),
        pytest.param(np.full((4, 4, 1), 0.5), 128, id="float"),
        pytest.param(np.full((4, 4), np.nan), 0, id="not a number"),
        pytest.param(np.ones((4, 4), bool), 255, id="bool"),
        pytest.param(np.full((4, 4, 3), 128, np.int64), 128, id="int64"),
        pytest.param(np.full((4, 4, 3), -5, np.int32), 0, id="negative"),
    ],
)
def test_grey_levels_of_any_type_keep_their_brightness(array: np.ndarray, grey: int) -> None:
    assert open_image(array).getpixel((2, 2)) == (grey, grey, grey)


def test_a_16_bit_file_is_not_clipped_to_white() -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    opened = np.asarray(open_image(encoded(Image.fromarray(ramp))))
    assert np.abs(opened[..., 0].ravel().astype(int) - np.arange(256)).max() <= 1


@pytest.mark.parametrize("top", [1.0, 255.0])
def test_float_pictures_are_read_in_either_range(top: float) -> None:
    image = Image.fromarray(np.array([[0, top / 2, top]], np.float32))
    assert [open_image(image).getpixel((x, 0))[0] for x in range(3)] == [0, 128, 255]


@pytest.mark.parametrize(
    "size, side, resize_filter",
    [
        pytest.param((640, 480), 224, Image.Resampling.BICUBIC, id="shrunk"),
        pytest.param((100, 37), 224, Image.Resampling.BICUBIC, id="stretched"),
        pytest.param((224, 224), 224, Image.Resampling.BICUBIC, id="as it is"),
        pytest.param((1, 1), 112, Image.Resampling.BICUBIC, id="one pixel"),
        pytest.param((333, 500), 448, Image.Resampling.BILINEAR, id="bilinear"),
    ],
)
def test_pixels_equal_the_pillow_processor_to_the_bit(size, side: int, resize_filter) -> None:
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    processor = SiglipImageProcessorPil(
        size={"height": side, "width": side}, resample=resize_filter
    )
    image = noise(*size)
    theirs = processor(image, return_tensors="np")["pixel_values"][0]
    ours = to_pixels(image, side, resize_filter)
    assert ours.dtype == theirs.dtype == np.float32
    assert np.array_equal(ours, theirs)
    assert ours.flags.c_contiguous


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_files_open_or_are_refused_in_words(data) -> None:
    good = bytearray(encoded(noise(16, 16), data.draw(st.sampled_from(["PNG", "JPEG", "GIF"]))))
    for _ in range(data.draw(st.integers(1, 6))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert open_image(bytes(good)).mode == "RGB"
    except ImageError as error:
        assert error.code.startswith("E_IMAGE")
