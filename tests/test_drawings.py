"""Artists: drawings of many people become sprites, styles and scenes with exact labels."""

from __future__ import annotations

import dataclasses
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from small_atlas import MIRRORED, small_atlas

from gemma_vision.requests.interpretation.synonyms import GROUPS
from gemma_vision.requests.interpretation.vocabulary import vocabulary_of
from gemma_vision.synthetic.atlas import load_atlas
from gemma_vision.synthetic.poses import EVALUATION_SEEDS, NUM_NAMES
from gemma_vision.synthetic.prompts import TargetObject, plural, with_article
from scripts.draw_style_examples import StyleExample, draw_example
from training.data.samples import MAX_THINGS
from training.data.sampling import SceneRecipe
from training.drawings import styles
from training.drawings.clipart import read_clipart
from training.drawings.cutouts import FETCHED, FILE, FOLDER, ROOTS, fetch_cutouts, read_cutouts
from training.drawings.facing import facing_other_way
from training.drawings.names import GLYPHS, KIN, UNNAMED, names_alike
from training.drawings.own_names import MISTAKEN, read_own_names
from training.drawings.poses import DrawingPose
from training.drawings.render import draw_outlines, iconify_svg, on_paper, render_svg, to_sprite
from training.drawings.scenes import OUTSIDE, DrawingScenes
from training.drawings.sets import CUTOUTS, HELD_OUT, PANORAMAS, PHOTOGRAPHS, SETS, WEIGHTS
from training.model.learner import Learner

NOTICE = (Path(__file__).parent.parent / "NOTICE").read_text(encoding="utf-8")
RECIPE = SceneRecipe(168, 12, NUM_NAMES)


@pytest.fixture(scope="module")
def atlas():
    return small_atlas()


def open_scenes(atlas, artists=None, seed=(5,)) -> DrawingScenes:
    grey = np.random.default_rng(0).integers(0, 255, (90, 120, 3), np.uint8)
    return DrawingScenes(atlas, [grey], artists or atlas.artists, seed=seed, recipe=RECIPE)


def a_pose(**changed) -> DrawingPose:
    known = dict(sprite=0, name=0, x=80.0, y=60.0, longest=60.0, angle=0.0, mirrored=False)
    known |= dict(aspect=1.0, gain=(1.0, 1.0, 1.0), halves=(60.0, 30.0))
    return DrawingPose(**(known | changed))


class TestNames:
    def test_there_are_enough_and_the_first_sixteen_are_those_of_the_scenes(self):
        assert len(GLYPHS) >= 120
        assert tuple(GLYPHS)[:NUM_NAMES] == load_atlas().names[:NUM_NAMES]

    def test_no_drawing_shows_two_names_or_a_name_and_nothing(self):
        drawn = [glyph for glyphs in GLYPHS.values() for glyph in glyphs]
        assert len(set(drawn)) == len(drawn)
        assert not set(drawn) & set("".join(UNNAMED))
        assert len(set(UNNAMED)) == len(UNNAMED)

    def test_own_names_and_clip_art_are_of_known_names(self):
        own, clipart = read_own_names(), read_clipart()
        for listed in (*own.values(), clipart):
            assert set(listed) <= {*GLYPHS, ""}  # clip art without a name stands under none
        files = [file for few in clipart.values() for file in few]
        assert len(set(files)) == len(files)
        assert {*own, *MISTAKEN} <= {source.name for source in SETS}

    def test_every_name_has_a_japanese_word(self):
        known = vocabulary_of(tuple(GLYPHS))
        other = {
            match.name
            for group in GROUPS
            for word in group
            if not word.isascii() and (match := known.find(word))
        }
        assert other == set(GLYPHS)

    @pytest.mark.parametrize(
        "written, name",
        [
            ("phone", "cell phone"),
            ("bikes", "bicycle"),
            ("sofa", "couch"),
            ("TVs", "tv"),
            ("doughnuts", "donut"),
            ("mice", "mouse"),
            ("aubergine", "eggplant"),
            ("サングラス", "glasses"),
            ("knives", "knife"),
        ],
    )
    def test_words_that_people_type_are_read_as_names(self, written, name):
        match = vocabulary_of(tuple(GLYPHS)).find(written)
        assert match and match.name == name

    @pytest.mark.parametrize("name", ["umbrella", "orange", "elephant", "airplane"])
    def test_vowels_have_an_article_of_their_own(self, name):
        assert with_article(name) == f"an {name}"

    @pytest.mark.parametrize(
        "name, many",
        [
            ("cat", "cats"),
            ("bus", "buses"),
            ("sandwich", "sandwiches"),
            ("toothbrush", "toothbrushes"),
            ("strawberry", "strawberries"),
            ("key", "keys"),
            ("knife", "knives"),
            ("skis", "skis"),
            ("wine glass", "wine glasses"),
        ],
    )
    def test_plurals(self, name, many):
        assert plural(name) == many


