"""The picture with its instances: colours that stay, masks in their place, nothing else touched."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from postprocess import fonts, label_drawing
from postprocess.instances import Instance
from postprocess.label_drawing import PlaceGrid, arrange, font_size
from postprocess.overlay import OverlayError, draw, line_width
from postprocess.palette import FAR, PALETTE, difference, ink_on, label_color, label_colors

GREY = (100, 100, 100)


def picture(width=200, height=150, color=GREY):
    return Image.new("RGB", (width, height), color)


def thing(label, pixels, size=(200, 150), *, masked=True, score=None):
    x0, y0, x1, y1 = pixels
    mask = np.zeros(size[::-1], bool)
    mask[y0 + 5 : y1 - 5, x0 + 5 : x1 - 5] = True
    return Instance(label, tuple(map(float, pixels)), pixels, mask if masked else None, score=score)


def alone(image, instances, **options):
    """Drawn with masks only, as an array."""
    return np.asarray(draw(image, instances, boxes=False, labels=False, **options)).astype(int)


@pytest.mark.parametrize("opacity", [0.0, 0.25, 0.5, 1.0])
def test_a_mask_is_mixed_with_the_picture(opacity):
    found = thing("cat", (40, 30, 140, 120))
    pixels = alone(picture(), [found], opacity=opacity)
    color = np.array(label_color("cat"))
    expected = np.array(GREY) * (1 - opacity) + color * opacity
    assert np.abs(pixels[75, 90] - expected).max() <= 1


def test_only_the_masks_are_touched():
    found = thing("cat", (40, 30, 140, 120))
    changed = (alone(picture(), [found]) != np.array(GREY)).any(2)
    edge = np.zeros_like(found.mask)
    edge[33:117, 43:137] = True  # the line along the edge reaches one or two pixels further
    assert changed[found.mask].all() and not changed[~edge].any()


def test_the_picture_itself_is_left_as_it_is():
    image = picture()
    before = image.tobytes()
    draw(image, [thing("cat", (40, 30, 140, 120))])
    assert image.tobytes() == before


def test_nothing_found_is_a_copy():
    image = picture()
    drawn = draw(image, [])
    assert drawn is not image and drawn.tobytes() == image.tobytes()


@pytest.mark.parametrize("with_mask", [True, False], ids=["masks", "boxes"])
def test_no_record_of_the_picture_goes_along(tmp_path, with_mask):
    image = picture()
    exif = image.getexif()
    exif[0x010E] = "secret place"
    image.info["comment"] = b"secret place"
    image.save(tmp_path / "in.jpg", exif=exif, comment=b"secret place")
    with Image.open(tmp_path / "in.jpg") as opened:
        drawn = draw(opened, [thing("cat", (40, 30, 140, 120), masked=with_mask)])
    assert not drawn.info and not drawn.getexif()
    drawn.save(tmp_path / "out.jpg")
    assert b"secret" not in (tmp_path / "out.jpg").read_bytes()


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1"])
def test_a_picture_of_any_mode_is_drawn_on(mode):
    drawn = draw(picture().convert(mode), [thing("cat", (40, 30, 140, 120))])
    assert drawn.mode == "RGB" and drawn.size == (200, 150)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (16, 16), (224, 224), (3000, 40)], ids=str)
def test_pictures_of_any_size_are_drawn_on(size):
    box = (0, 0, size[0], size[1])
    mask = np.ones(size[::-1], bool)
    full = Instance("a label that is longer than the picture", box, box, mask, score=0.5)
    empty = Instance("cat", (0.0, 0.0, 0.0, 0.0), (0, 0, 0, 0), np.zeros_like(mask))
    assert draw(picture(*size), [full, empty], scores=True).size == size


def test_boxes_masks_and_labels_can_each_be_left_out():
    image, found = picture(), [thing("cat", (60, 60, 160, 140), score=0.75)]
    options = ("masks", "boxes", "labels")
    drawn = {
        chosen: draw(image, found, **dict(zip(options, chosen, strict=True))).tobytes()
        for chosen in itertools.product((True, False), repeat=3)
    }
    assert len(set(drawn.values())) == 8
    assert drawn[False, False, False] == image.tobytes()
    assert draw(image, found, scores=True).tobytes() != draw(image, found).tobytes()


def test_a_box_is_lined_in_its_colour_where_it_says():
    found = thing("cat", (60, 60, 160, 140), masked=False)
    drawn = draw(picture(), [found], labels=False)
    inner = line_width(drawn.size) + 2
    for x, y in ((60, 100), (159, 100), (100, 60), (100, 139)):
        assert drawn.getpixel((x, y)) == label_color("cat")
    assert drawn.getpixel((100, 100)) == GREY == drawn.getpixel((59, 59))
    assert drawn.getpixel((60 + inner + 1, 100)) == GREY


def test_the_dark_edge_of_a_line_lets_the_picture_through_without_a_seam():
    found = thing("cat", (60, 60, 160, 140), masked=False)
    drawn = np.asarray(draw(picture(), [found], labels=False))
    inside = drawn[62:138, 62:158].reshape(-1, 3)
    assert {tuple(pixel) for pixel in inside.tolist()} == {GREY, (55, 55, 55)}


def test_drawn_pictures_have_the_proportions_of_the_viewer():
    size = (2000, 2000)  # where a pixel of the viewer is four of the picture
    pill = arrange("cat", (255, 140, 0), (0, 500, 900, 900), size)
    assert line_width(size) == 2 * 4 and font_size(size) == 12 * 4
    assert pill.place[3] - pill.place[1] == 20 * 4


def test_a_small_mask_shows_on_a_large_one_whatever_their_order():
    large, small = thing("sea", (0, 0, 200, 150)), thing("cat", (80, 60, 120, 90))
    first, second = (alone(picture(), order) for order in ([large, small], [small, large]))
    assert np.array_equal(first, second)
    assert not np.array_equal(first[75, 100], first[20, 20])


@pytest.mark.parametrize("opacity", [-0.1, 1.5, float("nan")])
def test_an_opacity_out_of_range_is_refused(opacity):
    with pytest.raises(OverlayError, match="between 0 and 1"):
        draw(picture(), [], opacity=opacity)


def test_a_mask_of_another_picture_is_refused():
    with pytest.raises(OverlayError, match="100 x 80"):
        draw(picture(), [thing("cat", (10, 10, 50, 50), (100, 80))])


def test_a_label_keeps_its_colour_while_instances_arrive():
    labels = [f"thing {number}" for number in range(40)]
    whole = label_colors(labels)
    for count in range(len(labels)):
        assert label_colors(labels[:count]) == {label: whole[label] for label in labels[:count]}


def nearest(labels):
    """The least difference between the colours of two of the labels, as the tests measure it."""
    seen = cielab(linear(list(label_colors(labels).values())))
    return np.linalg.norm(seen[:, None] - seen[None], axis=2)[np.triu_indices(len(seen), 1)].min()


@pytest.mark.parametrize("count", [2, 5, 12, 14])
def test_the_labels_of_a_picture_differ_to_the_eye(count):
    sets = [[f"thing {seed} {n}" for n in range(count)] for seed in range(200)]
    assert min(map(nearest, sets)) >= FAR == 25


def test_names_that_people_ask_for_differ_to_the_eye():
    words = "person car dog cat tree boat bird bottle chair bus cup table horse bench hat kite"
    names = words.split()
    assert min(nearest(names[n : n + 12]) for n in range(len(names) - 11)) >= FAR


def test_a_label_has_its_own_colour_where_that_is_far_from_the_others():
    own = {f"thing {number}": label_color(f"thing {number}") for number in range(40)}
    for first, second in itertools.permutations(own, 2):
        is_far = difference(own[first], own[second]) >= FAR
        assert (label_colors([first, second])[second] == own[second]) is is_far


def test_differences_are_those_of_cielab():
    seen = cielab(linear(PALETTE))
    apart = np.linalg.norm(seen[:, None] - seen[None], axis=2)
    ours = [[difference(one, other) for other in PALETTE] for one in PALETTE]
    assert np.abs(apart - ours).max() < 0.05


def test_labels_share_a_colour_only_when_there_are_more_than_colours():
    colors = label_colors([f"thing {number}" for number in range(len(PALETTE))])
    assert len(set(colors.values())) == len(PALETTE)
    assert label_colors(["cat"])["cat"] == label_color("cat")
    assert label_colors(["cat", "cat", "dog"]).keys() == {"cat", "dog"}


def test_a_label_has_its_colour_in_every_process():
    said = "from postprocess.palette import label_color; print(label_color('cat'))"
    run = [sys.executable, "-c", said]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(label_color("cat"))


# Machado, Oliveira and Fernandes 2009: what full protanopia and deuteranopia leave of linear RGB.
SEEN = {
    "all colours": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}


def cielab(linear):
    to_xyz = [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.072175],
        [0.0193339, 0.119192, 0.9503041],
    ]
    xyz = linear @ np.array(to_xyz).T / [0.95047, 1, 1.08883]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)


def linear(colors):
    values = np.array(colors) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("sight", SEEN)
def test_colours_stay_apart(sight):
    seen = cielab(np.clip(linear(PALETTE) @ SEEN[sight].T, 0, 1))
    apart = np.linalg.norm(seen[:, None] - seen[None], axis=2)
    assert apart[np.triu_indices(len(PALETTE), 1)].min() >= 12


@pytest.mark.parametrize("color", PALETTE, ids=str)
def test_letters_can_be_read_on_every_colour(color):
    def luminance(rgb):
        return (linear([rgb]) @ [0.2126, 0.7152, 0.0722])[0]

    low, high = sorted((luminance(color), luminance(ink_on(color))))
    assert (high + 0.05) / (low + 0.05) >= 4.5  # WCAG 2, level AA


def test_pills_stay_in_the_picture_and_apart():
    size, taken = (640, 480), PlaceGrid(24)
    boxes = [(10, 10, 300, 300)] * 4 + [(600, 2, 640, 20), (0, 470, 10, 480)]
    pills = [arrange("1 black cat", (255, 140, 0), box, size, taken) for box in boxes]
    for pill in pills:
        x0, y0, x1, y1 = pill.place
        assert 0 <= x0 < x1 <= 640 and 0 <= y0 < y1 <= 480
    for a, b in itertools.combinations([pill.place for pill in pills], 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


@pytest.mark.parametrize("step", [1, 7, 24, 1000])
def test_taken_places_are_found_by_the_squares_they_touch(step):
    rng, taken, places = np.random.default_rng(5), PlaceGrid(step), []
    for x0, y0, wide, tall in rng.integers(-3, 60, (200, 4)).tolist():
        place = (x0, y0, x0 + max(1, wide), y0 + max(1, tall))
        slow = sum(
            max(0, min(place[2], other[2]) - max(place[0], other[0]))
            * max(0, min(place[3], other[3]) - max(place[1], other[1]))
            for other in places
        )
        assert taken.overlap(place) == slow
        taken.add(place)
        places.append(place)


def test_a_long_label_is_shortened_to_fit():
    pill = arrange("word " * 100, (0, 0, 0), (0, 0, 50, 50), (320, 240))
    assert pill.text.endswith("\u2026") and pill.place[2] - pill.place[0] <= 0.65 * 320


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("cat", "cat", id="ascii"),
        pytest.param("\u00c5ngstr\u00f6m", "Angstrom", id="accents are dropped"),
        pytest.param("\u00d8lstykke stra\u00dfe", "Olstykke strasse", id="letters without parts"),
        pytest.param("\u732b", "U+732B", id="other scripts as code points"),
        pytest.param("a \u732b\u72ac", "a U+732B U+72AC", id="one by one"),
        pytest.param("\U0001f431", "U+1F431", id="emoji"),
    ],
)
def test_without_a_font_for_them_foreign_letters_are_spelled_plainly(text, shown, monkeypatch):
    monkeypatch.setattr(fonts, "font_files", lambda: ())
    forget()
    assert arrange(text, (0, 0, 0), (0, 0, 90, 90), (900, 900)).text == shown
    forget()


def forget():
    """What is remembered of the machine's fonts."""
    for remembered in (fonts.runs_of, fonts._font_for, label_drawing._shorten):
        remembered.cache_clear()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\u0e41\u0e21\u0e27", id="Thai"),
        pytest.param("\u092c\u093f\u0932\u094d\u0932\u0940", id="Hindi"),
        pytest.param("1 \u0e41\u0e21\u0e27 cat \u092c\u093f", id="both and ASCII"),
    ],
)
def test_fonts_that_come_along_are_enough_for_scripts_that_machines_lack(text, monkeypatch):
    monkeypatch.setattr(fonts, "folders", lambda: iter(()))
    fonts.font_files.cache_clear()
    forget()
    runs = fonts.runs_of(text, 20)
    assert "".join(run.text for run in runs) == text
    missing = {bytes(run.font.getmask("\uffff")) for run in runs}
    assert all(bytes(run.font.getmask(run.text)) not in missing for run in runs)
    fonts.font_files.cache_clear()
    forget()


