"""Surroundings: panoramas read from a package, and what a camera sees of them."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from training.solids import surroundings
from training.solids.surroundings import balanced, photograph, photographs_of, read_panoramas


def compass() -> np.ndarray:
    """Red ahead, green to the right, blue behind, white to the left; black below."""
    columns = np.array([(1, 0, 0)] * 32 + [(0, 1, 0)] * 64 + [(0, 0, 1)] * 64 + [(1, 1, 1)] * 64)
    place = np.tile(np.concatenate([columns, columns[:32]]).astype(np.float32), (128, 1, 1))
    place[64:] = 0
    return place


def middle(pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    part = pixels[height // 2 - 20 : height // 2 + 20, width // 2 - 20 : width // 2 + 20]
    return part.reshape(-1, 3).mean(0)


class TestReading:
    def test_a_module_of_javascript_has_its_picture(self, tmp_path):
        exr = pytest.importorskip("OpenEXR", reason="it comes with the extra dev")
        light = np.random.default_rng(1).uniform(0, 5, (8, 16, 3)).astype(np.float16)
        light[0, 0] = np.inf
        header = {"compression": exr.ZIP_COMPRESSION, "type": exr.scanlineimage}
        exr.File(header, {"RGB": light}).write(str(tmp_path / "draft.exr"))
        (tmp_path / "hdri").mkdir()
        data = base64.b64encode((tmp_path / "draft.exr").read_bytes()).decode()
        module = tmp_path / "hdri" / "yard.exr.js"
        module.write_text(f"export default 'data:application/exr;base64,{data}'")
        (name, panorama), *others = read_panoramas(tmp_path).items()
        assert name == "yard" and not others
        wanted = balanced(np.minimum(light.astype(np.float32), surroundings.LAMP))
        assert panorama.dtype == np.float32 and np.allclose(panorama, wanted)
        module.write_text("export default 'nothing'")
        with pytest.raises(ValueError, match="no picture in base64"):
            read_panoramas(tmp_path)

    def test_another_release_is_told(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="has no hdri/"):
            read_panoramas(tmp_path)


class TestBalance:
    def test_places_are_of_one_brightness_and_hardly_of_a_cast(self):
        rng = np.random.default_rng(2)
        place = rng.uniform(0.5, 1, (64, 128, 3)).astype(np.float32) * (0.4, 0.2, 0.1)
        place[20, 30] = 5e4
        even = balanced(place)
        weight = np.cos(np.linspace(-np.pi / 2, np.pi / 2, 129)[1::2])[:, None, None]
        mean = (even * weight).sum((0, 1)) / weight.sum() / 128
        assert mean.mean() == pytest.approx(surroundings.BRIGHTNESS, rel=1e-4)
        assert mean.max() / mean.min() < 4 ** (1.2 - surroundings.BALANCE)
        assert even.max() < 50 * surroundings.BRIGHTNESS  # the lamp is not all the light there is
        assert np.allclose(balanced(7 * place), even, rtol=1e-4)


class TestPhotographs:
    @pytest.mark.parametrize(("around", "seen"), [(0, 0), (90, 1), (180, 2)])
    def test_the_camera_looks_where_it_is_turned(self, around, seen):
        colour = middle(photograph(compass(), around, 15))
        assert int(colour.argmax()) == seen and colour.max() > 3 * np.sort(colour)[1]

    def test_up_is_above_and_the_left_is_left(self):
        pixels = photograph(compass(), 0, 0)
        assert pixels[:100].mean() > 10 * pixels[-100:].mean()
        left, right = pixels[150, 5], pixels[150, -5]
        assert left.min() > 100 and right[1] > 100 > right[0]

    def test_what_shows_a_tree_is_left_out(self):
        seen = photographs_of({"forest": compass(), "venice": compass()})
        assert set(seen) == {"venice-0", "venice-1"}
        width, height = surroundings.WIDE
        assert all(
            one.shape == (height, width, 3) and one.dtype == np.uint8 for one in seen.values()
        )
