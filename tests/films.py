"""Small videos for tests, made on the spot: a red square that walks over a blue ground."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from gemma_vision.video import Frame, Source

BLUE, RED = (20, 40, 220), (220, 30, 30)
CODECS = {".mp4": "libx264", ".mov": "libx264", ".mkv": "libx264", ".webm": "libvpx-vp9"}


def ground(size: tuple[int, int], number: int) -> Image.Image:
    """One frame; the square's left edge is at 4 times its number."""
    image = Image.new("RGB", size, BLUE)
    image.paste(RED, (4 * number, 0, 4 * number + size[1] // 2, size[1] // 2))
    return image


def film(
    path: Path,
    *,
    size: tuple[int, int] = (128, 96),
    count: int = 12,
    rate: Fraction | int = 10,
    rotation: int | None = None,
    has_sound: bool = False,
    frames: bool = True,
    codec: str | None = None,
    pix_fmt: str = "yuv420p",
) -> Path:
    """Write a video; rotation: how far a player turns it, against the clock."""
    with av.open(str(path), "w") as container:
        stream = None
        if frames:
            stream = container.add_stream(codec or CODECS[path.suffix], rate)
            stream.width, stream.height = size
            stream.pix_fmt = pix_fmt
            if rotation is not None:
                stream.set_display_rotation(rotation)
        tone = container.add_stream("aac", 48_000) if has_sound else None
        for number in range(count if stream else 0):
            shown = av.VideoFrame.from_image(ground(size, number)).reformat(
                format=pix_fmt, dst_colorspace="ITU601"
            )
            container.mux(stream.encode(shown))
        if stream:
            container.mux(stream.encode())
        if tone:
            hum(container, tone, seconds=float(count / rate))
    return path


def hum(container: av.container.OutputContainer, tone: av.AudioStream, seconds: float) -> None:
    """A tone, for as long as the film."""
    wave = np.sin(np.arange(int(48_000 * seconds)) * 0.06).astype(np.float32)[None] * 0.2
    for start in range(0, wave.shape[1], 1024):
        frame = av.AudioFrame.from_ndarray(wave[:, start : start + 1024], "fltp", "mono")
        frame.sample_rate, frame.pts = 48_000, start
        container.mux(tone.encode(frame))
    container.mux(tone.encode())


def watch(path: Path) -> list[Frame]:
    """All frames of a video."""
    with Source(path) as source:
        return list(source.frames())
