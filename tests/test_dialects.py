"""What other models answer, in their own ways of saying it, as the same mentions.

The forms and what they mean are those that the supervision package reads, in cases of our own;
where this package says something else, the case says why.
"""

import base64
import io
import json
import zlib

import numpy as np
import pytest
from PIL import Image

from postprocess.instances import locate
from postprocess.tokens import DrawnMask, Parser, parse


def read(text, size, input_size=None):
    """Labels, boxes in pixels and points of what a text says, and the codes of its notices."""
    parser = Parser(size=size, input_size=input_size)
    mentions = parser.feed(text) + parser.close()
    found = locate(mentions, size)
    return found, [notice.code for notice in parser.notices], parser.plain


def boxes(found):
    return [tuple(round(edge, 3) for edge in one.box) for one in found]


def fenced(*things):
    return f"```json\n{json.dumps(things)}\n```"


CAT, DOG = (0.1, 0.2, 0.3, 0.4), (0.5, 0.6, 0.7, 0.8)  # x0, y0, x1, y1 in shares
SIZE = (640, 480)
CAT_BOX, DOG_BOX = (64, 96, 192, 192), (320, 288, 448, 384)


@pytest.mark.parametrize(
    ("text", "labels", "expected"),
    [
        pytest.param("", [], [], id="nothing"),
        pytest.param("some words", [], [], id="words"),
        pytest.param("```json\nno JSON\n```", [], [], id="no JSON"),
        pytest.param("```json\n[]\n```", [], [], id="an empty list"),
        pytest.param(
            fenced({"bbox_2d": [10, 20, 110, 120], "label": "cat"}),
            ["cat"],
            [(20, 22.5, 220, 135)],
            id="a box",
        ),
        pytest.param(
            fenced(
                {"bbox_2d": [0, 0, 64, 64], "label": "dog"},
                {"bbox_2d": [100, 200, 300, 400], "label": "cat"},
            ),
            ["dog", "cat"],
            [(0, 0, 128, 72), (200, 225, 600, 450)],
            id="two boxes",
        ),
        pytest.param(
            "[\n {'bbox_2d': [10, 20, 110, 120], 'label': 'cat'}\n]",
            ["cat"],
            [(20, 22.5, 220, 135)],
            id="as Python writes it",
        ),
        pytest.param(
            '```json\n[\n{"bbox_2d": [0, 0, 64, 64], "label": "dog"},\n'
            '{"bbox_2d": [10, 20, 110, 120], "label": "cat"},\n'
            '{"bbox_2d": [30, 40, 130, 140], "label":\n',
            ["dog", "cat", ""],
            [(0, 0, 128, 72), (20, 22.5, 220, 135), (60, 45, 260, 157.5)],
            id="cut: a whole box counts without its label",
        ),
        pytest.param(
            fenced({"bbox_2d": [10, 10, 100, 100]}, {"label": "no box"}),
            [""],
            [(20, 11.25, 200, 112.5)],
            id="a box without a label is a box",
        ),
        pytest.param(
            fenced({"bbox_2d": [-10, 0, 700, 700], "label": "dog"}),
            ["dog"],
            [(0, 0, 1280, 720)],
            id="boxes lie in the picture",
        ),
        pytest.param(
            fenced({"point_2d": [320, 160], "label": "cat"}),
            ["cat"],
            [(640, 180, 640, 180)],
            id="a point",
        ),
    ],
)
def test_qwen_2_5_counts_in_pixels_of_what_it_saw(text, labels, expected):
    found, _, _ = read(text, (1280, 720), (640, 640))
    assert [one.label for one in found] == labels
    assert boxes(found) == expected


def test_qwen_3_counts_in_thousandths_and_nobody_has_to_say_so():
    found, notices, _ = read(fenced({"bbox_2d": [100, 200, 300, 400], "label": "cat"}), SIZE)
    assert boxes(found) == [CAT_BOX] and not notices


def test_pixels_of_an_unknown_picture_are_named_and_not_guessed():
    found, notices, _ = read(fenced({"bbox_2d": [100, 200, 1300, 400], "label": "cat"}), SIZE)
    assert (found, notices) == ([], ["unread"])