class TestSets:
    def test_six_hands_and_more_are_trained_on_and_one_is_not(self):
        names = [source.name for source in SETS]
        assert len(set(names) - {HELD_OUT}) >= 6
        assert HELD_OUT in names

    def test_sets_that_tests_from_outside_use_are_not_among_them(self):
        text = " ".join(source.package for source in SETS).lower()
        assert not any(name in text for name in ("openmoji", "tuxpaint", "apple", "joypixels"))

    def test_no_licence_asks_to_share_alike(self):
        wallpapers = [source for source, _ in PHOTOGRAPHS if source is not None]
        trained_on = (*SETS, *wallpapers, PANORAMAS)
        assert not any("SA" in s.licence or "GPL" in s.licence for s in trained_on)

    def test_every_set_stands_in_the_notice(self):
        wallpapers = [source for source, _ in PHOTOGRAPHS if source is not None]
        for source in (*SETS, *wallpapers, PANORAMAS):
            assert source.package in NOTICE, source.package
            assert all(author in NOTICE for author in source.author.split(" and "))


class TestRendering:
    @pytest.mark.parametrize("unit", ["", "px", "pt", "cm"])
    def test_a_drawing_measured_in_any_unit_is_drawn(self, unit):
        size = f'width="40{unit}" height="30{unit}"'
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" {size}><rect width="20" height="15"/></svg>'
        drawn = render_svg(svg)
        assert drawn.width == 512 and drawn.getchannel("A").getextrema()[1] == 255

    def test_a_glyph_is_drawn_by_the_first_font_that_has_it(self):
        font = ImageFont.load_default(40)
        drawn = draw_outlines("B", [font])
        assert drawn is not None and drawn.size == (512, 512)
        left, top, right, bottom = drawn.getchannel("A").getbbox()
        assert max(right - left, bottom - top) <= 510 and abs(left + right - 512) <= 1
        assert draw_outlines("\ufffe", [font]) is None  # what it draws for all that it lacks
        assert draw_outlines("B", []) is None

    def test_the_longest_side_is_120_pixels_and_edges_are_hard(self):
        drawing = Image.new("RGBA", (400, 300))
        ImageDraw.Draw(drawing).ellipse((100, 50, 300, 150), (200, 30, 30, 255))
        sprite = to_sprite(drawing)
        xs, ys = np.flatnonzero(sprite[..., 3].any(0)), np.flatnonzero(sprite[..., 3].any(1))
        assert (xs[0], xs[-1]) == (4, 123)
        assert abs(len(ys) - 60) <= 1 and abs(ys[0] + ys[-1] - 127) <= 1
        assert set(np.unique(sprite[..., 3])) == {0, 255}

    @pytest.mark.parametrize(("is_hollow", "inside"), [(False, 255), (True, 0)])
    def test_what_a_line_goes_around_is_paper_unless_it_is_seen_through(self, is_hollow, inside):
        drawing = Image.new("RGBA", (512, 512))
        pen = ImageDraw.Draw(drawing)
        pen.ellipse((100, 100, 400, 400), outline=(20, 40, 60, 255), width=20)
        pen.line((245, 60, 255, 140), fill=(0, 0, 0, 0), width=4)  # a gap in the line
        pixels = np.array(on_paper(drawing, is_hollow=is_hollow))
        assert pixels[250, 250, 3] == inside
        assert tuple(pixels[250, 110]) == (20, 40, 60, 255)
        assert pixels[20, 20, 3] == pixels[250, 60, 3] == 0
        assert is_hollow or tuple(pixels[250, 250]) == (255, 255, 255, 255)

    def test_a_shadow_is_no_part_of_a_thing(self):
        drawing = Image.new("RGBA", (200, 200))
        pen = ImageDraw.Draw(drawing)
        pen.rectangle((20, 150, 180, 190), (0, 0, 0, 90))
        pen.rectangle((60, 20, 140, 100), (0, 200, 0, 255))
        sprite = to_sprite(drawing)
        assert (sprite[sprite[..., 3] > 0][:, 1] > 150).all()

    def test_nothing_to_see_is_no_sprite(self):
        assert to_sprite(Image.new("RGBA", (50, 50))) is None

    def test_icons_are_found_through_their_aliases(self):
        icons = {
            "width": 32,
            "height": 16,
            "icons": {"dog": {"body": "<g/>"}},
            "aliases": {"hound": {"parent": "dog"}, "turned": {"parent": "dog", "rotate": 1}},
        }
        assert 'viewBox="0 0 32 16"' in (iconify_svg(icons, "hound") or "")
        assert iconify_svg(icons, "turned") is None
        assert iconify_svg(icons, "cat") is None

    def test_a_drawing_that_faces_the_other_way_is_found(self, atlas):
        found = facing_other_way(atlas.images, atlas.name_of, atlas.artist_of, atlas.kind_of)
        named = atlas.name_of >= 0
        assert not found[named & (atlas.artist_of == 0)].any()
        lopsided = [atlas.names.index(name) for name in ("banana", "fish", "bicycle")]
        assert found[np.isin(atlas.name_of, lopsided) & (atlas.artist_of == 1)].mean() > 0.8


