"""Two compositors, one set of rules: OpenCV draws scene after scene, torch many at once."""

from itertools import islice

import cv2
import numpy as np
import pytest
import torch

from gemma_vision.synthetic.atlas import load_atlas
from gemma_vision.synthetic.compositor import compose
from gemma_vision.synthetic.poses import Pose, SceneLayout, sample_scene
from training.data import background_stream
from training.data.background_stream import BackgroundCache, BackgroundSampler
from training.data.layers import layer_arrays
from training.data.masks import crop_mask
from training.data.samples import SceneStream
from training.data.sampling import SceneRecipe, SceneSampler
from training.data.streams import Composer, LayerStream
from training.data.textures import BackgroundTextures, SpriteTextures, sprites_on
from training.data.torch_compositor import compose_all
from training.data.torch_samples import boxes_of, crop_masks

RECIPE = SceneRecipe(112, 8, 40)
NUM = 64


def tensors(arrays: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {key: torch.from_numpy(value) for key, value in arrays.items()}


@pytest.fixture(scope="module")
def sprites() -> SpriteTextures:
    return sprites_on(torch.device("cpu"))


@pytest.fixture(scope="module")
def both(sprites):
    """Seeded scenes, crowded ones among them, composed both ways on the same backgrounds."""
    rng = np.random.default_rng(11)
    scenes = [sample_scene(rng, num_names=40) for _ in range(NUM)] + [hidden(i) for i in range(8)]
    behind = rng.integers(0, 256, (len(scenes), 224, 224, 3), np.uint8)
    behind = np.stack([cv2.GaussianBlur(one, (0, 0), 9) for one in behind])
    ours = [compose(scene, ground) for scene, ground in zip(scenes, behind, strict=True)]
    backgrounds = torch.from_numpy(behind).permute(0, 3, 1, 2).float()
    return ours, compose_all(tensors(layer_arrays(scenes)), backgrounds, sprites)


def hidden(number: int) -> SceneLayout:
    """A thing behind a larger one, more and more of it, and one that hides a part of both."""

    def pose(name: int, x: float, y: float, longest: float) -> Pose:
        sprite = int(load_atlas().variants(name)[0])
        return Pose(sprite, name, x, y, longest, 5.0, False, 1.0, (1.0, 1.0, 1.0))

    rest = (pose(12, 100 + 8 * number, 110, 130), pose(5, 160, 120, 50), pose(-1, 150, 60, 60))
    return SceneLayout(224, 224, 1, (pose(0, 100, 110, 70), *rest))


class TestPictures:
    def test_both_show_the_same_things(self, both):
        ours, theirs = both
        names = [[thing.name for thing in composed.things] for composed in ours]
        assert names == [row[is_thing].tolist() for row, is_thing in self.rows(theirs)]
        assert any(len(row) < 3 for row in names[NUM:]) and any(len(row) > 2 for row in names[NUM:])

    def rows(self, composed):
        return zip(composed.names, composed.is_thing, strict=True)

    def test_boxes_agree_within_a_pixel(self, both):
        ours, theirs = both
        for composed, boxes, is_thing in zip(
            ours, boxes_of(theirs.masks), theirs.is_thing, strict=True
        ):
            expected = [(y0, x0, y1, x1) for x0, y0, x1, y1 in (t.box for t in composed.things)]
            found = boxes[is_thing].reshape(-1, 4).numpy()
            assert np.abs(found - np.reshape(expected, (-1, 4))).max(initial=0) <= 1

    def test_masks_agree(self, both):
        ours, theirs = both
        ious = []
        for composed, masks, is_thing in zip(ours, theirs.masks, theirs.is_thing, strict=True):
            for thing, mask in zip(composed.things, masks[is_thing].numpy(), strict=True):
                ious.append((thing.mask & mask).sum() / (thing.mask | mask).sum())
        assert len(ious) > NUM and min(ious) > 0.97 and np.mean(ious) > 0.999

    def test_pixels_are_close(self, both):
        ours, theirs = both
        pixels = theirs.pixels.permute(0, 2, 3, 1).numpy().astype(int)
        difference = np.abs(pixels - np.stack([composed.pixels for composed in ours]))
        assert difference.mean() < 0.1 and difference.max() <= 12

    def test_a_thing_hidden_too_far_is_in_neither(self, both):
        _, theirs = both
        is_out = (theirs.names[NUM:, 0] == 0) & ~theirs.is_thing[NUM:, 0]
        assert 0 < is_out.sum() < 8
        assert not theirs.masks[NUM:, 0][is_out].any()

    def test_a_scene_without_things_is_its_background(self, sprites):
        behind = torch.full((2, 3, 40, 50), 77.0)
        empty = [SceneLayout(50, 40, 1, ())] * 2
        composed = compose_all(tensors(layer_arrays(empty)), behind, sprites)
        assert (composed.pixels == 77).all() and (composed.owner == -1).all()
        assert not composed.is_thing.any()


@pytest.fixture(scope="module")
def batches():
    """The same draws as samples one by one, and as one batch."""
    sampler = SceneSampler(RECIPE, 5)
    samples = list(islice(SceneStream(sampler), 64))
    one_by_one = {key: np.stack([sample[key] for sample in samples]) for key in samples[0]}
    message = next(iter(LayerStream(sampler, 64)))
    return one_by_one, Composer(RECIPE, 64, torch.device("cpu"))(message)


class TestSamples:
    def test_they_have_the_same_shapes(self, batches):
        ours, theirs = batches
        assert ours.keys() == theirs.keys()
        for key, array in ours.items():
            assert (array.shape, array.dtype) == (theirs[key].shape, theirs[key].numpy().dtype)

    @pytest.mark.parametrize(
        "key, near",
        [
            pytest.param("names", 0.0, id="names"),
            pytest.param("owner", 0.002, id="owners"),
            pytest.param("boxes", 0.0005, id="boxes"),
            pytest.param("cells", 0.002, id="cells"),
            pytest.param("sprites", 0.0, id="sprites"),
            pytest.param("turns", 1e-6, id="turns"),
            pytest.param("spots", 0.002, id="spots on the sprite"),
            pytest.param("masks", 0.3, id="masks"),
            pytest.param("pixels", 0.5, id="pixels"),
        ],
    )
    def test_they_say_the_same(self, batches, key, near):
        ours, theirs = batches
        assert np.abs(ours[key].astype(float) - theirs[key].numpy()).mean() <= near

    def test_all_sizes_of_pictures_are_among_them(self):
        message = next(iter(LayerStream(SceneSampler(RECIPE, 5), 64)))
        sizes = message.keys() - {"fresh"}
        assert sizes == {"224 224", "288 216", "216 288"}
        places = np.concatenate([message[size]["places"] for size in sizes])
        assert sorted(places) == list(range(64))


class TestCrops:
    @pytest.mark.parametrize(
        "box",
        [
            pytest.param((3, 5, 180, 150), id="shrinks"),
            pytest.param((10, 20, 40, 45), id="grows"),
            pytest.param((10, 20, 30, 190), id="narrow"),
            pytest.param((0, 0, 64, 64), id="as it is"),
            pytest.param((7, 9, 8, 10), id="one pixel"),
        ],
    )
    def test_a_mask_in_its_box_is_what_opencv_makes_of_it(self, box):
        rng = np.random.default_rng(2)
        mask = cv2.resize(rng.random((9, 9)), (200, 200), interpolation=cv2.INTER_CUBIC) > 0.5
        x0, y0, x1, y1 = box
        boxes = torch.tensor([[[y0, x0, y1, x1]]], dtype=torch.float32)
        found = crop_masks(torch.from_numpy(mask)[None, None], boxes)[0, 0].numpy()
        assert np.abs(found.astype(int) - crop_mask(mask, box)).max() <= 2

    def test_an_empty_mask_has_an_empty_box(self):
        masks = torch.zeros(1, 2, 20, 30, dtype=torch.bool)
        masks[0, 1, 4:9, 7:20] = True
        assert boxes_of(masks).tolist() == [[[0, 0, 0, 0], [4, 7, 9, 20]]]


class TestBackgrounds:
    def test_memory_and_device_show_the_same_parts(self, monkeypatch):
        monkeypatch.setattr(background_stream, "KEPT", 6)
        rng, sampler, memory = np.random.default_rng(3), BackgroundSampler(), BackgroundCache()
        device = BackgroundTextures(torch.device("cpu"), extra=10)
        numbers = set()
        for _ in range(5):
            batch = [sampler.draw(rng, 60, 40) for _ in range(10)]
            fresh = [part for part in batch if part.fresh is not None]
            if fresh:
                device.store(
                    torch.tensor([part.number for part in fresh]),
                    torch.from_numpy(np.stack([part.fresh for part in fresh])),
                )
            rows = [[g.number, g.left, g.top, g.is_mirrored] for g in batch]
            crops = device.crop(torch.tensor(rows), 60, 40).permute(0, 2, 3, 1).numpy()
            for part, crop in zip(batch, crops, strict=True):
                assert np.array_equal(crop, memory.crop(part, 60, 40))
            numbers |= {part.number for part in batch}
        assert len(numbers) > 10  # more than are kept: old ones made room
