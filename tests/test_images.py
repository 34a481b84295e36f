"""Pictures open upright and clean or not at all, and become the pixels that transformers makes."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import types
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gemma_vision.images.file_formats import FORMATS, SUFFIXES, is_heic
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


def tiff_header(width: int, height: int, tile: int = 0) -> bytes:
    """A TIFF that claims a size and has one byte of pixels."""
    tags = {256: width, 257: height, 258: 8, 259: 8, 262: 1, 277: 1}  # 8 bits, deflated, grey
    tags |= {322: tile, 323: tile, 324: 8, 325: 1} if tile else {273: 8, 278: height, 279: 1}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, tags[tag]) for tag in sorted(tags))
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)


@pytest.mark.parametrize("kind", [one.name for one in FORMATS])
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
        pytest.param(encoded(noise(9, 9), "PPM"), "E_IMAGE_FORMAT", id="ppm is not in the table"),
        pytest.param(encoded(noise(64, 64), "TIFF")[:-9000], "E_IMAGE_UNREADABLE", id="cut tiff"),
        pytest.param(encoded(noise(64, 64), "AVIF")[:-100], "E_IMAGE_UNREADABLE", id="cut avif"),
        pytest.param(tiff_header(60_000, 60_000), "E_IMAGE_TOO_LARGE", id="tiff bomb"),
        pytest.param(tiff_header(16, 16, tile=60_000), "E_IMAGE_TOO_LARGE", id="tile bomb"),
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
        pytest.param(np.zeros((1, 3, 8, 8)), "E_IMAGE_TYPE", id="several pictures"),
        pytest.param(np.zeros((3, 8, 3)), "E_IMAGE_TYPE", id="rows or channels"),
        pytest.param(np.zeros((3, 8, 4)), "E_IMAGE_TYPE", id="three rows of RGBA or RGB"),
        pytest.param(torch.zeros(2, 8, 8), "E_IMAGE_TYPE", id="tensor of two channels"),
        pytest.param(torch.zeros(8, 8, dtype=torch.complex64), "E_IMAGE_TYPE", id="complex"),
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


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_stand_as_the_camera_was_held(orientation: int, kind: str) -> None:
    from PIL import ImageOps

    plain = noise(12, 8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    opened = open_image(encoded(plain, kind, exif=exif))
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


@pytest.mark.parametrize("mode", ["PA", "RGBa", "La"])
def test_a_transparent_picture_that_no_file_holds_lies_on_white(mode: str) -> None:
    assert open_image(Image.new(mode, (4, 4), 0)).getpixel((0, 0)) == (255, 255, 255)


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


@pytest.mark.parametrize(
    "array",
    [
        pytest.param(np.linspace(-1, 1, 64).reshape(8, 8), id="SigLIP's"),
        pytest.param(np.linspace(-2.1, 2.6, 192).reshape(3, 8, 8), id="ImageNet's"),
        pytest.param(torch.linspace(-1, 1, 192).reshape(3, 8, 8).bfloat16(), id="a tensor"),
    ],
)
def test_what_was_normalised_for_a_model_is_no_picture(array: Any) -> None:
    with pytest.raises(ImageError, match="was normalised for a model; give the picture") as caught:
        open_image(array)
    assert caught.value.code == "E_IMAGE_TYPE"


def test_what_interpolation_left_below_black_is_black() -> None:
    array = np.array([[-0.1, 0.5], [np.nan, 1.0]], np.float32)
    assert np.asarray(open_image(array))[..., 0].tolist() == [[0, 128], [0, 255]]


@pytest.mark.parametrize("white", [1, 255])
def test_what_interpolation_left_above_white_is_white(white: int) -> None:
    edge = torch.tensor([0.0, 0.0, 1.0, 1.0, 1.0]).expand(1, 3, 5, 5) * white
    (resized,) = torch.nn.functional.interpolate(edge, size=(20, 20), mode="bicubic")
    assert resized.max() > white
    assert open_image(resized).tobytes() == open_image(resized.clamp(0, white)).tobytes()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("level", [np.inf, -np.inf])
def test_a_level_without_end_leaves_the_others_as_bright(level: float) -> None:
    opened = open_image(np.array([[level, 0.5], [0.5, 1.0]], np.float32))
    assert [opened.getpixel(place)[0] for place in ((1, 0), (0, 1), (1, 1))] == [128, 128, 255]
    assert opened.getpixel((0, 0))[0] == (255 if level > 0 else 0)


def test_a_file_that_is_open_for_writing_is_told(tmp_path: Path) -> None:
    with (tmp_path / "new.png").open("wb") as file:
        with pytest.raises(ImageError, match="cannot be read") as caught:
            open_image(file)
    assert caught.value.code == "E_IMAGE_UNREADABLE"


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
    good = bytearray(
        encoded(noise(16, 16), data.draw(st.sampled_from([one.name for one in FORMATS])))
    )
    for _ in range(data.draw(st.integers(1, 6))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert open_image(bytes(good)).mode == "RGB"
    except ImageError as error:
        assert error.code.startswith("E_IMAGE")


GREY = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5
COLOUR = np.stack([GREY, 255 - GREY, GREY // 2], 2)


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(COLOUR.transpose(2, 0, 1), id="channels first"),
        pytest.param(COLOUR.astype(np.float32) / 255, id="floats"),
        pytest.param(COLOUR.transpose(2, 0, 1) / 255, id="floats, channels first"),
        pytest.param(torch.from_numpy(COLOUR), id="tensor"),
        pytest.param(torch.from_numpy(COLOUR).permute(2, 0, 1), id="tensor, channels first"),
        pytest.param((torch.from_numpy(COLOUR).permute(2, 0, 1) / 255), id="float tensor"),
        pytest.param(
            (torch.from_numpy(COLOUR) / 255).double().requires_grad_(), id="tensor with gradients"
        ),
        pytest.param(np.dstack([COLOUR, np.full_like(GREY, 255)]), id="opaque"),
        pytest.param(
            np.dstack([COLOUR, np.full_like(GREY, 255)]).transpose(2, 0, 1), id="opaque, first"
        ),
    ],
)
def test_numbers_are_one_picture_in_either_order_of_axes(made) -> None:
    assert np.array_equal(np.asarray(open_image(made)), COLOUR)


@pytest.mark.parametrize("made", [GREY, GREY[None], GREY[:, :, None], torch.from_numpy(GREY)[None]])
def test_one_channel_is_grey_wherever_it_stands(made) -> None:
    assert np.array_equal(np.asarray(open_image(made))[:, :, 0], GREY)


def test_half_floats_of_torch_keep_their_brightness() -> None:
    halves = torch.full((3, 6, 8), 0.5, dtype=torch.bfloat16)
    assert open_image(halves).getpixel((0, 0)) == (128, 128, 128)


def test_an_array_that_reads_either_way_is_asked_about() -> None:
    with pytest.raises(ImageError, match=r"\(3, 8, 3\).*3 rows or of 3 channels"):
        open_image(np.zeros((3, 8, 3)))


def test_opening_an_array_imports_no_torch() -> None:
    code = (
        "import sys, numpy; from gemma_vision.images.opening import open_image; "
        "open_image(numpy.zeros((8, 8, 3))); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


@pytest.mark.parametrize(
    "given, quoted",
    [
        pytest.param("https://example.org/a//b.jpg", "https://example.org/a//b.jpg", id="https"),
        pytest.param(Path("http://example.org/a.jpg"), "http://example.org/a.jpg", id="path"),
        pytest.param("s3://bucket/a.jpg", "s3://bucket/a.jpg", id="bucket"),
        pytest.param("file:///home/a.jpg", "file:///home/a.jpg", id="file"),
        pytest.param("data:image/png;base64,AAAA", "data:", id="data"),
    ],
)
def test_an_address_is_refused_with_what_to_do(given, quoted: str) -> None:
    with pytest.raises(ImageError) as caught:
        open_image(given)
    message = str(caught.value)
    assert caught.value.code == "E_IMAGE_MISSING"
    assert quoted in message and "AAAA" not in message
    assert ("Download it" in message) == (quoted[:2] in ("ht", "s3"))


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "I;16", "F", "RGBA", "LA"])
def test_tiff_files_of_every_kind_open(mode: str) -> None:
    grey = Image.fromarray(np.full((6, 8), 255, np.uint8))
    made = {
        "I;16": lambda: Image.fromarray(np.full((6, 8), 65535, np.uint16)),
        "F": lambda: Image.fromarray(np.full((6, 8), 1, np.float32)),
    }.get(mode, lambda: grey.convert("RGB").convert(mode))()
    opened = open_image(encoded(made, "TIFF"))
    assert (opened.mode, opened.size) == ("RGB", (8, 6))
    assert min(opened.getpixel((3, 3))) >= 254


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"])
def test_tiff_files_open_however_they_are_packed(compression: str) -> None:
    plain = Image.new("RGB", (40, 30), (200, 40, 90))
    opened = open_image(encoded(plain, "TIFF", compression=compression))
    assert np.abs(np.asarray(opened).astype(int) - np.asarray(plain)).max() <= 4


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "AVIF"])
def test_of_several_pages_the_first_is_taken(kind: str) -> None:
    first, second = Image.new("RGB", (16, 16), "white"), Image.new("RGB", (16, 16), "black")
    pages = encoded(first, kind, save_all=True, append_images=[second])
    assert min(open_image(pages).getpixel((3, 3))) > 250


HEIC_HEAD = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


def test_a_heic_picture_names_what_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)  # as where it is not installed
    with pytest.raises(ImageError, match=r"HEIC.*JPEG.*gemma-vision\[heic\]") as caught:
        open_image(HEIC_HEAD + bytes(99))
    assert caught.value.code == "E_IMAGE_FORMAT"


def test_a_heic_picture_opens_where_its_package_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def register() -> None:  # as pillow-heif does, with a picture of one colour
        def opened(file: object, name: str) -> Image.Image:
            return Image.new("RGB", (8, 6), (9, 8, 7))

        Image.register_open("HEIF", opened, lambda head: head[8:12] == b"heic")

    monkeypatch.setattr(Image, "OPEN", dict(Image.OPEN))
    monkeypatch.setattr(Image, "ID", list(Image.ID))
    monkeypatch.setitem(
        sys.modules, "pillow_heif", types.SimpleNamespace(register_heif_opener=register)
    )
    assert open_image(HEIC_HEAD + bytes(99)).getpixel((0, 0)) == (9, 8, 7)


@pytest.mark.parametrize(
    "brands, told",
    [
        pytest.param(b"heic\0\0\0\0mif1", True, id="heic"),
        pytest.param(b"mif1\0\0\0\0heic", True, id="still pictures of heic"),
        pytest.param(b"mif1\0\0\0\0avif", False, id="still pictures of avif"),
        pytest.param(b"isom\0\0\0\0mp41", False, id="a film"),
    ],
)
def test_heic_is_told_by_its_brands(brands: bytes, told: bool) -> None:
    head = struct.pack(">I", 8 + len(brands)) + b"ftyp" + brands
    assert is_heic(head + bytes(40)) == told


def test_every_suffix_of_the_table_is_small_and_begins_with_a_dot() -> None:
    assert len(set(SUFFIXES)) == len(SUFFIXES)
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in SUFFIXES)
    assert {".heic", ".avif", ".tif", ".tiff", ".png"} <= set(SUFFIXES)


def test_an_open_file_is_read_from_its_start(picture_file: Path) -> None:
    with picture_file.open("rb") as file:
        file.read(100)
        assert open_image(file).size == (640, 480)
        assert open_image(file).size == (640, 480)


@pytest.mark.parametrize("is_loaded", [False, True])
def test_a_picture_that_was_closed_is_not_called_damaged(
    picture_file: Path, is_loaded: bool
) -> None:
    image = Image.open(picture_file)
    if is_loaded:
        image.load()
    image.close()
    with pytest.raises(ImageError, match="was closed; use it before, or open its file again"):
        open_image(image)
    with Image.open(picture_file) as left:
        pass
    with pytest.raises(ImageError, match="was closed"):
        open_image(left)


def test_a_file_that_was_closed_is_refused_in_words(picture_file: Path) -> None:
    with picture_file.open("rb") as file:
        pass
    with pytest.raises(ImageError, match="file is closed; open it again, or give its path"):
        open_image(file)


def test_a_tensor_without_pixels_is_refused_in_words() -> None:
    import torch

    for tensor in (torch.zeros(3, 9, 9, device="meta"), torch.zeros(3, 9, 9).to_sparse()):
        with pytest.raises(ImageError, match="no pixels that can be read") as caught:
            open_image(tensor)
        assert caught.value.code == "E_IMAGE_TYPE"


def test_a_file_that_is_open_as_text_is_refused_in_words() -> None:
    with pytest.raises(ImageError, match="binary mode") as caught:
        open_image(io.StringIO("text"))  # type: ignore[arg-type]
    assert caught.value.code == "E_IMAGE_TYPE"


def test_a_real_heic_picture_is_read_where_its_package_is_installed(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    picture = Image.linear_gradient("L").convert("RGB")
    heif.from_pillow(picture).save(tmp_path / "phone.heic", quality=95)
    read = np.asarray(open_image(tmp_path / "phone.heic"), np.float64)
    assert read.shape == (256, 256, 3)
    assert np.abs(read - np.asarray(picture, np.float64)).mean() < 4