class TestAtlas:
    def test_mipmaps_are_premultiplied_and_halve(self, atlas):
        levels = atlas.mipmaps(0)
        assert [level.shape[0] for level in levels] == [128, 64, 32, 16]
        assert all(
            (level[..., :3].astype(int) <= level[..., 3:].astype(int) + 1).all() for level in levels
        )

    def test_drawings_are_grouped_by_hand(self, atlas):
        both = atlas.drawings(0, atlas.artists)
        assert len(both) == 2 and len(atlas.drawings(0, [MIRRORED])) == 1
        assert (atlas.name_of[both[1]] == 0).all() and (atlas.artist_of[both[1]] == 1).all()

    def test_fewer_names_leave_the_other_drawings_without_one(self, atlas):
        few = atlas.limited(4, kin=("banana",))
        assert few.names == atlas.names[:4] and set(few.name_of) == {-1, 0, 1, 2, 3}
        bananas = (atlas.name_of == atlas.names.index("banana")).sum()
        assert len(few.images) == len(atlas.images) - bananas
        assert (few.kind_of[few.name_of < 0] == -1).all()


class TestNamesAlike:
    def test_they_are_alike_to_each_other_and_known(self):
        alike, names = names_alike(), list(GLYPHS)[:66]
        assert set(alike) <= set(names) - set(KIN) and len(alike) > 55
        assert all(name in alike[other] for name, few in alike.items() for other in few)
        assert all(few and name not in few for name, few in alike.items())

    def test_prompts_are_often_made_of_what_is_there_and_what_looks_like_it(self):
        names, rng = tuple(list(GLYPHS)[:66]), np.random.default_rng(1)
        learner = Learner(None, None, None, names, RECIPE, names_alike())  # type: ignore[arg-type]
        dog = TargetObject("dog", (0, 0, 1, 1), ())
        asked = [tuple(learner.asked(rng, [dog])) for _ in range(400)]
        few = {one for one in asked if one != names}
        assert len(few) == 1 and set(*few) == {"dog", *names_alike()["dog"]}
        assert 0.4 < np.mean([one != names for one in asked]) < 0.6
        assert learner.asked(rng, []) == names

    def test_what_resembles_nothing_is_asked_among_all(self):
        names, rng = ("dog", "moon"), np.random.default_rng(1)
        learner = Learner(None, None, None, names, RECIPE, names_alike())  # type: ignore[arg-type]
        things = [TargetObject(name, (0, 0, 1, 1), ()) for name in names]
        assert all(learner.asked(rng, some) == names for some in ([things[1]], things) * 20)


