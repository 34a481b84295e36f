"""Videos: read lazily and upright, written so that browsers play them, followed in a timeline."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from fake_engine import CAT_AND_DOG, CAT_WITH_MASK, fake_pipeline
from films import BLUE, RED, film, ground, watch
from PIL import Image

from gemma_vision.requests.validation import TaskError
from gemma_vision.video import Source, VideoError, VideoProgress, Writer, annotate, source
from postprocess.palette import label_colors


def run(
    video: Path, script: str = CAT_AND_DOG, task: str = "detect", **options: int
) -> VideoProgress:
    *_, last = annotate(
        fake_pipeline(script), video, video.with_name("out.mp4"), task, "cat ; dog", **options
    )
    return last


def is_near(
    image: Image.Image, at: tuple[int, int], color: tuple[int, int, int], slack: int = 14
) -> bool:
    return bool(np.abs(np.subtract(image.getpixel(at), color)).max() <= slack)


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.webm"])
def test_the_usual_kinds_are_read_frame_by_frame(tmp_path: Path, name: str) -> None:
    frames = watch(film(tmp_path / name))
    assert [frame.number for frame in frames] == list(range(12))
    assert [frame.time for frame in frames] == pytest.approx([n / 10 for n in range(12)], abs=0.002)
    assert is_near(frames[3].image, (20, 20), RED) and is_near(frames[3].image, (5, 20), BLUE)


@pytest.mark.parametrize("height, space", [(96, "ITU601"), (720, "ITU709")])
def test_colours_come_through_where_the_file_does_not_say_how_they_are_meant(
    tmp_path: Path, height: int, space: str
) -> None:
    path, size = tmp_path / "a.mp4", (128, height)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", 10)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        shown = av.VideoFrame.from_image(Image.new("RGB", size, RED))
        made = shown.reformat(format="yuv420p", dst_colorspace=space)
        made.colorspace = 2
        container.mux(stream.encode(made))
        container.mux(stream.encode())
    assert is_near(watch(path)[0].image, (60, 60), RED)


@pytest.mark.parametrize(
    "rotation, corner",  # where the red corner is seen: it is the upper left one in the file
    [(90, (0, 1)), (180, (1, 1)), (-90, (1, 0)), (None, (0, 0))],
)
def test_a_turned_camera_gives_upright_pictures(
    tmp_path: Path, rotation: int | None, corner: tuple[int, int]
) -> None:
    image = watch(film(tmp_path / "a.mp4", rotation=rotation, count=1))[0].image
    assert image.size == ((96, 128) if rotation in (90, -90) else (128, 96))
    far_x, far_y = image.width - 5, image.height - 5
    for x in (0, 1):
        for y in (0, 1):
            at = (far_x if x else 5, far_y if y else 5)
            assert is_near(image, at, RED if (x, y) == corner else BLUE)


def test_a_turned_video_is_annotated_upright_and_needs_no_turning(tmp_path: Path) -> None:
    run(film(tmp_path / "a.mp4", rotation=90))
    with av.open(str(tmp_path / "out.mp4")) as container:
        frame = next(container.decode(video=0))
    assert (frame.width, frame.height, frame.rotation) == (96, 128, 0)


@pytest.mark.parametrize("rate", [10, Fraction(30_000, 1001), 60, 12])
def test_a_video_goes_round_with_its_frames_and_their_times(
    tmp_path: Path, rate: Fraction | int
) -> None:
    video = film(tmp_path / "a.mp4", rate=rate, count=25)
    last = run(video)
    frames = watch(tmp_path / "out.mp4")
    assert [frame.time for frame in frames] == pytest.approx([frame.time for frame in watch(video)])
    with av.open(str(tmp_path / "out.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.average_rate == rate and stream.frames == 25
        assert float(stream.duration * stream.time_base) == pytest.approx(25 / rate, abs=0.01)
    assert last.timeline.to_dict()["video"]["seconds"] == pytest.approx(float(25 / rate), abs=0.001)


def test_frames_that_come_unevenly_keep_their_times(tmp_path: Path) -> None:
    """Browsers record like that."""
    path, times = tmp_path / "a.mkv", [0, 33, 100, 101, 400]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", 30)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for number, at in enumerate(times):
            frame = av.VideoFrame.from_image(ground((128, 96), number))
            frame.pts, frame.time_base = at, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    run(path)
    seen = [frame.time * 1000 for frame in watch(tmp_path / "out.mp4")]
    assert seen == pytest.approx(times, abs=1)


@pytest.mark.parametrize("size", [(127, 95), (128, 95), (127, 96), (1, 1), (16, 16)])
def test_odd_sizes_become_even_by_a_copy_of_the_edge(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "a.mp4"
    with Writer(path, size, Fraction(10), Fraction(1, 1000)) as writer:
        for number in range(3):
            writer.write(Image.new("RGB", size, RED), number * 100)
    (image, *_) = (frame.image for frame in watch(path))
    assert image.size == (size[0] + size[0] % 2, size[1] + size[1] % 2)
    assert is_near(image, (image.width - 1, image.height - 1), RED)


def test_what_is_written_is_what_browsers_play(tmp_path: Path) -> None:
    run(film(tmp_path / "a.webm"))
    out = tmp_path / "out.mp4"
    with av.open(str(out)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert (context.colorspace, context.color_primaries, context.color_trc) == (1, 1, 1)
    data = out.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # it starts before all of it is there


def test_the_sound_comes_along_as_far_as_the_pictures_go(tmp_path: Path) -> None:
    video = film(tmp_path / "a.mp4", has_sound=True, count=30)
    run(video)
    for name, seconds in (("out.mp4", 3.0), ("cut.mp4", 1.0)):
        if name == "cut.mp4":
            list(annotate(fake_pipeline(), video, tmp_path / name, "ocr", every=5, limit=2))
        with av.open(str(tmp_path / name)) as container:
            (sound,) = container.streams.audio
            samples = sum(frame.samples for frame in container.decode(sound))
            assert sound.codec_context.name == "aac"
            assert samples / 48_000 == pytest.approx(seconds, abs=0.12)


def test_every_nth_frame_is_asked_about_and_labels_stay_in_between(tmp_path: Path) -> None:
    pipeline = fake_pipeline(CAT_AND_DOG)
    video = film(tmp_path / "a.mp4", size=(320, 240), count=25)
    *_, last = annotate(pipeline, video, tmp_path / "out.mp4", "detect", "cat ; dog", every=10)
    assert (last.done, last.total, len(pipeline.engine.prompts)) == (3, 3, 3)
    told = last.timeline.to_dict()
    assert [(row["frame"], row["time"]) for row in told["frames"]] == [(0, 0), (10, 1.0), (20, 2.0)]
    frames = watch(tmp_path / "out.mp4")
    color = label_colors(["cat", "dog"])["dog"]
    pill = 177, 58  # above the left edge of the dog's box
    assert all(is_near(frame.image, pill, color) for frame in frames)
    assert not is_near(watch(video)[3].image, pill, color)


def test_the_timeline_follows_things_in_seconds(tmp_path: Path) -> None:
    pipeline = fake_pipeline()
    texts = iter([CAT_WITH_MASK, CAT_AND_DOG, CAT_AND_DOG.split(" ; ")[1]])
    pipeline.engine.script = lambda prompt: next(texts)
    *_, last = annotate(
        pipeline, film(tmp_path / "a.mp4", count=30), tmp_path / "o.mp4", "segment", "cat ; dog"
    )
    told = last.timeline.to_dict()
    assert told["objects"] == [
        {"id": 1, "label": "cat", "first": 0.0, "last": 1.0, "samples": 2},
        {"id": 2, "label": "dog", "first": 1.0, "last": 2.0, "samples": 2},
    ]
    assert [[one["id"] for one in row["instances"]] for row in told["frames"]] == [[1], [1, 2], [2]]
    cat = told["frames"][0]["instances"][0]
    assert {"id", "label", "box", "point", "pixels", "score", "mask", "polygons"} == set(cat)
    assert cat["mask"]["size"] == [96, 128]
    assert (told["task"], told["prompt"], told["finish"]) == (
        "segment",
        "segment cat ; dog",
        "stop",
    )
    assert told["video"] == {"width": 128, "height": 96, "rate": 10, "seconds": 3.0, "frames": 30}


def test_a_label_keeps_its_colour_when_others_come_before_it(tmp_path: Path) -> None:
    """Twenty colours: among forty labels every second one would have changed."""
    names = [f"thing {n}" for n in range(12)]
    pipeline = fake_pipeline()
    box = "<loc0102><loc0102><loc0512><loc0460>"
    rows = iter([names[6:], names])
    pipeline.engine.script = lambda prompt: " ; ".join(f"{box} {name}" for name in next(rows))
    colors = [
        dict(progress.timeline.colors)
        for progress in annotate(
            pipeline, film(tmp_path / "a.mp4"), tmp_path / "o.mp4", "detect", "things", every=6
        )
    ]
    early = next(one for one in colors if len(one) == 6)
    assert {name: colors[-1][name] for name in early} == early
    assert len(colors[-1]) == 12


def test_words_are_written_under_the_picture(tmp_path: Path) -> None:
    video = film(tmp_path / "a.mp4", size=(320, 240), count=3)
    last = run(video, "two animals on a lawn", "caption")
    assert last.timeline.to_dict()["frames"][0]["plain"] == "two animals on a lawn"
    frames = watch(tmp_path / "out.mp4")
    assert all(np.asarray(frame.image)[220:236, 110:210].min() < 60 for frame in frames)
    assert np.asarray(frames[0].image)[:120, 200:].min(axis=(0, 1))[2] > 180  # blue above


def test_after_the_limit_the_video_ends_and_says_so(tmp_path: Path) -> None:
    last = run(film(tmp_path / "a.mp4", count=40), every=5, limit=3)
    assert (last.done, last.total, last.timeline.finish) == (3, 3, "limit")
    assert len(watch(tmp_path / "out.mp4")) == 15


def test_a_limit_that_is_just_enough_is_none(tmp_path: Path) -> None:
    assert run(film(tmp_path / "a.mp4", count=15), every=5, limit=3).timeline.finish == "stop"


def test_stopping_ends_within_a_token_and_leaves_a_whole_file(tmp_path: Path) -> None:
    pipeline = fake_pipeline(CAT_AND_DOG)
    video = film(tmp_path / "a.mp4", count=25)
    steps = annotate(pipeline, video, tmp_path / "out.mp4", "detect", "cat", every=5)
    last = next(step for step in steps if step.done == 2)
    taken, closed = pipeline.engine.steps, pipeline.engine.cancelled
    last = next(step for step in steps if pipeline.engine.steps == taken + 3)
    steps.close()  # in the middle of the third answer
    assert (pipeline.engine.steps, pipeline.engine.cancelled) == (taken + 3, closed + 1)
    assert len(watch(tmp_path / "out.mp4")) == last.timeline.num_frames == 10
    assert last.timeline.to_dict()["finish"] == "cancelled"


def test_stopped_before_the_first_answer_there_is_no_file(tmp_path: Path) -> None:
    steps = annotate(fake_pipeline(), film(tmp_path / "a.mp4"), tmp_path / "o.mp4", "detect", "cat")
    next(steps)
    steps.close()
    assert not (tmp_path / "o.mp4").exists()


def test_the_time_that_is_left_is_told(tmp_path: Path) -> None:
    steps = annotate(
        fake_pipeline(delay=0.01), film(tmp_path / "a.mp4"), tmp_path / "o.mp4", "ocr", every=3
    )
    told = [(step.done, step.left) for step in steps]
    assert told[0] == (0, None) and told[-1] == (4, 0)
    assert all(left > 0 for done, left in told if done in (1, 2, 3))


def test_frames_are_decoded_as_they_are_asked_for_and_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[weakref.ref[Image.Image]] = []
    upright = Source._upright

    def watched(self: Source, frame: av.VideoFrame) -> Image.Image:
        image = upright(self, frame)
        decoded.append(weakref.ref(image))
        return image

    monkeypatch.setattr(Source, "_upright", watched)
    with Source(film(tmp_path / "a.mp4", count=200)) as opened:
        frames = opened.frames()
        for number in range(50):
            frame = next(frames)
            assert frame.number == number and len(decoded) == number + 2  # one for the size
            assert sum(one() is not None for one in decoded) <= 2


@pytest.mark.parametrize("name", ["a.webm", "a.mkv"])
def test_frames_are_counted_where_the_file_does_not_say(tmp_path: Path, name: str) -> None:
    with Source(film(tmp_path / name, count=17)) as opened:
        assert (opened.count(10**9), opened.count(5)) == (17, 5)


def broken(folder: Path) -> Iterator[tuple[str, bytes]]:
    whole = film(folder / "whole.mp4").read_bytes()
    yield "text.mp4", b"this is no video"
    yield "empty.mp4", b""
    yield "cut.mp4", whole[: len(whole) // 2]  # before its list of contents
    picture = folder / "p.png"
    Image.new("RGB", (9, 9)).save(picture)
    yield "picture.mp4", picture.read_bytes()
    yield "list.mp4", b"ffconcat version 1.0\nfile whole.mp4\n"
    yield "playlist.mp4", b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nwhole.mp4\n"
    yield "mute.mp4", whole.replace(b"avc1", b"zzzz")


@pytest.mark.parametrize("number", range(7))
def test_what_is_no_video_is_refused_in_one_sentence(tmp_path: Path, number: int) -> None:
    name, content = list(broken(tmp_path))[number]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(VideoError) as refusal:
        run(tmp_path / name)
    assert str(refusal.value).startswith(name) and refusal.value.code == "E_VIDEO_UNREADABLE"
    assert str(tmp_path) not in str(refusal.value) and not (tmp_path / "out.mp4").exists()


def test_a_list_of_other_files_would_be_opened_if_it_were_allowed(tmp_path: Path) -> None:
    """Or the refusal above would say nothing."""
    film(tmp_path / "whole.mp4")
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile whole.mp4\n")
    with av.open(str(tmp_path / "list.mp4")) as container:
        assert container.streams.video


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="sound and no picture") as refusal:
        run(film(tmp_path / "a.mp4", frames=False, has_sound=True))
    assert refusal.value.code == "E_VIDEO_NO_PICTURE"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(VideoError) as refusal:
        run(tmp_path / "none.mp4")
    assert refusal.value.code == "E_VIDEO_MISSING"


def test_huge_frames_are_refused_before_they_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "MAX_SIDE", 100)
    with pytest.raises(VideoError, match="128 x 96; the limit is 100") as refusal:
        run(film(tmp_path / "a.mp4"))
    assert refusal.value.code == "E_VIDEO_TOO_LARGE"


def test_large_frames_are_shrunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "SHOWN_SIDE", 64)
    assert watch(film(tmp_path / "a.mp4", count=1))[0].image.size == (64, 48)


def test_pixels_that_are_not_square_are_made_so(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", 10)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(2)
        container.mux(stream.encode(av.VideoFrame.from_image(ground((128, 96), 0))))
        container.mux(stream.encode())
    assert watch(path)[0].image.size == (256, 96)


def test_a_damaged_frame_is_left_out(tmp_path: Path) -> None:
    video = film(tmp_path / "a.mkv", codec="mjpeg", pix_fmt="yuvj420p")
    data = bytearray(video.read_bytes())
    at = [n for n in range(len(data)) if data[n : n + 3] == b"\xff\xd8\xff"]
    end = at[5] - 12  # what names the next frame stays
    data[at[4] : end] = bytes(end - at[4])
    video.write_bytes(data)
    numbers = [round(frame.time * 10) for frame in watch(video)]
    assert len(at) == 12 and numbers == [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11]


@pytest.mark.parametrize(
    "options, code",
    [
        ({"every": 0}, "E_EVERY"),
        ({"every": 1.5}, "E_EVERY"),
        ({"limit": 0}, "E_FRAMES"),
        ({"max_tokens": 0}, "E_MAX_TOKENS"),
    ],
)
def test_numbers_out_of_range_are_refused(tmp_path: Path, options: dict, code: str) -> None:
    with pytest.raises(TaskError) as refusal:
        run(film(tmp_path / "a.mp4"), **options)
    assert refusal.value.code == code and not (tmp_path / "out.mp4").exists()


def test_a_wish_that_cannot_work_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").write_text("precious")
    with pytest.raises(TaskError):
        list(annotate(fake_pipeline(), film(tmp_path / "a.mp4"), tmp_path / "out.mp4", "detect"))
    assert (tmp_path / "out.mp4").read_text() == "precious"


def test_a_video_is_not_written_over_itself(tmp_path: Path) -> None:
    video = film(tmp_path / "a.mp4")
    with pytest.raises(VideoError, match="the video itself"):
        list(annotate(fake_pipeline(), video, video, "detect", "cat"))
    assert len(watch(video)) == 12


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    video = film(tmp_path / "a.mp4")
    with pytest.raises(VideoError, match="cannot be written"):
        list(annotate(fake_pipeline(), video, tmp_path / "no" / "out.mp4", "ocr"))


def test_nothing_but_files_is_opened(tmp_path: Path) -> None:
    """The list of protocols alone refuses what would be read without it."""
    first, second = film(tmp_path / "a.mkv"), film(tmp_path / "b.mkv")
    address = f"concat:{first}|{second}"
    with av.open(address) as container:
        assert container.streams.video
    with pytest.raises(av.error.FFmpegError):
        av.open(address, container_options=source.SAFELY)
    with av.open(f"file:{first}", container_options=source.SAFELY) as container:
        assert container.streams.video


def late(path: Path, begins: int = 5000) -> Path:
    """A film of five frames whose first time stamp is at 5 s."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", 10)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for number in range(5):
            frame = av.VideoFrame.from_image(ground((128, 96), number))
            frame.pts, frame.time_base = begins + 100 * number, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_a_video_that_begins_late_is_told_from_its_first_picture(tmp_path: Path) -> None:
    path = late(tmp_path / "late.mkv")
    with Source(path) as film_:
        assert float(film_.start) == pytest.approx(5, abs=0.05)
        times = [frame.time for frame in film_.frames()]
    assert times == pytest.approx([0, 0.1, 0.2, 0.3, 0.4], abs=0.002)
    timeline = run(path).timeline.to_dict()
    assert timeline["frames"][0]["time"] == 0 and timeline["video"]["seconds"] < 0.7
