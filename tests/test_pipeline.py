"""From a request to an answer that grows, over an engine that speaks a script."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from fake_engine import (
    CAT_AND_DOG,
    CAT_WITH_MASK,
    FakeDecoder,
    FakeEngine,
    FakeFamily,
    fake_pipeline,
)
from PIL import Image

from gemma_vision.images.opening import ImageError
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.prompts import GEMMA3, PALIGEMMA
from gemma_vision.requests.request import Request, Turn
from gemma_vision.requests.tasks import Task
from gemma_vision.requests.validation import TaskError
from gemma_vision.runtime.engine import Chunk
from postprocess.mask_formats import mask_of

BOX = "<loc0102><loc0102><loc0512><loc0460>"
CODES = "".join(f"<seg{code:03d}>" for code in range(16))
KEYS = {
    "model": str,
    "task": str,
    "prompt": str,
    "text": str,
    "plain": str,
    "image": dict,
    "policy": str,
    "finish": str,
    "warnings": list,
    "instances": list,
    "timing": dict,
}
INSTANCE_KEYS = {"label", "box", "point", "pixels", "score", "mask", "polygons"}


def test_run_is_the_last_of_stream(picture):
    pipeline = fake_pipeline(timing={"encode": 0.1, "prefill": 0.2, "decode": 0.3})
    request = Request(picture, "detect", "cat ; dog")
    assert pipeline.run(request).to_dict() == list(pipeline.stream(request))[-1].to_dict()


def test_a_stream_only_grows(picture):
    answers = list(fake_pipeline(f"{CAT_WITH_MASK} ; {CAT_AND_DOG}").stream(detect(picture)))
    for before, after in itertools.pairwise(answers):
        assert after.text.startswith(before.text)
        assert after.instances[: len(before.instances)] == before.instances  # the very same ones
        assert after.mentions[: len(before.mentions)] == before.mentions
    assert [answer.finish for answer in answers] == [None] * (len(answers) - 1) + ["stop"]
    assert [len(answer.instances) for answer in answers][-1] == 3


def test_the_record_being_written_is_partial_until_it_closes(picture):
    answers = list(fake_pipeline(f"{BOX} cat ; ").stream(detect(picture)))
    seen = [answer.partial and len(answer.partial.positions) for answer in answers]
    assert seen == [1, 2, 3, 4, 4, None, None, None]
    growing, whole = answers[2].to_dict(), answers[-1].to_dict()
    assert growing["partial"] == {
        "label": "",
        "positions": [102, 102, 512],
        "codes": [],
        "units": 1024,
    }
    assert growing["finish"] is None
    assert "partial" not in whole


@pytest.mark.parametrize("script", [f"{BOX} cat ; ", "two cats on a mat"])
def test_while_it_grows_the_json_has_a_partial_and_the_whole_has_none(picture, script):
    *growing, whole = [answer.to_dict() for answer in fake_pipeline(script).stream(detect(picture))]
    assert all("partial" in answer for answer in growing)
    assert growing[-1]["partial"] is None  # between records
    assert "partial" not in whole


@pytest.mark.parametrize("verb", ["detect", "segment", "ask", "free", "chat"])
def test_the_json_is_the_contracts(picture, verb):
    answer = getattr(fake_pipeline(CAT_WITH_MASK), verb)(picture, "cat").to_dict()
    assert {key: type(value) for key, value in answer.items()} == KEYS
    assert answer["image"] == {"width": 640, "height": 480}
    assert answer["task"] == verb
    (instance,) = answer["instances"]
    assert instance.keys() == INSTANCE_KEYS
    assert instance["mask"]["size"] == [480, 640]
    assert instance["polygons"][0][0] == [pytest.approx(v) for v in instance["polygons"][0][0]]
    assert {"encode", "prefill", "decode", "tokens"} == answer["timing"].keys()
    assert json.loads(json.dumps(answer)) == answer


def test_boxes_without_a_mask_say_null(picture):
    (instance, _) = fake_pipeline().detect(picture, "cat ; dog").to_dict()["instances"]
    assert (instance["mask"], instance["polygons"]) == (None, None)


def test_the_json_mask_is_the_instances_mask(picture):
    answer = fake_pipeline(CAT_WITH_MASK).segment(picture, "cat")
    mask = mask_of(answer.to_dict()["instances"][0]["mask"])
    assert np.array_equal(mask, answer.instances[0].mask)
    assert 0 < mask.sum() < mask.size


@pytest.mark.parametrize(
    "policy, box, pixels",
    [
        pytest.param(
            "bigvision",
            (102 / 1023 * 640, 102 / 1023 * 480, 460 / 1023 * 640, 512 / 1023 * 480),
            (63, 47, 287, 240),
            id="bigvision",
        ),
        pytest.param(
            "space",
            (102 / 1024 * 640, 102 / 1024 * 480, 460 / 1024 * 640, 240.0),
            (64, 48, 288, 240),
            id="space",
        ),
    ],
)
def test_units_become_pixels_by_the_policy(picture, policy, box, pixels):
    answer = fake_pipeline(f"{BOX} cat", policy=policy).detect(picture, "cat").to_dict()
    assert answer["policy"] == policy
    assert answer["instances"][0]["box"] == [round(edge, 2) for edge in box]
    assert tuple(answer["instances"][0]["pixels"]) == pixels


def test_the_score_is_the_geometric_mean_of_the_four_positions(picture):
    scores = [0.9, 0.8, 0.7, 0.6]
    locs = [Chunk(loc, (1,), (s,)) for loc, s in zip(split(BOX), scores, strict=True)]
    script = [*locs, Chunk(" cat", (2,), (0.01,)), Chunk("", finish="stop")]
    (instance,) = fake_pipeline(script).detect(picture, "cat").instances
    assert instance.score == pytest.approx(math.prod(scores) ** 0.25)


@pytest.mark.parametrize(
    "chunks, score",
    [
        pytest.param([Chunk(BOX, (1, 2, 3, 4), (0.5,) * 4)], 0.5, id="locs alone tell lengths"),
        pytest.param(
            [Chunk(f"{BOX} cat", (1, 2, 3, 4, 5), (0.5,) * 5, lengths=(9, 9, 9, 9, 4))],
            0.5,
            id="lengths told",
        ),
        pytest.param([Chunk(f"{BOX} cat", (1, 2, 3, 4, 5), (0.5,) * 5)], None, id="not told"),
        pytest.param([Chunk(loc, (1,)) for loc in (BOX[:9],) * 4], None, id="no scores"),
        pytest.param(
            [Chunk(f"\u732b{BOX[:9]}", (1,), (0.5,))] + [Chunk(BOX[:9], (1,), (0.5,))] * 3,
            0.5,
            id="text held back",
        ),
    ],
)
def test_scores_find_their_positions_or_are_left_out(picture, chunks, score):
    (instance,) = fake_pipeline([*chunks, Chunk("", finish="stop")]).detect(picture, "x").instances
    assert instance.score == score


def test_scores_stay_with_their_record(picture):
    scores = iter([0.1] * 4 + [0.9] * 4)
    script = [Chunk(t, (1,), (next(scores) if "<loc" in t else 0.5,)) for t in split_all()]
    cat, dog = fake_pipeline([*script, Chunk("", finish="stop")]).detect(picture, "x").instances
    assert (cat.score, dog.score) == (pytest.approx(0.1), pytest.approx(0.9))


def test_a_third_copy_ends_the_answer(picture):
    pipeline = fake_pipeline(" ; ".join([f"{BOX} cat"] * 50))
    answers = list(pipeline.stream(detect(picture)))
    assert answers[-1].finish == "repeat"
    assert len(answers[-1].instances) == 3
    assert pipeline.engine.cancelled == 1
    assert "repeat" in {notice.code for notice in answers[-1].warnings}


def test_three_things_of_one_name_are_no_repeat(picture):
    boxes = [f"<loc0102><loc0102><loc0512><loc{right:04d}> cat" for right in (300, 400, 500, 600)]
    assert fake_pipeline(" ; ".join(boxes)).run(detect(picture)).finish == "stop"


@pytest.mark.parametrize(
    "option, script, left, code",
    [
        pytest.param(
            {"drop_repeats": True}, f"{BOX} cat ; {BOX} cat", ["cat"], "removed_repeat", id="copy"
        ),
        pytest.param(
            {"max_overlap": 0.5},
            f"{BOX} cat ; <loc0103><loc0103><loc0512><loc0460> cat ; {BOX} dog",
            ["cat", "dog"],
            "removed_overlap",
            id="overlap",
        ),
        pytest.param(
            {"drop_full_frame": True},
            f"<loc0000><loc0000><loc1023><loc1023> sky ; {BOX} cat",
            ["cat"],
            "removed_full_frame",
            id="full frame",
        ),
        pytest.param({"min_score": 0.95}, f"{BOX} cat", [], "removed_score", id="unsure"),
        pytest.param(
            {"drop_unasked": True},
            f"{BOX} Cat ; {BOX} dog ; {BOX}",
            ["Cat"],
            "removed_unasked",
            id="other names",
        ),
    ],
)
def test_an_answer_is_tidied_only_where_it_is_asked_for(picture, option, script, left, code):
    tidy = fake_pipeline(script).detect(picture, "cat", **option)
    assert [instance.label for instance in tidy.instances] == left
    assert len(tidy.mentions) == len(left)
    assert code in {notice.code for notice in tidy.warnings}
    plain = fake_pipeline(script).detect(picture, "cat")
    assert len(plain.instances) == script.count(";") + 1
    assert tidy.text == plain.text


def test_in_a_batch_a_repeating_answer_leaves_the_others_alone(picture):
    loop = " ; ".join([f"{BOX} cat"] * 50)
    pipeline = fake_pipeline(lambda prompt: loop if "loop" in prompt.text else CAT_AND_DOG)
    requests = [Request(picture, "detect", text) for text in ("loop", "cat ; dog", "loop")]
    answers = pipeline.batch(requests)
    assert [answer.finish for answer in answers] == ["repeat", "stop", "repeat"]
    assert answers[1].text == CAT_AND_DOG


def test_the_limit_closes_what_is_open_and_says_so(picture):
    answer = fake_pipeline(CAT_AND_DOG).run(Request(picture, "detect", "cat", max_tokens=9))
    assert answer.finish == "length"
    assert [instance.label for instance in answer.instances] == ["cat"]
    assert [notice.code for notice in answer.warnings] == ["incomplete_box", "token_limit"]
    assert "cut at the token limit: 1 object kept" in answer.warnings[-1].message
    assert answer.partial is None


def test_closing_the_stream_cancels_the_engine(picture):
    pipeline = fake_pipeline()
    stream = pipeline.stream(detect(picture))
    next(stream)
    last = next(stream).cancelled()
    stream.close()
    assert pipeline.engine.cancelled == 1
    assert pipeline.engine.steps == 2
    assert (last.finish, last.partial) == ("cancelled", None)


def test_an_engine_that_just_ends_has_stopped(picture):
    assert fake_pipeline([Chunk("a cat", (1,))]).caption(picture).finish == "stop"


def test_an_engines_error_comes_through_and_closes_it(picture):
    pipeline = fake_pipeline(MemoryError("no more"))
    with pytest.raises(MemoryError):
        pipeline.detect(picture, "cat")


def test_each_mask_is_decoded_once_however_often_the_answer_is_shown(picture):
    decoder = FakeDecoder()
    script = " ; ".join(f"<loc0000><loc0000><loc05{n:02d}><loc0500> {CODES} cat" for n in range(5))
    shown = [
        answer.to_dict()
        for answer in fake_pipeline(script, decoder=decoder).stream(detect(picture))
    ]
    assert decoder.calls == 5
    assert len(shown[-1]["instances"]) == 5


def test_masks_of_a_batch_are_worked_out_together(picture):
    decoder = FakeDecoder()
    script = " ; ".join(f"<loc0000><loc0000><loc05{n:02d}><loc0500> {CODES} cat" for n in range(5))
    fake_pipeline(script, decoder=decoder).batch([detect(picture)] * 2)
    assert decoder.calls == 2  # one for each answer


def test_a_decoder_that_cannot_be_had_leaves_boxes_and_a_notice(picture, tmp_path):
    pipeline = fake_pipeline(CAT_WITH_MASK, decoder=str(tmp_path / "none.npz"))
    answer = pipeline.segment(picture, "cat")
    assert answer.instances[0].mask is None
    assert [notice.code for notice in answer.warnings] == ["no_mask_decoder"]


def test_a_decoder_is_not_looked_for_before_there_are_codes(picture, tmp_path):
    answer = fake_pipeline(decoder=str(tmp_path / "none.npz")).detect(picture, "cat")
    assert (len(answer.instances), answer.warnings) == (2, [])


@pytest.mark.parametrize(
    "verb, arguments, prompt",
    [
        pytest.param("detect", ("cat;dog",), "detect cat ; dog", id="detect"),
        pytest.param("segment", ("cat",), "segment cat", id="segment"),
        pytest.param("caption", (), "caption en", id="caption"),
        pytest.param("caption", ("ja",), "caption ja", id="caption in Japanese"),
        pytest.param("ask", ("what is it?",), "answer en what is it?", id="ask"),
        pytest.param("ocr", (), "ocr", id="ocr"),
        pytest.param("free", ("hello",), "hello", id="free"),
    ],
)
def test_each_verb_writes_its_prompt(picture, verb, arguments, prompt):
    engine = FakeEngine("a cat")
    answer = getattr(Pipeline(engine, PALIGEMMA), verb)(picture, *arguments, seed=7)
    assert (answer.prompt, engine.prompts[0].text, engine.prompts[0].seed) == (prompt, prompt, 7)
    assert answer.plain == "a cat"


def test_a_conversation_reaches_the_engine_with_its_pictures(picture):
    engine = FakeEngine("It is.")
    turns = [Turn("user", "a cat?", (picture,)), Turn("model", "no")]
    Pipeline(engine, GEMMA3).chat(picture, "sure?", turns)
    assert len(engine.prompts[0].images) == 2
    assert "a cat?" in engine.prompts[0].text


def test_several_pictures_go_into_one_prompt(picture):
    engine = FakeEngine("two")
    answer = Pipeline(engine, PALIGEMMA).ask((picture, picture.crop((0, 0, 9, 9))), "what?")
    assert [image.size for image in engine.prompts[0].images] == [(640, 480), (9, 9)]
    assert answer.image.size == (640, 480)


@pytest.mark.parametrize(
    "task, code",
    [
        pytest.param("caption", "E_TASK_UNSUPPORTED", id="not taught to this checkpoint"),
        pytest.param("chat", "E_TASK_UNSUPPORTED", id="not in this family"),
    ],
)
def test_what_the_checkpoint_cannot_is_refused_before_any_work(task, code):
    engine = FakeEngine()
    pipeline = Pipeline(engine, PALIGEMMA, tasks=["detect", "segment", "chat"], name="tiny")
    with pytest.raises(TaskError, match=r"tiny cannot \w+; it can detect, segment\.") as caught:
        pipeline.stream(Request("there is no such file", task, "x"))
    assert (caught.value.code, engine.prompts) == (code, [])


def test_a_bad_picture_is_refused_before_the_engine_is_asked(tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"")
    pipeline = fake_pipeline()
    with pytest.raises(ImageError):
        pipeline.stream(Request(bad, "detect", "cat"))
    assert pipeline.engine.prompts == []


def test_boxes_are_in_pixels_of_the_picture_set_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter
    path = tmp_path / "turned.jpg"
    Image.new("RGB", (640, 480)).save(path, exif=exif)
    answer = fake_pipeline().detect(path, "cat")
    assert answer.to_dict()["image"] == {"width": 480, "height": 640}
    assert answer.overlay().size == (480, 640)


def test_a_batch_keeps_its_order_and_its_bound(picture):
    widths: list[int] = []

    class Counting(FakeEngine):
        def stream(self, prompts):
            widths.append(len(prompts))
            return super().stream(prompts)

    pipeline = Pipeline(Counting(lambda prompt: prompt.text), FakeFamily())
    words = [f"word{n}" for n in range(7)]
    answers = pipeline.batch([Request(picture, "free", word) for word in words], size=3)
    assert [answer.text for answer in answers] == words
    assert widths == [3, 3, 1]
    assert pipeline.batch([]) == []


def test_the_engines_times_win_over_measured_ones(picture):
    timing = fake_pipeline(timing={"encode": 1.5, "prefill": 2.5}).detect(picture, "cat").timing
    assert (timing["encode"], timing["prefill"], timing["tokens"]) == (1.5, 2.5, 12)
    assert timing["decode"] >= 0


def test_the_overlay_shows_the_instances(picture):
    answer = fake_pipeline().detect(picture, "cat ; dog")
    drawn = np.asarray(answer.overlay())
    assert drawn.shape == (480, 640, 3)
    assert not np.array_equal(drawn, np.asarray(picture))
    assert np.array_equal(np.asarray(answer.image), np.asarray(picture))  # the picture is untouched


def test_an_answer_never_prints_what_was_said_or_seen(picture):
    assert "secret" not in repr(fake_pipeline("secret").ask(picture, "secret?"))


def test_describe_says_what_the_checkpoint_is():
    card = {"side": 112, "parameters": 4_600_000, "licence": "Apache-2.0", "names": ["cat"]}
    tasks = ["segment", "detect"]
    row = Pipeline(FakeEngine(), PALIGEMMA, name="tiny", tasks=tasks, card=card).describe()
    assert row == {
        "id": "tiny",
        "family": "paligemma",
        "tasks": ["detect", "segment"],
        "side": 112,
        "parameters": 4_600_000,
        "licence": "Apache-2.0",
        "here": True,
    }


def test_unknown_tasks_of_a_checkpoints_notes_are_an_error():
    with pytest.raises(ValueError, match="fly"):
        Pipeline(FakeEngine(), PALIGEMMA, tasks=["detect", "fly"])


def detect(picture: Image.Image) -> Request:
    return Request(picture, Task.detect, "cat ; dog")


def split(locs: str) -> list[str]:
    return [f"{loc}>" for loc in locs.split(">")[:-1]]


def split_all() -> list[str]:
    cat, dog = CAT_AND_DOG.split(" ; ")
    return [*split(cat[:36]), " cat", " ;", " ", *split(dog[:36]), " dog"]


@pytest.mark.parametrize("size", [0, -1, 2.5, True, None, "3"])
def test_a_batch_of_no_width_is_refused(picture, size):
    for requests in ([], [Request(picture, "free", "x")]):
        with pytest.raises(TaskError, match="size is") as caught:
            fake_pipeline().batch(requests, size=size)
        assert caught.value.code == "E_BATCH_SIZE"


def test_a_batchs_width_may_be_a_number_of_numpy(picture):
    requests = [Request(picture, "detect", "cat")] * 3
    assert len(fake_pipeline().batch(requests, size=np.int64(2))) == 3


def test_a_batch_may_come_from_a_generator(picture):
    requests = (Request(picture, "detect", name) for name in ("cat", "dog", "cat"))
    answers = fake_pipeline().batch(requests, size=2)
    assert [answer.request.text for answer in answers] == ["cat", "dog", "cat"]


@pytest.mark.parametrize("wrong", ["detect cat", None, ("a.png", "detect", "cat")])
def test_what_is_no_request_is_refused_in_words(picture, wrong):
    pipeline = fake_pipeline()
    asks = (
        lambda: pipeline.run(wrong),
        lambda: pipeline.stream(wrong),
        lambda: pipeline.batch([Request(picture, "detect", "cat"), wrong]),
        lambda: pipeline.batch(wrong),
    )
    for ask in asks:
        with pytest.raises(TaskError, match=r"is no request; give Request") as caught:
            ask()
        assert caught.value.code == "E_REQUEST"
    assert not pipeline.engine.prompts


@pytest.mark.parametrize("turns", [5, None, ["x"]])
def test_turns_that_are_none_are_refused_in_words(picture, turns):
    with pytest.raises(TaskError) as caught:
        fake_pipeline().chat(picture, "hello", turns)
    assert caught.value.code == "E_TURNS"