class TestCutouts:
    def test_they_are_read_by_their_names_and_stand_in_the_readme(self):
        names = tuple(GLYPHS)
        read = read_cutouts(names)
        shown = {names[number] for number in read.name_of}
        assert {"cat", "dog", "cup", "bottle"} <= shown and len(read.images) >= 5
        readme = (FOLDER / "README.md").read_text(encoding="utf-8")
        assert all(f"`{file.stem}`" in readme for file in FOLDER.glob("*.webp"))

    def test_those_of_packages_are_of_known_names_and_of_no_set_that_is_trained_on(self):
        listed = json.loads(FILE.read_text("utf-8"))
        assert set(listed) == set(ROOTS) == {source.package for source in CUTOUTS}
        assert set(listed).isdisjoint(source.package for source in SETS)
        files = [(name, f) for few in listed.values() for name, fs in few.items() for f in fs]
        assert {name for name, _ in files} <= set(GLYPHS) and len(set(files)) == len(files) > 40

    def test_those_of_packages_are_read_where_these_lie(self, tmp_path):
        listed = json.loads(FILE.read_text("utf-8"))
        for source in CUTOUTS:
            for file in itertools.chain(*listed[source.package].values()):
                place = tmp_path / source.name / ROOTS[source.package] / file
                place.parent.mkdir(parents=True, exist_ok=True)
                Image.new("RGBA", (40, 30), (200, 30, 30, 255)).save(place)
        read = fetch_cutouts(tuple(GLYPHS), tmp_path)
        assert read.artists == (FETCHED,)
        assert len(read.images) == sum(len(f) for few in listed.values() for f in few.values())
        dogs = fetch_cutouts(("dog",), tmp_path)
        assert len(dogs.images) == 1 and dogs.name_of.tolist() == [0]

    def test_an_example_shows_its_things_from_left_to_right(self, atlas):
        example = StyleExample("noto-font", ("fish", "dog", "tree"), "detect", "dog")
        rng = np.random.default_rng(1)
        scene = draw_example(rng, {"": atlas}, example)
        assert [atlas.names[thing.name] for thing in scene.things] == list(example.things)
        middles = [thing.box[0] + thing.box[2] for thing in scene.things]
        assert middles == sorted(middles) and scene.pixels.shape == (480, 640, 3)