def test_marks_and_joined_emoji_stay_with_their_letters():
    firefighter = "\U0001f469\u200d\U0001f692"
    thumb = "\U0001f44d\U0001f3fd"
    assert fonts.clusters(f"e\u0301\u0e21\u0e35{firefighter}{thumb}a") == [
        "e\u0301", "\u0e21\u0e35", firefighter, thumb, "a"
    ]  # fmt: skip


def test_a_label_of_many_scripts_is_drawn():
    label = "cat \u732b \uace0\uc591\uc774 \u0e41\u0e21\u0e27 \u092c\u093f \U0001f431"
    found = thing(label, (10, 60, 390, 140), (400, 150), masked=False)
    plain = draw(picture(400), [found], labels=False)
    drawn = np.asarray(draw(picture(400), [found])) != np.asarray(plain)
    assert drawn.any()


def test_a_point_is_a_dot_with_its_label_beside_it():
    found = Instance("cat", (100.0, 75.0, 100.0, 75.0), (100, 75, 100, 75), point=(100.0, 75.0))
    drawn = draw(picture(), [found], labels=False)
    assert drawn.getpixel((100, 75)) == label_color("cat") and drawn.getpixel((115, 75)) == GREY
    assert draw(picture(), [found]).getpixel((100, 75)) == label_color("cat")
    assert draw(picture(), [found], boxes=False, labels=False).tobytes() == picture().tobytes()


def test_letters_grow_with_the_picture():
    assert font_size((224, 224)) == 11 < font_size((1000, 1000)) < font_size((4000, 3000))
