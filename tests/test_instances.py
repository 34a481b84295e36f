"""From units to pixels and back: both policies, masks in their boxes, sizes of every kind."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from noise_decoder import write_noise
from PIL import Image

from postprocess import instances as instances_module
from postprocess.coordinate_conventions import ConventionError
from postprocess.instances import LocateError, crop, describe, locate
from postprocess.mask_decoder import MaskDecoder
from postprocess.tokens import Mention

CODES = tuple(range(0, 128, 8))
SIDES = st.integers(1, 60)
UNITS = st.integers(0, 1023)


class DrawnDecoder:
    """A decoder that draws given 64 x 64 logits, whatever the codes."""

    def __init__(self, *logits):
        self.logits = np.stack(logits).astype(np.float32)

    def decode(self, codes, logits=False):
        assert len(codes) == len(self.logits)
        return self.logits if logits else np.clip(self.logits / 2 + 0.5, 0, 1).astype(np.float32)


def disc(radius=26, middle=(32, 32)):
    """Logits of a disc: 1 well inside, -1 well outside, 0 on the circle."""
    y, x = np.mgrid[:64, :64] + 0.5
    return np.clip((radius - np.hypot(y - middle[0], x - middle[1])) / 3, -1, 1)


def iou(a, b):
    return (a & b).sum() / max((a | b).sum(), 1)


@pytest.mark.parametrize(
    ("policy", "box", "pixels"),
    [
        ("space", (200 / 1024 * 640, 100 / 1024 * 480, 1023 / 1024 * 640, 480 * 0.5), None),
        ("bigvision", (200 / 1023 * 640, 100 / 1023 * 480, 640.0, 512 / 1023 * 480), None),
        ("space", None, (125, 47, 639, 240)),
        ("bigvision", None, (125, 46, 640, 240)),
    ],
    ids=["space edges", "bigvision edges", "space rounds", "bigvision truncates"],
)
def test_a_policy_sets_edges_and_whole_pixels(policy, box, pixels):
    found = locate([Mention("cat", (100, 200, 512, 1023), score=0.5)], (640, 480), policy=policy)[0]
    assert found.label == "cat" and found.score == 0.5 and found.mask is None
    if box is not None:
        assert found.box == pytest.approx(box, abs=1e-9)
    if pixels is not None:
        assert found.pixels == pixels


def test_space_rounds_halves_to_even_as_python_does():
    mentions = [Mention("", (y, 0, 1023, 1023)) for y in (1, 3, 5)]
    tops = [found.pixels[1] for found in locate(mentions, (512, 512))]
    assert tops == [0, 2, 2]  # 0.5, 1.5 and 2.5


@pytest.mark.parametrize("policy", ["space", "bigvision"])
def test_thousandths_are_thousandths_in_both_policies(policy):
    found = locate([Mention("", (0, 250, 500, 1000), units=1000)], (800, 400), policy=policy)[0]
    assert found.box == (200.0, 0.0, 800.0, 200.0)
    assert found.pixels == (200, 0, 800, 200)


def test_the_last_bin_reaches_the_edge_in_bigvision_alone():
    mention = Mention("", (0, 0, 1023, 1023))
    assert locate([mention], (4000, 3000), policy="bigvision")[0].box[2:] == (4000, 3000)
    assert locate([mention], (4000, 3000), policy="space")[0].pixels[2:] == (3996, 2997)


def by_hand(logits, pixels, size, policy):
    """A mask pasted step by step with Pillow, from the description of each policy."""
    x0, y0, x1, y1 = pixels
    canvas = np.zeros(size[::-1], bool)
    if policy == "space":
        grey = Image.fromarray((np.clip(logits / 2 + 0.5, 0, 1) * 255).astype(np.uint8))
        part = np.asarray(grey.resize((x1 - x0, y1 - y0), Image.BICUBIC)) >= 128
    else:
        grey = Image.fromarray(logits.astype(np.float32))
        part = np.asarray(grey.resize((x1 - x0, y1 - y0), Image.BILINEAR)) > 0
    canvas[y0:y1, x0:x1] = part
    return canvas


@pytest.mark.parametrize("policy", ["space", "bigvision"])
@pytest.mark.parametrize("size", [(64, 48), (90, 300), (640, 480)], ids=str)
def test_a_mask_is_resized_by_its_policy_and_pasted_in_its_box(policy, size):
    logits = disc(24, (30, 36))
    mention = Mention("", (100, 200, 800, 900), CODES)
    found = locate([mention], size, DrawnDecoder(logits), policy)[0]
    expected = by_hand(np.float32(logits), found.pixels, size, policy)
    assert found.mask.dtype == bool and found.mask.shape == size[::-1]
    x0, y0, x1, y1 = found.pixels
    if min(x1 - x0, y1 - y0) <= 64:
        assert np.array_equal(found.mask, expected)
    assert iou(found.mask, expected) > 0.995
    outside = found.mask.copy()
    outside[y0:y1, x0:x1] = False
    assert not outside.any()


def test_masks_follow_their_mentions_where_some_have_none():
    left, right = disc(20, (32, 20)), disc(20, (32, 44))
    mentions = [
        Mention("a", (0, 0, 1023, 1023)),
        Mention("b", (0, 0, 1023, 1023), CODES),
        Mention("c", (0, 0, 1023, 1023)),
        Mention("d", (0, 0, 1023, 1023), CODES),
    ]
    found = locate(mentions, (100, 100), DrawnDecoder(left, right))
    assert [one.mask is not None for one in found] == [False, True, False, True]
    centres = [np.nonzero(one.mask)[1].mean() for one in found if one.mask is not None]
    assert centres[0] < 40 and centres[1] > 60


def test_without_a_decoder_there_are_boxes_alone():
    found = locate([Mention("cat", (0, 0, 512, 512), CODES)], (100, 100))[0]
    assert found.mask is None and found.box == (0, 0, 50, 50)


def test_nothing_mentioned_is_nothing_found():
    assert locate([], (10, 10), DrawnDecoder(disc())) == []


@pytest.mark.parametrize("policy", ["space", "bigvision"])
def test_probability_comes_on_request_and_agrees_with_the_mask(policy):
    mention = Mention("", (0, 0, 900, 900), CODES)
    decoder = DrawnDecoder(disc())
    assert locate([mention], (200, 200), decoder, policy)[0].probability is None
    found = locate([mention], (200, 200), decoder, policy, probability=True)[0]
    assert found.probability.dtype == np.float32 and found.probability.shape == (200, 200)
    assert found.probability.min() == 0 and 0.99 < found.probability.max() <= 1
    assert np.array_equal(found.probability > 0.5, found.mask)


@pytest.mark.parametrize("policy", ["space", "bigvision"])
@pytest.mark.parametrize(
    "box",
    [(5, 5, 5, 5), (0, 500, 1023, 500), (1023, 1023, 1023, 1023), (500, 0, 501, 1023)],
    ids=["point", "line", "corner", "sliver"],
)
@pytest.mark.parametrize("size", [(1, 1), (3, 200), (640, 480)], ids=str)
def test_a_box_without_area_has_an_empty_mask(policy, box, size):
    found = locate([Mention("", box, CODES)], size, DrawnDecoder(disc()), policy)[0]
    assert found.mask.shape == size[::-1]
    x0, y0, x1, y1 = found.pixels
    assert found.mask.sum() <= (x1 - x0) * (y1 - y0)


@settings(max_examples=200, deadline=None)
@given(
    st.tuples(UNITS, UNITS, UNITS, UNITS),
    st.tuples(SIDES, SIDES),
    st.sampled_from(["space", "bigvision"]),
    st.sampled_from([1024, 1000]),
)
def test_boxes_lie_in_every_picture(edges, size, policy, units):
    a, b, c, d = (min(edge, units) for edge in edges)
    box = (min(a, c), min(b, d), max(a, c), max(b, d))
    found = locate([Mention("", box, CODES, units)], size, DrawnDecoder(disc()), policy)[0]
    for edges in (found.box, found.pixels):
        x0, y0, x1, y1 = edges
        assert 0 <= x0 <= x1 <= size[0] and 0 <= y0 <= y1 <= size[1]
    assert all(isinstance(edge, int) for edge in found.pixels)
    assert max(abs(p - b) for p, b in zip(found.pixels, found.box, strict=True)) <= 1


@settings(max_examples=200, deadline=None)
@given(
    st.tuples(UNITS, UNITS, UNITS, UNITS),
    st.tuples(st.integers(1, 5000), st.integers(1, 5000)),
    st.sampled_from(["space", "bigvision"]),
)
def test_boxes_go_to_pixels_and_back(edges, size, policy):
    a, b, c, d = edges
    mention = Mention("cat", (min(a, c), min(b, d), max(a, c), max(b, d)), score=0.25)
    back = describe(locate([mention], size, policy=policy), size, policy=policy)
    assert back == [mention] and back[0].score == 0.25


def test_masks_go_to_codes_and_back(tmp_path):
    class Recorder(DrawnDecoder):
        def encode(self, masks):
            self.seen = np.asarray(masks)
            return np.arange(len(masks) * 16).reshape(-1, 16)

    recorder = Recorder(disc(), disc(16))
    mentions = [
        Mention("a", (100, 100, 900, 900), CODES),
        Mention("b", (0, 0, 400, 400)),
        Mention("c", (300, 100, 500, 300), CODES),
    ]
    found = locate(mentions, (800, 600), recorder)
    back = describe(found, (800, 600), recorder)
    assert [one.codes for one in back] == [tuple(range(16)), (), tuple(range(16, 32))]
    assert recorder.seen.shape == (2, 64, 64)
    assert iou(recorder.seen[0] > 0.5, disc() > 0) > 0.97
    assert all(not one.codes for one in describe(found, (800, 600)))


def test_a_crop_of_nothing_is_empty():
    assert crop(np.ones((10, 10), bool), (5, 5, 5, 9)).sum() == 0
    assert crop(np.ones((10, 10), bool), (0, 0, 10, 10)).min() == 1


@pytest.mark.parametrize("size", [(0, 10), (10, -1)], ids=str)
def test_a_picture_without_pixels_is_refused(size):
    with pytest.raises(LocateError, match=f"{size[0]} x {size[1]}"):
        locate([], size)


def test_an_unknown_policy_is_refused_and_the_known_are_named():
    with pytest.raises(ConventionError, match="space and bigvision"):
        locate([], (10, 10), policy="google")


def blob(rng):
    """Logits of a random shape with holes and bays, as soft as a decoder draws them."""
    side = int(rng.integers(3, 9))
    coarse = Image.fromarray(rng.standard_normal((side, side)).astype(np.float32))
    smooth = np.asarray(coarse.resize((64, 64), Image.Resampling.BICUBIC))
    return np.clip(smooth * 6 + disc(30) * 2, -1, 1).astype(np.float32)


def agreement(count, seed, policy, monkeypatch):
    """IoU of the masks that OpenCV and Pillow make of the same logits in the same boxes."""
    rng = np.random.default_rng(seed)
    scores = []
    for _ in range(count):
        decoder = DrawnDecoder(blob(rng))
        size = tuple(int(side) for side in rng.integers(16, 801, 2))
        mention = Mention("", (0, 0, 1023, 1023), CODES)
        fast = locate([mention], size, decoder, policy)[0].mask
        with monkeypatch.context() as patch:
            slow = instances_module.stretch_with_pillow
            patch.setattr(instances_module, "stretch_with_opencv", slow)
            scores.append(iou(fast, locate([mention], size, decoder, policy)[0].mask))
    return np.array(scores)


@pytest.mark.parametrize("policy", ["space", "bigvision"])
def test_opencv_and_pillow_agree(policy, monkeypatch):
    scores = agreement(60, 1, policy, monkeypatch)
    assert scores.mean() >= 0.995 and scores.min() >= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["space", "bigvision"])
def test_opencv_and_pillow_agree_on_2000_masks(policy, monkeypatch):
    scores = agreement(2000, 2, policy, monkeypatch)
    assert scores.mean() >= 0.995 and scores.min() >= 0.97


def test_a_real_decoder_fits(tmp_path):
    decoder = MaskDecoder.load(write_noise(tmp_path / "noise.npz"))
    mentions = [Mention("cat", (10, 20, 300, 400), CODES), Mention("dog", (0, 0, 90, 90))]
    for policy in ("space", "bigvision"):
        cat, dog = locate(mentions, (320, 200), decoder, policy)
        assert cat.mask.any() and dog.mask is None
    codes = describe([cat, dog], (320, 200), decoder, "bigvision")
    assert len(codes[0].codes) == 16 and codes[0].box == (10, 20, 300, 400)