class TestStyles:
    @pytest.mark.parametrize("effect", [effect for _, effect in styles.EFFECTS])
    def test_an_effect_changes_the_colours_and_not_the_shape_of_the_array(self, effect):
        rng = np.random.default_rng(2)
        colour = 0.3 + 0.7 * rng.random((40, 30, 3)).astype(np.float32)
        alpha = np.zeros((40, 30, 1), np.float32)
        alpha[5:35, 5:25] = 1
        changed = effect(rng, colour, alpha)
        assert changed.shape == colour.shape and np.isfinite(changed).all()
        assert np.abs(changed - colour).max() > 0.01

    def test_no_colour_outshines_its_alpha(self):
        rng = np.random.default_rng(3)
        drawn = np.zeros((50, 50, 4), np.float32)
        drawn[10:40, 10:40] = 1
        drawn[10:40, 10:40, :3] = rng.random((30, 30, 3))
        for _ in range(60):
            styled = styles.restyle(rng, drawn, lambda: np.full((8, 8, 3), 90, np.uint8))
            assert (styled[..., :3] <= styled[..., 3:] + 1e-5).all()
            assert abs(float(styled[..., 3].sum()) - 900) < 30

    def test_proportions_change_and_the_frame_stays(self):
        drawn = np.zeros((90, 70, 4), np.float32)
        drawn[20:70, 15:55] = 1.0
        rng = np.random.default_rng(3)
        deformed = [styles.deform(rng, drawn) for _ in range(20)]
        areas = [float(one[..., 3].sum()) for one in deformed]
        assert max(areas) > 1.03 * drawn[..., 3].sum() and min(areas) < 0.97 * drawn[..., 3].sum()
        for one in deformed:
            assert one.shape == drawn.shape and (one[..., :3] <= one[..., 3:] + 1e-6).all()
            ys, xs = np.nonzero(one[..., 3] >= 0.5)
            assert abs(ys.mean() - 44.5) < 8 and abs(xs.mean() - 34.5) < 8

    def test_what_lines_enclose_is_coloured_in_and_the_outline_stays(self):
        """A black square with two white windows: each takes a colour, the frame is black yet."""
        drawn = np.zeros((48, 48, 4), np.float32)
        drawn[4:44, 4:44, 3] = 1
        drawn[8:40, 8:22, :3] = drawn[8:40, 26:40, :3] = 1
        crayons = np.array([[1, 0, 0], [0, 0, 1]], np.float32)
        seen = set()
        for seed in range(30):
            done = styles.colour_in(np.random.default_rng(seed), drawn, crayons)
            assert np.array_equal(done[..., 3], drawn[..., 3]) and done.dtype == np.float32
            assert (done[..., :3] <= done[..., 3:]).all()
            left, right, frame = done[20, 14, :3], done[20, 32, :3], done[20, 24, :3]
            for place in (left, right):
                assert np.abs(crayons - place).max(1).min() < 0.05
            seen.add((left.argmax(), right.argmax(), bool(frame.max() < 0.1)))
        assert {place[:2] for place in seen} == {(0, 0), (0, 2), (2, 0), (2, 2)}
        assert {place[2] for place in seen} == {True, False}

    def test_a_black_shape_is_coloured_in_whole(self):
        drawn = np.zeros((32, 32, 4), np.float32)
        drawn[4:28, 4:28, 3] = 1
        green = np.array([[0, 0.6, 0.2]], np.float32)
        done = styles.colour_in(np.random.default_rng(1), drawn, green)
        assert np.allclose(done[10:22, 10:22, :3], green, atol=1e-3)

    def test_hues_turn_around_grey(self):
        grey = np.full((1, 3), 0.4, np.float32)
        assert np.allclose(grey @ styles.hue_matrix(1.1), grey, atol=1e-6)
        assert np.allclose(styles.hue_matrix(0.0), np.eye(3), atol=1e-6)
        turned = np.array([[1.0, 0, 0]], np.float32) @ styles.hue_matrix(2 * np.pi / 3)
        assert np.allclose(np.sort(turned[0]), [0, 0, 1], atol=1e-5) and turned[0, 0] < 1e-5

    def test_a_disturbed_picture_is_a_picture(self):
        rng = np.random.default_rng(4)
        pixels = rng.integers(0, 255, (20, 30, 3), np.uint8)
        for _ in range(40):
            changed = styles.disturb(rng, pixels)
            assert changed.shape == pixels.shape and changed.dtype == np.uint8


class TestPoses:
    @pytest.mark.parametrize("flipped, left", [(False, -1), (True, 1)])
    def test_a_place_is_told_in_the_things_own_frame(self, flipped, left):
        pose = a_pose(flipped=flipped)
        edges = np.array([[50 - 0.5, 60 - 0.5, 1], [80 - 0.5, 75 - 0.5, 1]]).T
        places = pose.inverse() @ edges
        assert np.allclose(places[:, 0], [left, 0], atol=1e-6)
        assert np.allclose(places[:, 1], [0, 1], atol=1e-6)

    def test_corners_are_where_it_is_seen(self):
        assert a_pose().corners() == pytest.approx((50, 45, 110, 75))
        x0, y0, x1, y1 = a_pose(angle=90.0).corners()
        assert (x0, y0, x1, y1) == pytest.approx((65, 30, 95, 90))