@pytest.mark.parametrize(
    ("text", "labels", "expected"),
    [
        pytest.param(
            "<|ref|>cat<|/ref|><|det|>[[100, 200, 300, 400]]<|/det|>",
            ["cat"],
            [(100.1, 200.2, 300.3, 400.4)],
            id="a box",
        ),
        pytest.param(
            "<|ref|>cat<|/ref|><|det|>[[100, 200, 300, 400]]<|/det|>"
            "<|ref|>dog<|/ref|><|det|>[[500, 600, 700, 800]]<|/det|><|end\u2581of\u2581sentence|>",
            ["cat", "dog"],
            [(100.1, 200.2, 300.3, 400.4), (500.501, 600.601, 700.701, 800.801)],
            id="two",
        ),
        pytest.param(
            "<|ref|>cats<|/ref|><|det|>[[0, 0, 999, 999], [1, 2, 3, 4]]<|/det|>",
            ["cats", "cats"],
            [(0, 0, 1000, 1000), (1.001, 2.002, 3.003, 4.004)],
            id="two of one name",
        ),
        pytest.param("<|ref|>cat<|/ref|>", [], [], id="a name alone is words"),
        pytest.param(
            "<|det|>[[100, 200, 300, 400]]<|/det|>",
            [""],
            [(100.1, 200.2, 300.3, 400.4)],
            id="a place alone is a box",
        ),
    ],
)
def test_deepseek_counts_to_999(text, labels, expected):
    found, notices, _ = read(text, (1000, 1000))
    assert [one.label for one in found] == labels
    assert boxes(found) == expected and set(notices) <= {"full_frame"}


def corners(box):
    return dict(zip(("x_min", "y_min", "x_max", "y_max"), box, strict=True))


@pytest.mark.parametrize(
    ("answer", "expected", "notices"),
    [
        pytest.param({"objects": []}, [], [], id="nothing"),
        pytest.param({"objects": [corners(CAT)]}, [CAT_BOX], [], id="a box"),
        pytest.param({"objects": [corners(CAT), corners(DOG)]}, [CAT_BOX, DOG_BOX], [], id="two"),
        pytest.param(
            {"objects": [{"x_min": 0.1, "y_min": 0.2}, corners(DOG)]},
            [DOG_BOX],
            ["unread"],
            id="half a box",
        ),
        pytest.param(
            {"objects": [corners((0, 0, 1, 1))]}, [(0, 0, 640, 480)], ["full_frame"], id="all of it"
        ),
        pytest.param({"points": [{"x": 0.5, "y": 0.25}]}, [(320, 120, 320, 120)], [], id="a point"),
    ],
)
@pytest.mark.parametrize("written", [json.dumps, repr], ids=["JSON", "Python"])
def test_moondream_counts_in_shares(answer, expected, notices, written):
    found, said, plain = read(written(answer), SIZE)
    assert (boxes(found), said, plain) == (expected, notices, "")
    assert all((one.point is not None) == ("points" in answer) for one in found)


def test_words_around_moondreams_boxes_are_kept():
    answer = {"caption": "a cat", "objects": [corners(CAT)], "request_id": "9f"}
    assert read(json.dumps(answer), SIZE)[2] == "a cat"


TWO = [[4, 4, 6, 6], [5, 5, 7, 7]]


