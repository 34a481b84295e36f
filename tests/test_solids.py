"""Solids: meshes of simple shapes, the things made of them, and how they are looked at."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

from training.drawings.names import GLYPHS
from training.drawings.render import to_sprite
from training.solids import furniture, meshes
from training.solids.animals.smooth_union import smooth_union, unite_limbs
from training.solids.catalogue import FRONTED, MAKERS, ON_TABLES
from training.solids.stage import SIDE, SolidStage

RED, BLUE = (0.9, 0.1, 0.1), (0.1, 0.1, 0.9)
BALL = meshes.ellipsoid((1, 2, 3), RED)


def lengths(points: np.ndarray) -> np.ndarray:
    return np.ptp(points, axis=0)


def stage_of(parts: list[meshes.Part], panorama: np.ndarray | None = None) -> SolidStage:
    stage = SolidStage(panorama)
    stage.show_parts(parts)
    return stage


def enclosed(part: meshes.Part) -> float:
    """The volume inside a closed mesh, of either orientation."""
    a, b, c = (part.points[part.faces[:, corner]] for corner in range(3))
    return abs(float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum()) / 6)


def sky() -> np.ndarray:
    """A bright half above a dark one, (32, 64, 3)."""
    place = np.full((32, 64, 3), 0.02, np.float32)
    place[:16] = 1.5
    return place


class TestShapes:
    def test_an_ellipsoid_has_its_radii_and_nearly_its_volume(self):
        assert np.allclose(lengths(BALL.points), (2, 4, 6), atol=1e-6)
        assert enclosed(BALL) == pytest.approx(4 / 3 * np.pi * 6, rel=0.02)

    def test_a_box_is_as_large_as_it_is_told(self):
        box = meshes.box((1, 2, 3), RED)
        assert np.allclose(lengths(box.points), (1, 2, 3))
        assert enclosed(box) == pytest.approx(6, rel=1e-6)

    @pytest.mark.parametrize("way", [(4, 0, 0), (0, 4, 0), (0, 0, 4), (2, 3, 1)])
    def test_a_tube_is_round_whichever_way_it_goes(self, way):
        path = np.linspace(0, 1, 9)[:, None] * np.array(way, float)
        bar = meshes.tube(path, 0.5, RED, sides=64)
        assert enclosed(bar) == pytest.approx(np.pi / 4 * np.linalg.norm(way), rel=0.01)

    def test_turning_moving_and_scaling(self):
        bar = meshes.box((4, 1, 1), RED)
        assert np.allclose(lengths(bar.turned(90, "y").points), (1, 1, 4))
        assert np.allclose(lengths(bar.turned(90, "z").points), (1, 4, 1))
        assert np.allclose(lengths(bar.turned(90, "x").points), (4, 1, 1))
        assert np.allclose(bar.moved(1, 2, 3).points.mean(0) - bar.points.mean(0), (1, 2, 3))
        assert np.allclose(lengths(bar.scaled(0.5, 2, 1).points), (2, 2, 1))
        assert np.allclose(lengths(bar.scaled(2).points), (8, 2, 2))

    def test_paint_covers_as_far_as_it_is_told(self):
        half = BALL.points[:, 0] > 0
        painted = BALL.painted(BLUE, half)
        assert np.allclose(painted.colours[half], BLUE)
        assert np.allclose(painted.colours[~half], RED)
        assert np.allclose(BALL.colours, RED)  # which is another part

    def test_patches_cover_about_their_share(self):
        rng = np.random.default_rng(1)
        ball = meshes.ellipsoid((1, 1, 1), RED, sides=80)
        blue = meshes.mottled(rng, ball, BLUE, 0.5, 0.3).colours[:, 2] > 0.5
        assert 0.2 < blue.mean() < 0.4

    def test_noise_is_smooth_and_of_about_one(self):
        rng = np.random.default_rng(2)
        points = rng.uniform(-5, 5, (4000, 3))
        seed = np.random.default_rng(3)
        near = np.concatenate([points, points + 0.005])
        waves = meshes.noise(seed, near, 1.0)
        assert 0.5 < waves.std() < 1
        assert np.abs(waves[:4000] - waves[4000:]).max() < 0.25

    def test_parts_that_are_joined_keep_their_faces(self):
        both = meshes.joined([BALL, BALL.moved(10).painted(BLUE)])
        assert enclosed(both) == pytest.approx(2 * enclosed(BALL))
        assert len(both.colours) == 2 * len(BALL.points)


class TestMakings:
    def test_they_are_of_known_names(self):
        assert set(MAKERS) <= set(GLYPHS) and len(MAKERS) >= 50
        assert set(GLYPHS) >= FRONTED | ON_TABLES

    @pytest.mark.parametrize("name", sorted(MAKERS))
    def test_each_time_another_and_always_a_thing(self, name):
        made = []
        for seed in range(6):
            whole = meshes.joined(MAKERS[name](np.random.default_rng(seed)))
            assert np.isfinite(whole.points).all() and lengths(whole.points).max() > 0.1
            assert whole.faces.min() >= 0 and whole.faces.max() < len(whole.points)
            assert whole.colours.shape == whole.points.shape
            assert (whole.colours >= -0.5).all() and (whole.colours <= 2).all()
            made.append(whole)
        looks = {one.points.tobytes() + one.colours.tobytes() for one in made}
        assert len(looks) == 6


class TestSmoothUnion:
    @pytest.fixture(autouse=True)
    def _stencil(self):
        pytest.importorskip("vtkmodules", reason="VTK fills meshes; it comes with the extra dev")

    def test_two_balls_are_one_body_of_their_volume(self):
        left = meshes.ellipsoid((1, 1, 1), RED)
        right = left.moved(1.5).painted(BLUE)
        body = smooth_union([left.as_limb(), right.as_limb()])
        lens = np.pi / 12 * (4 + 1.5) * (2 - 1.5) ** 2  # what two balls have in common
        whole = 2 * 4 / 3 * np.pi - lens
        assert enclosed(body) == pytest.approx(whole, rel=0.06)
        assert np.allclose(lengths(body.points), (3.5, 2, 2), atol=0.1)
        colours = body.colours / body.colours.max(1, keepdims=True)
        assert np.allclose(colours[body.points[:, 0] < 0.2], np.array(RED) / max(RED), atol=0.02)
        assert np.allclose(colours[body.points[:, 0] > 1.3], np.array(BLUE) / max(BLUE), atol=0.02)

    def test_the_corner_between_them_is_filled_and_dark(self):
        ball = meshes.ellipsoid((1, 1, 1), RED)
        body = smooth_union([ball.as_limb(), ball.moved(1.5).as_limb()])
        x, height = body.points[:, 0], np.linalg.norm(body.points[:, 1:], axis=1)
        seam, corner = np.abs(x - 0.75) < 0.02, np.sqrt(1 - 0.75**2)
        assert (height[seam] > corner + 0.03).all()
        assert body.colours[seam, 0].mean() < body.colours[x < -0.5, 0].mean()

    def test_what_is_no_limb_stays_as_it_is(self):
        ball = meshes.ellipsoid((1, 1, 1), RED)
        limbs = [ball.as_limb(), ball.moved(1).as_limb()]
        body, horn = unite_limbs([limbs[0], BALL, limbs[1]])
        assert horn is BALL and len(body.points) > len(ball.points)
        for few in ([BALL], [limbs[0], BALL], [limbs[0], BALL.as_limb().apart()]):
            kept = unite_limbs(few)
            assert all(one is other for one, other in zip(kept, few, strict=True))


class TestFurniture:
    def test_its_models_are_of_known_names_and_each_of_one(self):
        listed = furniture.read_models()
        assert set(listed) <= {*GLYPHS, ""}
        models = [model for few in listed.values() for model in few]
        assert len(set(models)) == len(models) > 400
        assert all(model.count("/") == 2 for model in models)

    def test_libraries_are_unpacked_once(self, tmp_path):
        library = tmp_path / furniture.LIBRARIES / "Shop.sh3f"
        library.parent.mkdir(parents=True)
        with zipfile.ZipFile(library, "w") as archive:
            archive.writestr("shop/chair/chair.obj", "v 0 0 0\n")
        place = furniture.unpack(tmp_path)
        assert (place / "shop/chair/chair.obj").exists()
        library.unlink()
        assert furniture.unpack(tmp_path) == place

    def test_a_model_of_another_release_is_told(self, tmp_path):
        pytest.importorskip("vtkmodules", reason="VTK renders things; it comes with the extra dev")
        with pytest.raises(FileNotFoundError, match=r"\.obj is not there"):
            next(furniture.render_models(tmp_path, "cat", SolidStage(), is_fronted=False))


class TestStage:
    @pytest.fixture(autouse=True)
    def _renderer(self):
        pytest.importorskip("vtkmodules", reason="VTK renders things; it comes with the extra dev")

    def test_a_view_has_a_hard_edge_and_the_things_colour(self):
        view = stage_of([BALL]).view(np.random.default_rng(1), is_fronted=False)
        pixels = np.array(view)
        assert pixels.shape == (SIDE, SIDE, 4)
        seen = pixels[..., 3] == 255
        assert set(np.unique(pixels[..., 3])) == {0, 255} and 0.05 < seen.mean() < 0.8
        assert not pixels[~seen].any()
        red, green, blue = pixels[seen][:, :3].mean(0)
        assert red > 2 * green and red > 2 * blue and pixels[seen][:, 0].max() > 150
        assert to_sprite(view) is not None

    def test_what_has_a_front_is_not_shown_from_behind(self):
        plate = meshes.prism([(-1, -1), (1, -1), (1, 1), (-1, 1)], 0.2, RED)
        stage = stage_of([plate.painted(BLUE, plate.points[:, 2] < 0)])
        rng = np.random.default_rng(5)
        for is_fronted in (True, False):
            fronts = []
            for _ in range(16):
                pixels = np.array(stage.view(rng, is_fronted=is_fronted)).reshape(-1, 4)
                red, _, blue = pixels[pixels[:, 3] > 0][:, :3].astype(float).mean(0)
                fronts.append(red > blue)
            assert all(fronts) == is_fronted

    def test_what_stands_on_a_table_is_seen_from_above_it(self):
        lid = meshes.box((1, 0.02, 1), BLUE).moved(0, 1.01, 0)
        stage = stage_of([meshes.box((1, 2, 1), RED), lid])
        lids = {}
        for is_low in (True, False):
            rng, blue = np.random.default_rng(7), 0.0  # the share of it that is lid
            for _ in range(12):
                pixels = np.array(stage.view(rng, is_fronted=True, is_low=is_low)).reshape(-1, 4)
                red, _, more = pixels[pixels[:, 3] > 0][:, :3].astype(float).T
                blue += (more > red).mean()
            lids[is_low] = blue
        assert lids[True] > 1.3 * lids[False]

    def test_a_file_is_read_with_its_colours(self, tmp_path):
        (tmp_path / "flag.obj").write_text(
            "mtllib flag.mtl\nusemtl cloth\nv 0 0 0\nv 2 0 0\nv 2 1 0\nv 0 1 0\nf 1 2 3 4\n"
        )
        (tmp_path / "flag.mtl").write_text("newmtl cloth\nKa 1 1 1\nKd 0 0.8 0\nd 0.1\nillum 2\n")
        stage = SolidStage()
        stage.show_file(tmp_path / "flag.obj")
        view = stage.view(np.random.default_rng(2), is_fronted=True)
        pixels = np.array(view)
        red, green, blue = pixels[pixels[..., 3] > 0][:, :3].astype(float).mean(0)
        assert green > 1.3 * red and green > 1.3 * blue  # clear as glass, and a thing all the same

    def test_what_nobody_gave_a_colour_gets_several(self, tmp_path):
        (tmp_path / "pot.obj").write_text(
            "mtllib pot.mtl\nusemtl a\nv 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"
        )
        (tmp_path / "pot.mtl").write_text("newmtl a\nKd 0.64 0.64 0.64\n")
        stage, rng = SolidStage(), np.random.default_rng(3)
        stage.show_file(tmp_path / "pot.obj")
        tints = set()
        for _ in range(8):
            pixels = np.array(stage.view(rng, is_fronted=True))
            colour = pixels[pixels[..., 3] > 0][:, :3].mean(0)
            tints.add(tuple((colour / colour.max() * 4).round()))
        assert len(tints) >= 4

    def test_what_was_shown_before_is_gone(self):
        stage = stage_of([BALL.painted(BLUE).scaled(3)])
        stage.show_parts([BALL])
        again = np.array(stage.view(np.random.default_rng(1), is_fronted=False))
        fresh = np.array(stage_of([BALL]).view(np.random.default_rng(1), is_fronted=False))
        assert np.abs(again.astype(int) - fresh).max() <= 1

    def test_a_place_lights_from_where_it_is_bright(self):
        stage = stage_of([meshes.ellipsoid((1, 1, 1), (0.8, 0.8, 0.8))], sky())
        pixels = np.array(stage.view(np.random.default_rng(2), is_fronted=True)).astype(float)
        rows = np.flatnonzero((pixels[..., 3] > 0).any(1))
        top, low = (
            pixels[half][pixels[half][:, :, 3] > 0][:, :3]
            for half in np.split(rows, [len(rows) // 2])
        )
        assert top.mean() > 1.3 * low.mean()

    def test_metal_mirrors_the_place_and_chalk_does_not(self):
        place = sky()
        place[:, :32] = (0.02, 0.02, 2.0)
        spread = {}
        for shine in (0.0, 0.9):
            ball = meshes.ellipsoid((1, 1, 1), (0.8, 0.8, 0.8)).shiny(shine)
            pixels = np.array(
                stage_of([ball], place).view(np.random.default_rng(4), is_fronted=True)
            )
            seen = pixels[pixels[..., 3] > 0][:, :3].astype(float)
            spread[shine] = (seen[:, 2] - seen[:, 0]).std()
        assert spread[0.9] > 1.5 * spread[0.0]

    def test_models_of_files_are_for_lamps(self, tmp_path):
        with pytest.raises(ValueError, match="for a stage with lamps"):
            SolidStage(sky()).show_file(tmp_path / "pot.obj")