class TestScenes:
    def test_a_seed_names_its_scenes_and_none_is_of_the_evaluation(self, atlas):
        first, second, other = (
            [open_scenes(atlas, seed=seed).draw()["pixels"] for _ in range(1)]
            for seed in ((5, 0), (5, 0), (5, 1))
        )
        assert np.array_equal(first, second) and not np.array_equal(first, other)
        with pytest.raises(ValueError, match="evaluation"):
            open_scenes(atlas, seed=(EVALUATION_SEEDS, 0))

    def test_labels_are_of_what_is_shown(self, atlas):
        scenes = open_scenes(atlas)
        for sample in itertools.islice(iter(scenes), 40):
            assert sample["pixels"].shape == (168, 168, 3)
            for index in np.flatnonzero(sample["names"] >= 0):
                own = sample["owner"] == index
                y0, x0, y1, x1 = sample["boxes"][index]
                assert 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1
                assert sample["sprites"][index] >= 0
                assert np.abs(sample["spots"][own]).max(initial=0) <= OUTSIDE
            assert (sample["names"][sample["owner"][sample["owner"] < MAX_THINGS]] >= 0).all()

    def test_a_hand_that_is_left_out_is_never_drawn(self, atlas):
        scenes = open_scenes(atlas, artists=["noto-font"])
        for _ in range(60):
            for pose in scenes.sample_poses((168, 168), is_rehearsed=False):
                assert atlas.artist_of[pose.sprite] == 0

    def test_an_artist_of_more_weight_is_seen_more_often(self, atlas):
        weights = {atlas.artists[0]: 3, MIRRORED: 1}
        grey = np.full((90, 120, 3), 120, np.uint8)
        scenes = DrawingScenes(
            atlas, [grey], atlas.artists, seed=(5,), recipe=RECIPE, weights=weights
        )
        drawn = [
            atlas.artist_of[pose.sprite]
            for _ in range(200)
            for pose in scenes.sample_poses((168, 168), is_rehearsed=False)
        ]
        assert 0.65 < np.mean(np.array(drawn) == 0) < 0.85
        assert set(WEIGHTS) == {source.name for source in SETS}

    def test_what_is_in_ink_takes_the_colours_of_those_who_colour(self, atlas, monkeypatch):
        """Every drawing of the second artist is ink: its palettes are the first one's alone."""
        red = np.zeros_like(atlas.images)
        red[..., 0], red[..., 3] = 255, atlas.images[..., 3]
        by_first = (atlas.artist_of == 0)[:, None, None, None]
        two = dataclasses.replace(atlas, images=np.where(by_first, red, atlas.images), _mipmaps={})
        monkeypatch.setattr("training.drawings.scenes.INKS", (MIRRORED,))
        scenes = open_scenes(two)
        assert np.array_equal(scenes.is_ink, two.artist_of == 1)
        for name in range(-1, len(two.names)):
            assert np.array_equal(np.unique(scenes.palette(name), axis=0), [[1, 0, 0]])
        alone = open_scenes(two, artists=[MIRRORED])
        assert alone.palette(0).max() <= 1  # nobody to ask but itself

    def test_rehearsed_scenes_are_by_the_first_hand_as_it_drew(self, atlas):
        scenes = open_scenes(atlas)
        for _ in range(60):
            for pose in scenes.sample_poses((224, 224), is_rehearsed=True):
                assert atlas.artist_of[pose.sprite] == 0 and pose.is_plain

    def test_mirrored_twice_is_not_mirrored(self, atlas):
        """The second artist drew everything mirrored, and says so."""
        scenes = open_scenes(atlas, artists=[MIRRORED])
        facing = {}
        for sample in itertools.islice(iter(scenes), 60):
            for index in np.flatnonzero(sample["names"] >= 0):
                facing.setdefault(float(sample["turns"][index, 1]), 0)
        assert set(facing) == {0.0, 1.0}