@pytest.mark.parametrize(
    ("answer", "labels", "expected"),
    [
        pytest.param({"<OD>": {"bboxes": [], "labels": []}}, [], [], id="nothing"),
        *(
            pytest.param(
                {task: {"bboxes": TWO, "labels": ["car", "door"]}},
                ["car", "door"],
                TWO,
                id=task,
            )
            for task in ("<OD>", "<CAPTION_TO_PHRASE_GROUNDING>", "<DENSE_REGION_CAPTION>")
        ),
        pytest.param(
            {"<REGION_PROPOSAL>": {"bboxes": TWO, "labels": ["", ""]}}, ["", ""], TWO, id="regions"
        ),
        pytest.param(
            {
                "<OPEN_VOCABULARY_DETECTION>": {
                    "bboxes": TWO,
                    "bboxes_labels": ["cat", "cat"],
                    "polygons": [],
                    "polygons_labels": [],
                }
            },
            ["cat", "cat"],
            TWO,
            id="open vocabulary",
        ),
        pytest.param(
            {
                "<OCR_WITH_REGION>": {
                    "quad_boxes": [[2, 2, 6, 4, 5, 6, 1, 5], [4, 4, 5, 5, 4, 6, 3, 5]],
                    "labels": ["some text", "other text"],
                }
            },
            ["some text", "other text"],
            [[1, 2, 6, 6], [3, 4, 5, 6]],
            id="slanted boxes as the upright ones around them",
        ),
        pytest.param({"<CAPTION>": "A green car."}, [], [], id="a caption"),
        pytest.param({"<REGION_TO_CATEGORY>": "No object detected."}, [], [], id="no object"),
    ],
)
def test_what_florences_processor_gives_counts_in_pixels(answer, labels, expected):
    found, notices, _ = read(json.dumps(answer), (10, 10))
    assert ([one.label for one in found], boxes(found), notices) == (
        labels,
        [tuple(box) for box in expected],
        [],
    )


def test_pixels_need_the_size_of_the_picture():
    parser = Parser()
    text = json.dumps({"<OD>": {"bboxes": TWO, "labels": ["car", "door"]}})
    assert parser.feed(text) + parser.close() == []
    assert [notice.code for notice in parser.notices] == ["unread"]


def test_florences_polygons_are_masks():
    square = [1, 1, 2, 1, 2, 2, 1, 2]
    dot, far = [4, 4, 5, 4], [6, 6, 8, 6, 8, 8, 6, 8]
    answer = {
        "<REGION_TO_SEGMENTATION>": {
            "polygons": [[square], [square, dot, far], [dot]],
            "labels": ["", "", ""],
        }
    }
    found, _, _ = read(json.dumps(answer), (10, 10))
    one, two = np.zeros((10, 10), bool), np.zeros((10, 10), bool)
    one[1:3, 1:3] = two[1:3, 1:3] = two[6:9, 6:9] = True
    assert boxes(found) == [(1, 1, 2, 2), (1, 1, 8, 8)]
    assert np.array_equal(found[0].mask, one) and np.array_equal(found[1].mask, two)


@pytest.mark.parametrize(
    ("text", "labels", "expected"),
    [
        pytest.param(
            "some object<loc_300><loc_400><loc_500><loc_600>",
            ["some object"],
            [(3, 4, 5, 6)],
            id="a region",
        ),
        pytest.param(
            "</s><s>car<loc_100><loc_200><loc_300><loc_400>"
            "wheel<loc_0><loc_0><loc_100><loc_100><loc_500><loc_500><loc_600><loc_600></s>",
            ["car", "wheel", "wheel"],
            [(1, 2, 3, 4), (0, 0, 1, 1), (5, 5, 6, 6)],
            id="several, one of them twice",
        ),
        pytest.param(
            "text<loc_100><loc_100><loc_500><loc_100><loc_500><loc_300><loc_100><loc_300>",
            ["text"],
            [(1, 1, 5, 3)],
            id="four corners",
        ),
    ],
)
def test_florences_tokens_follow_their_words(text, labels, expected):
    found, notices, plain = read(text, (10, 10))
    assert ([one.label for one in found], boxes(found), notices, plain) == (
        labels,
        expected,
        [],
        "",
    )


def test_florences_tokens_of_more_points_are_a_mask():
    corners = (100, 100, 800, 100, 800, 800, 400, 900, 100, 800)
    (found,), _, _ = read("".join(f"<loc_{value}>" for value in corners), (10, 10))
    assert found.mask[5, 5] and not found.mask[0].any() and found.box == (1, 1, 8, 9)


KOSMOS = (
    "An image of a cat and a dog.",
    [("a cat", (12, 17), [CAT, DOG]), ("a dog", (23, 28), [DOG])],
)


@pytest.mark.parametrize("written", [json.dumps, repr], ids=["JSON", "Python"])
def test_kosmos_gives_a_caption_and_where_its_phrases_are(written):
    found, notices, plain = read(written(KOSMOS), SIZE)
    assert [one.label for one in found] == ["a cat", "a cat", "a dog"]
    assert boxes(found) == [CAT_BOX, DOG_BOX, DOG_BOX]
    assert (notices, plain) == ([], "An image of a cat and a dog.")


