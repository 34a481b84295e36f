"""Recordings of several parts are read whole, and sound that nobody knows stops nothing."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from fake_engine import fake_pipeline
from films import BLUE, film, watch

from gemma_vision.video import Timeline, VideoError, VideoProgress, annotate
from gemma_vision.video.contents import read_contents
from gemma_vision.video.joined_parts import GoingOn
from gemma_vision.web.jobs.video_values import progress_value


def joined(folder: Path, suffix: str, **second: object) -> Path:
    """Twelve frames and then fifteen, put one behind the other; ten in a second."""
    codec = {".ts": "libx264", ".avi": "mpeg4"}.get(suffix)
    parts = [
        film(folder / f"a{suffix}", count=12, has_sound=suffix != ".webm", codec=codec),
        film(folder / f"b{suffix}", count=15, has_sound=suffix != ".webm", codec=codec, **second),
    ]
    path = folder / f"joined{suffix}"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def timeline(video: Path) -> dict[str, object]:
    target = video.with_name("out.mp4")
    *_, last = annotate(fake_pipeline(), video, target, "detect", "cat", every=9)
    told: dict[str, object] = last.timeline.to_dict()
    return told


@pytest.mark.parametrize("suffix", [".ts", ".mkv", ".webm"])
def test_times_that_begin_anew_go_on(suffix: str, tmp_path: Path) -> None:
    frames = watch(joined(tmp_path, suffix))
    assert len(frames) == 27
    assert [frame.time for frame in frames] == pytest.approx([n / 10 for n in range(27)], abs=0.05)


@pytest.mark.parametrize("suffix", [".ts", ".mkv"])
def test_the_sound_of_every_part_comes_along(suffix: str, tmp_path: Path) -> None:
    timeline(joined(tmp_path, suffix))
    with av.open(str(tmp_path / "out.mp4")) as container:
        (sound,) = container.streams.audio
        samples = sum(frame.samples for frame in container.decode(sound))
    assert samples / 48_000 == pytest.approx(2.7, abs=0.2)


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_a_second_recording_that_players_do_not_show_is_told(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="several recordings") as refusal:
        watch(joined(tmp_path, suffix))
    assert refusal.value.code == "E_VIDEO_JOINED"
    assert read_contents(tmp_path / f"a{suffix}").num_parts == 1


def test_a_part_of_another_size_keeps_its_shape_on_black(tmp_path: Path) -> None:
    frames = watch(joined(tmp_path, ".ts", size=(96, 128)))
    assert len(frames) == 27 and {frame.image.size for frame in frames} == {(128, 96)}
    tall = np.asarray(frames[-1].image).astype(int)
    assert np.abs(tall[90, 64] - BLUE).max() < 20  # 72 of 128 columns have the picture
    assert tall[:, :26].max() < 8 and tall[:, -26:].max() < 8


@pytest.mark.parametrize(
    "times, expected",
    [
        pytest.param([0, 1, 2], [0, 1, 2], id="one part"),
        pytest.param([5, 6, 0, 1], [5, 6, 7, 8], id="from zero"),
        pytest.param([5, 9, 0, 4, 0, 4], [5, 9, 10, 14, 15, 19], id="three parts"),
        pytest.param([5, 7, 6, 8], [5, 7, 6, 8], id="a little back is no part"),
        pytest.param([0, 1, 90], [0, 1, 90], id="a gap stays"),
    ],
)
def test_what_steps_back_far_is_a_new_part(times: list[int], expected: list[int]) -> None:
    going_on = GoingOn(slack=Fraction(2), length=Fraction(1))
    assert [going_on(time) for time in times] == expected


def two_sounds(path: Path) -> bytes:
    """A film with two tracks of AAC."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", 10)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        tones = [container.add_stream("aac", 48_000) for _ in range(2)]
        for _ in range(10):
            image = np.zeros((96, 128, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image)))
        container.mux(stream.encode())
        for tone in tones:
            for start in range(0, 48_000, 1024):
                frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
                frame.sample_rate, frame.pts = 48_000, start
                container.mux(tone.encode(frame))
            container.mux(tone.encode())
    return path.read_bytes()


@pytest.mark.parametrize(
    "unknown, has_sound",
    [
        pytest.param((0,), True, id="before a known one"),
        pytest.param((1,), True, id="behind a known one"),
        pytest.param((0, 1), False, id="alone"),
    ],
)
def test_sound_that_nobody_knows_is_left_out(unknown, has_sound: bool, tmp_path: Path) -> None:
    picture, *tracks = two_sounds(tmp_path / "whole.mp4").split(b"mp4a")
    assert len(tracks) == 2
    data = picture
    for number, track in enumerate(tracks):
        is_unknown = number in unknown
        data += b"zzzz" if is_unknown else b"mp4a"
        data += track.replace(b"esds", b"zzzz") if is_unknown else track
    (tmp_path / "a.mp4").write_bytes(data)
    with av.open(str(tmp_path / "a.mp4")) as container:
        contexts = [stream.codec_context for stream in container.streams.audio]
        assert [number for number, one in enumerate(contexts) if one is None] == list(unknown)
    told = timeline(tmp_path / "a.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert [stream.codec_context.name for stream in container.streams.audio] == (
            ["aac"] if has_sound else []
        )
    codes = [warning["code"] for warning in told["warnings"]]
    assert codes == ([] if has_sound else ["no_sound"])


def test_a_silent_film_has_nothing_left_out(tmp_path: Path) -> None:
    assert timeline(film(tmp_path / "a.mp4"))["warnings"] == []


def test_the_tab_says_what_was_left_out() -> None:
    timeline = Timeline((128, 96), 10, warnings=[{"code": "no_sound", "message": "No sound."}])
    progress = VideoProgress(1, 1, 0.5, timeline)
    assert progress_value(progress, "done")["notes"] == ["W_NO_SOUND: No sound."]
