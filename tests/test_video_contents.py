"""What a video's tables claim is counted first: a few bytes do not become a million entries."""

from __future__ import annotations

import time
from pathlib import Path

import av
import numpy as np
import pytest
from bombs import VIDEOS, clip, one_size_samples, patched
from films import film, watch

from gemma_vision.video import Source, VideoError
from gemma_vision.video.contents import MAX_SAMPLES, read_contents

CLAIMS = (
    "an MP4 of 30,000,000 bytes that are frames",
    "a fragment of 80,000,000 samples",
    "a fragment of 3,000,000 samples",
    "fragments without end",
    "edits that repeat",
    "contents that unpack",
    "an MP4 of 2^27 samples",
    "an MP4 of 2^31 samples",
    "an MP4 of 2^31 sizes",
)


@pytest.mark.parametrize("name", CLAIMS)
def test_a_table_that_claims_too_much_is_refused_at_once(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(VIDEOS[name]())
    begun = time.process_time()
    with pytest.raises(VideoError) as refusal:
        Source(path)
    assert refusal.value.code == "E_VIDEO_TOO_LARGE" and "claims" in str(refusal.value)
    assert time.process_time() - begun < 1


def test_frames_that_cannot_be_decoded_are_tried_so_often_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(VIDEOS["an MP4 of 300,000 bytes that are frames"]())
    begun = time.process_time()
    with pytest.raises(VideoError, match="in a row cannot be decoded"):
        Source(path)
    assert time.process_time() - begun < 1


@pytest.mark.parametrize("size", [(8192, 8192), (6016, 6016)])
def test_a_frame_of_too_many_pixels_is_refused_undecoded(
    size: tuple[int, int], tmp_path: Path
) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(clip(size=size, count=1))
    with pytest.raises(VideoError, match="36 million pixels") as refusal:
        Source(path)
    assert refusal.value.code == "E_VIDEO_TOO_LARGE"


def test_what_a_camera_records_is_counted_as_it_is(tmp_path: Path) -> None:
    """A frame and a piece of sound an entry; moments of sound that is not packed are none."""
    told = read_contents(film(tmp_path / "a.mp4", count=12, has_sound=True))
    assert told.num_parts == 1 and 12 < told.num_samples < 12 + 100 and not told.is_too_much
    path = tmp_path / "b.mov"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", 48_000)
        moments = np.zeros((1, 48_000 * 60), np.int16)
        frame = av.AudioFrame.from_ndarray(moments, "s16", "mono")
        frame.rate, frame.pts = 48_000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert read_contents(path).num_samples < 10_000
    assert len(watch(film(tmp_path / "c.mp4", count=3))) == 3


def test_seven_hours_are_let_through(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(one_size_samples(MAX_SAMPLES - 100))
    assert not read_contents(path).is_too_much
    path.write_bytes(patched(clip(), b"stsz", 8, (MAX_SAMPLES + 1).to_bytes(4, "big")))
    assert read_contents(path).is_too_much


@pytest.mark.parametrize("data", [b"", b"abc", b"\0" * 64, b"\0\0\0\1moov" + b"\xff" * 8], ids=len)
def test_anything_is_counted(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(data)
    assert not read_contents(tmp_path / "a").is_too_much