@pytest.mark.parametrize(
    ("patches", "expected"),
    [
        pytest.param((44, 863), [(12.5, 1.5, 31.5, 26.5)], id="from middle to middle"),
        pytest.param((33, 33), [(1, 1, 2, 2)], id="one patch"),
        pytest.param((33, 40), [(1, 1, 9, 2)], id="a row"),
        pytest.param((1, 1024), [], id="no such patch"),
    ],
)
def test_kosmos_tokens_count_patches(patches, expected):
    tokens = "".join(f"<patch_index_{patch:04d}>" for patch in patches)
    text = f"<grounding> An image of<phrase> a cat</phrase><object>{tokens}</object> on a mat."
    found, notices, plain = read(text, (32, 32))
    assert boxes(found) == expected
    assert [one.label for one in found] == ["a cat"] * len(expected)
    assert notices == ([] if expected else ["unread"])
    assert plain == "An image of on a mat."


@pytest.mark.parametrize(
    ("text", "points"),
    [
        pytest.param(
            '<point x="10.5" y="20.1" alt="cat">cat</point>', [(10.5, 20.1)], id="a point"
        ),
        pytest.param("<point x='10.5' y='20.1' alt='cat'/>", [(10.5, 20.1)], id="closed at once"),
        pytest.param(
            '<points x1="1" y1="2" x2="30.3" y2="40" alt="cats">cat</points>',
            [(1, 2), (30.3, 40)],
            id="two points",
        ),
        pytest.param(
            '<points coords="1 1 105 201 2 300 400">cat</points>',
            [(10.5, 20.1), (30, 40)],
            id="Molmo 2",
        ),
        pytest.param('<points coords="105 201">cat</points>', [(10.5, 20.1)], id="one place alone"),
    ],
)
def test_molmo_points(text, points):
    found, notices, plain = read(f"Here: {text} there", (100, 100))
    assert [one.point for one in found] == [pytest.approx(point) for point in points]
    assert {one.label for one in found} == {"cat"} and (notices, plain) == ([], "Here: there")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("<ref>cat</ref><box><100><200><300><400></box>", id="LocateAnything"),
        pytest.param("<ref>cat</ref><box>(100,200),(300,400)</box>", id="Qwen-VL"),
        pytest.param("<ref>cat</ref><box>[[100, 200, 300, 400]]</box>", id="InternVL"),
        pytest.param(
            "<|object_ref_start|>cat<|object_ref_end|><|box_start|>(100,200),(300,400)<|box_end|>",
            id="Qwen2-VL",
        ),
    ],
)
def test_boxes_between_tags_count_in_thousandths(text):
    found, notices, plain = read(f"I see {text}.", SIZE)
    assert ([one.label for one in found], boxes(found), notices) == (["cat"], [CAT_BOX], [])
    assert plain == "I see ."


def test_locate_anything_points_repeats_and_finds_nothing():
    text = "<ref>cat</ref><box><100><200></box><box><500><600></box> <ref>dog</ref><box>None</box>"
    found, notices, plain = read(text, SIZE)
    assert [one.point for one in found] == [(64, 96), (320, 288)]
    assert [one.label for one in found] == ["cat", "cat"] and (notices, plain) == ([], "")


def png_of(array):
    raw = io.BytesIO()
    Image.fromarray(array).save(raw, "PNG")
    return "data:image/png;base64," + base64.b64encode(raw.getvalue()).decode()


def gemini(**more):
    return fenced({"box_2d": [200, 100, 400, 300], "label": "cat"} | more)


def test_geminis_png_is_stretched_over_the_box():
    half = np.zeros((8, 8), np.uint8)
    half[:, :4] = 255
    (found,), notices, _ = read(gemini(mask=png_of(half), confidence=0.8), (100, 100))
    expected = np.zeros((100, 100), bool)
    expected[20:40, 10:20] = True
    assert np.array_equal(found.mask, expected) and (found.score, notices) == (0.8, [])


