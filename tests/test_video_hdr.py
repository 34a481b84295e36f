"""HDR recordings are toned down to BT.709 before they are looked at and drawn on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.sidedata.sidedata import Type
from films import watch
from PIL import Image

import gemma_vision
from gemma_vision.video import annotate, hdr
from gemma_vision.video.frame_colors import brightest_of
from postprocess.metrics import box_iou

CLIP = Path(gemma_vision.__file__).parent / "web" / "examples" / "clip.mp4"
PQ, HLG, BT2020 = 16, 18, 9


def primaries(*xy: tuple[float, float]) -> np.ndarray:
    """RGB to XYZ of three primaries with the white of D65."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in xy]).T
    white = np.array([0.3127 / 0.3290, 1, (1 - 0.3127 - 0.3290) / 0.3290])
    return columns * np.linalg.solve(columns, white)


OF_709 = primaries((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
OF_2020 = primaries((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))


def to_pq(nits: np.ndarray) -> np.ndarray:
    power = (nits / 10_000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def to_hlg(nits: np.ndarray) -> np.ndarray:
    luma = (nits / 1000) @ [0.2627, 0.6780, 0.0593]
    scene = nits / 1000 * np.maximum(luma, 1e-9)[..., None] ** ((1 - 1.2) / 1.2)
    dark = np.sqrt(3 * np.minimum(scene, 1 / 12))
    bright = 0.17883277 * np.log(12 * np.maximum(scene, 1 / 12) - 0.28466892) + 0.55991073
    return np.where(scene <= 1 / 12, dark, bright)


def ten_bits(signal: np.ndarray) -> av.VideoFrame:
    """RGB 0 to 1 in BT.2020 -> a frame of limited range."""
    luma = signal @ [0.2627, 0.6780, 0.0593]
    blue, red = (signal[..., 2] - luma) / 1.8814, (signal[..., 0] - luma) / 1.4746
    planes = [64 + 876 * luma, 512 + 896 * blue, 512 + 896 * red]
    frame = av.VideoFrame(signal.shape[1], signal.shape[0], "yuv444p10le")
    for plane, values in zip(frame.planes, planes, strict=True):
        rows = np.zeros((signal.shape[0], plane.line_size // 2), np.uint16)
        rows[:, : signal.shape[1]] = np.round(values)
        plane.update(rows.tobytes())
    return frame.reformat(format="yuv420p10le")


def record(
    path: Path, images: list[Image.Image], curve: Callable[[np.ndarray], np.ndarray], code: int
) -> Path:
    """An HDR recording of pictures whose white is that of a page, 203 nits."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", 12, {"preset": "ultrafast", "crf": "8"})
        stream.width, stream.height, stream.pix_fmt = *images[0].size, "yuv420p10le"
        context = stream.codec_context
        context.color_trc, context.color_primaries, context.colorspace = code, BT2020, BT2020
        for image in images:
            light = (np.asarray(image) / 255) ** 2.4 @ (np.linalg.inv(OF_2020) @ OF_709).T
            frame = ten_bits(curve(203 * np.clip(light, 0, 1)))
            frame.color_trc, frame.color_primaries, frame.colorspace = code, BT2020, BT2020
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def images() -> list[Image.Image]:
    return [frame.image for frame in watch(CLIP)[:2]]


@pytest.fixture(scope="module", params=[(to_pq, PQ), (to_hlg, HLG)], ids=["PQ", "HLG"])
def recording(request, images, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("hdr")
    return record(folder / "a.mp4", images, *request.param)


@pytest.mark.parametrize(
    "signal, nits",  # BT.2408, table 1, and ST 2084's ends
    [(0.0, 0.0), (0.5081, 100.0), (0.5807, 203.0), (0.7518, 1000.0), (1.0, 10_000.0)],
)
def test_pq_means_the_light_of_the_standard_both_ways(signal: float, nits: float) -> None:
    assert hdr.pq_to_nits(signal) == pytest.approx(nits, rel=1e-3, abs=1e-4)
    assert hdr.nits_to_pq(nits) == pytest.approx(signal, abs=1e-4)


@pytest.mark.parametrize(
    "signal, nits",  # BT.2408, table 1, on a display of 1000 nits
    [(0.0, 0.0), (0.38, 26.0), (0.75, 203.0), (1.0, 1000.0)],
)
def test_hlg_shows_the_light_of_the_standard(signal: float, nits: float) -> None:
    scene = hdr.hlg_to_scene(np.full((1, 1, 3), signal))
    assert hdr.scene_to_nits(scene) == pytest.approx(np.full((1, 1, 3), nits), rel=0.02)


def test_the_primaries_are_those_of_the_standards() -> None:
    assert np.allclose(hdr.BT2020_TO_709, np.linalg.inv(OF_709) @ OF_2020, atol=1e-4)


def test_dark_and_middle_tones_stay_and_highlights_roll_off_without_a_step() -> None:
    nits = np.linspace(0, 1000, 5000)
    rolled = hdr.roll_off(nits, 1000)
    assert np.allclose(rolled[nits < 80], nits[nits < 80], rtol=1e-3)
    assert (np.diff(rolled) > -1e-3).all() and np.abs(np.diff(rolled)).max() < 0.25
    assert rolled[-1] == pytest.approx(203, rel=1e-3)
    assert hdr.roll_off(4000, 1000) == pytest.approx(203, rel=1e-3)


class Tagged:
    """A frame that says how bright its brightest thing is, in the form of FFmpeg: two numbers."""

    class Level:
        type = Type.CONTENT_LIGHT_LEVEL

        def __bytes__(self) -> bytes:
            return np.array([4000, 400], np.uint32).tobytes()

    def __init__(self, is_said: bool) -> None:
        self.side_data = [self.Level()] if is_said else []


def test_the_peak_is_what_the_recording_says_or_a_usual_one() -> None:
    assert (brightest_of(Tagged(True)), brightest_of(Tagged(False))) == (4000, 1000)
    signal = np.full((1, 1, 3), 65535 * to_pq(np.array(900.0)), np.uint16)
    assert hdr.tone_map(signal, "pq", 4000).max() < hdr.tone_map(signal, "pq", 1000).min() - 5


@pytest.mark.parametrize("curve", ["pq", "hlg", "sdr"])
def test_grey_stays_grey_and_black_black(curve: str) -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None, :, None].repeat(3, axis=2)
    shown = hdr.tone_map(ramp, curve).astype(int)
    assert (np.ptp(shown, axis=2) <= 1).all()
    assert (shown[0, 0] == 0).all() and (shown[0, -1] >= 254).all()
    assert (np.diff(shown[0, :, 0]) >= 0).all()


def test_pictures_look_as_they_do_in_sdr(recording: Path, images: list[Image.Image]) -> None:
    for frame, image in zip(watch(recording), images, strict=True):
        apart = np.abs(np.asarray(frame.image, int) - np.asarray(image, int))
        assert apart.mean() < 12  # whites are a little darker, to leave room for brighter ones


def test_wide_colours_alone_are_narrowed(tmp_path: Path) -> None:
    image = Image.new("RGB", (128, 96), (220, 30, 30))
    wide = record(tmp_path / "a.mp4", [image], lambda nits: (nits / 203) ** (1 / 2.4), 14)
    assert np.allclose(np.asarray(watch(wide)[0].image)[50, 50], (220, 30, 30), atol=6)


def found(video: Path, target: Path) -> list[dict[str, Any]]:
    *_, last = annotate(
        gemma_vision.load(device="cpu"), video, target, "detect", "cat ; dog", every=9
    )
    rows: list[dict[str, Any]] = last.timeline.to_dict()["frames"][0]["instances"]
    return rows


@pytest.fixture(scope="module")
def found_in_sdr(tmp_path_factory) -> list[dict[str, Any]]:
    return found(CLIP, tmp_path_factory.mktemp("sdr") / "out.mp4")


def test_the_same_things_are_found(recording: Path, found_in_sdr) -> None:
    target = recording.with_name("out.mp4")
    seen = found(recording, target)
    assert [one["label"] for one in seen] == [one["label"] for one in found_in_sdr]
    assert len(seen) > 0
    for one, other in zip(seen, found_in_sdr, strict=True):
        assert box_iou(one["box"], other["box"]) > 0.9
    with av.open(str(target)) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc) == (1, 1, 1)
        assert context.pix_fmt == "yuv420p"
