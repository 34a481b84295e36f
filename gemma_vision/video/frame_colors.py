"""Frame colours: a decoded frame as RGB of 8 bits in BT.709, whatever colours it is meant in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import numpy as np
import numpy.typing as npt
from av.sidedata.sidedata import SideData, Type
from av.video.frame import VideoFrame

from gemma_vision.video.hdr import PEAK, tone_map

HD = 720  # rows from which on colours are meant as in BT.709 where a file does not say
UNSAID = (0, 2)  # RGB, and "unspecified"
BT2020 = 9  # as primaries, and as matrix (10 is that of constant luminance, which nobody records)
CURVES = {16: "pq", 18: "hlg"}  # SMPTE ST 2084 and ARIB STD-B67 as transfer characteristics


def to_rgb(frame: VideoFrame, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """(H, W, 3) of that size, (width, height)."""
    curve = CURVES.get(int(frame.color_trc))
    if curve is None and int(frame.color_primaries) != BT2020:
        picture = frame.reformat(*size, "rgb24", src_colorspace=matrix_of(frame))
        return cast("npt.NDArray[np.uint8]", picture.to_ndarray())
    matrix = matrix_of(frame, default="BT2020")
    deep = frame.reformat(*size, "rgb48le", src_colorspace=matrix)
    signal = cast("npt.NDArray[np.uint16]", deep.to_ndarray())
    return tone_map(signal, curve or "sdr", brightest_of(frame))


def matrix_of(frame: VideoFrame, default: str = "") -> str | None:
    """How brightness and colour were mixed, where the file does not say; None where it does."""
    if frame.colorspace not in UNSAID:
        return None
    return default or ("ITU709" if frame.height >= HD else "ITU601")


def brightest_of(frame: VideoFrame) -> float:
    """Nits of the brightest thing in a recording (MaxCLL), or what is usual."""
    sides = cast("Iterable[SideData]", frame.side_data)  # a mapping by its stub alone
    told = next((one for one in sides if one.type is Type.CONTENT_LIGHT_LEVEL), None)
    level = int(np.frombuffer(bytes(told), np.uint32)[0]) if told is not None else 0
    return float(level or PEAK)