def test_geminis_polygon_is_a_mask_of_the_picture():
    ring = [[100, 200], [300, 200], [300, 400], [100, 400]]
    answer = {"boxes": [{"box_2d": [200, 100, 400, 300], "label": "cat", "mask": ring}]}
    (found,), notices, plain = read(json.dumps(answer), (100, 100))
    assert found.mask[20:41, 10:31].all() and found.mask.sum() == 21 * 21
    assert (notices, plain) == ([], "")


CODES = "".join(f"<seg_{code}>" for code in range(16))


@pytest.mark.parametrize(
    ("mask", "codes"),
    [
        pytest.param(f"<start_of_mask>{CODES}", tuple(range(16)), id="code tokens"),
        pytest.param(
            "".join(f"<seg{code:03d}>" for code in range(16)), tuple(range(16)), id="ours"
        ),
        pytest.param(CODES[:-8], None, id="fewer codes"),
        pytest.param("data:image/png;base64,AAAA", None, id="no PNG"),
        pytest.param(png_of(np.zeros((8, 8), np.uint8))[:-30], None, id="half a PNG"),
        pytest.param(png_of(np.zeros((1, 5000), np.uint8)), None, id="too wide a PNG"),
        pytest.param([[1, 2], [3, 4]], None, id="two points"),
        pytest.param("a cat's outline", None, id="words"),
    ],
)
def test_a_mask_is_read_or_named_and_its_box_stays(mask, codes):
    parser = Parser()
    (mention,) = parser.feed(gemini(mask=mask)) + parser.close()
    assert mention.box == (200, 100, 400, 300) and mention.label == "cat"
    assert mention.codes == (codes or ()) and mention.drawn is None
    assert [notice.code for notice in parser.notices] == ([] if codes else ["unread"])


def png_with(name: bytes, data: bytes) -> str:
    """The address of a whole PNG of 8 x 8 with one part more in front of its pixels."""
    raw = base64.b64decode(png_of(np.zeros((8, 8), np.uint8)).partition(",")[2])
    sums = zlib.crc32(name + data).to_bytes(4, "big")
    part = len(data).to_bytes(4, "big") + name + data + sums
    whole = raw[:33] + part + raw[33:]  # behind the signature and the head
    return "data:image/png;base64," + base64.b64encode(whole).decode()


@pytest.mark.parametrize("is_first", [True, False], ids=["head in front", "head behind"])
@pytest.mark.parametrize("side", [13_000, 20_000])
def test_a_mask_with_two_heads_is_not_drawn(side: int, is_first: bool) -> None:
    """Only one of them would count: 20 kilobytes came to hundreds of megabytes, or to an error."""
    head = side.to_bytes(4, "big") * 2 + bytes([1, 0, 0, 0, 0])
    raw = base64.b64decode(png_with(b"IHDR", head).partition(",")[2])
    if not is_first:  # what stands in front only looks like one
        raw = (
            raw[:8]
            + raw[8:12]
            + b"heAd"
            + raw[16:29]
            + zlib.crc32(b"heAd" + raw[16:29]).to_bytes(4, "big")
            + raw[33:]
        )
    mask = "data:image/png;base64," + base64.b64encode(raw).decode()
    (found,), notices, _ = read(gemini(mask=mask), (100, 100))
    assert (found.mask, notices) == (None, ["unread"])


def test_a_mask_that_was_cut_leaves_its_box():
    cut = gemini(mask=png_of(np.zeros((8, 8), np.uint8)))[:-40]
    found, notices, plain = read(cut, (100, 100))
    assert (boxes(found), notices, plain) == ([(10, 20, 30, 40)], ["unread"], "")


@pytest.mark.parametrize(
    ("text", "label", "score", "plain"),
    [
        pytest.param('{"box_2d": [1,2,300,400], "name": "cat"}', "cat", None, "", id="name"),
        pytest.param(
            '{"box_2d": [1,2,300,400], "text_content": "EXIT"}', "EXIT", None, "", id="OCR"
        ),
        pytest.param(
            '{"box_2d": [1,2,300,400], "label": "cat", "description": "it sits"}',
            "cat",
            None,
            "it sits",
            id="more words",
        ),
        pytest.param(
            '{"box_2d": [1,2,300,400], "label": 7, "score": "93%"}', "7", 0.93, "", id="%"
        ),
        pytest.param(
            '{"box_2d": [1,2,300,400], "label": "cat", "score": 87}', "cat", 0.87, "", id="of 100"
        ),
        pytest.param(
            '{"box_2d": ["1","2","300","400"], "label": "cat"}', "cat", None, "", id="text"
        ),
        pytest.param(
            '{"box_2d": "1, 2, 300, 400", "label": "cat"}', "cat", None, "", id="one text"
        ),
        pytest.param("{'box_2d': [1,2,300,400], 'label': 'cat',}", "cat", None, "", id="quotes"),
        pytest.param("{box_2d: [1,2,300,400], label: cat}", "cat", None, "", id="no quotes"),
        pytest.param("{'box_2d': (1,2,300,400), 'label': None}", "", None, "", id="Python"),
        pytest.param(
            '{"box_2d": [1,2,300,400], // left\n "label": /* "dog" */ "cat"}',
            "cat",
            None,
            "",
            id="comments",
        ),
        pytest.param(
            '[{"box_2d": [0.001,0.002,0.3,0.4], "label": "cat"}]', "cat", None, "", id="shares"
        ),
        pytest.param(
            r'"[{\"box_2d\": [1,2,300,400], \"label\": \"cat\"}]"',
            "cat",
            None,
            "",
            id="JSON in JSON",
        ),
        pytest.param(
            "[{&quot;box_2d&quot;: [1,2,300,400], &quot;label&quot;: &quot;cat&quot;}]",
            "cat",
            None,
            "",
            id="HTML",
        ),
    ],
)
def test_box_2d_however_it_is_written(text, label, score, plain):
    parser = Parser()
    (mention,) = parser.feed(text) + parser.close()
    assert (mention.box, mention.units, mention.label) == ((1, 2, 300, 400), 1000, label)
    assert (mention.score, parser.plain) == (score, plain)


def test_points_count_y_before_x_in_thousandths():
    (mention,) = parse('[{"point": [250, 500], "label": "cat"}]')
    assert (mention.point, mention.box, mention.units) == ((250, 500), (250, 500, 250, 500), 1000)
    (found,) = locate([mention], SIZE)
    assert found.point == (320, 120) and found.box == (320, 120, 320, 120)


@pytest.mark.parametrize("key", ["bbox", "box_3d", "bounding_box"])
def test_numbers_that_nobody_explains_are_named(key):
    found, notices, plain = read(json.dumps({key: [1, 2, 3, 4], "label": "cat"}), SIZE)
    assert (found, notices) == ([], ["unread"]) and "cat" in plain


def test_a_drawn_mask_tells_mentions_apart():
    one, other = DrawnMask(png=b"a"), DrawnMask(png=b"b")
    assert one != other and len({one, other, DrawnMask(png=b"a")}) == 2


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        pytest.param(
            "{'box_2d': [100, 200, 300, 400], 'label': 'cat', 'size': 5'} and "
            "{'box_2d': [10, 20, 30, 40], 'label': 'dog', 'size': 6'}",
            ["cat", "dog"],
            id="an apostrophe behind a number opens no string",
        ),
        pytest.param(
            '{"label": "the \\"} one", "box_2d": [100, 200, 300, 400]} and '
            '{"label": "dog", "box_2d": [10, 20, 30, 40]}',
            ['the "} one', "dog"],
            id="an escaped quote ends no string",
        ),
        pytest.param(
            '{"label": "C:\\\\", "box_2d": [100, 200, 300, 400]} and '
            '{"label": "dog", "box_2d": [10, 20, 30, 40]}',
            ["C:\\", "dog"],
            id="a quote behind an escaped backslash ends one",
        ),
    ],
)
def test_braces_within_strings_close_nothing(text: str, labels: list[str]) -> None:
    for size in (1, 7, len(text)):
        parser = Parser(size=SIZE)
        pieces = (text[start : start + size] for start in range(0, len(text), size))
        mentions = [one for piece in pieces for one in parser.feed(piece)] + parser.close()
        assert [one.label for one in mentions] == labels
