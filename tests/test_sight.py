"""Pictures are looked at once each, in the order and number that the prompts give them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_models import SIDE, TOKENS, make_model, save

from gemma_vision.images.resizing import to_pixels
from gemma_vision.runtime.image_encoder import TOWER_BATCH, ImageEncoder
from gemma_vision.runtime.lru_cache import LruCache
from gemma_vision.weights.checkpoint import open_checkpoint


def see(encoder: ImageEncoder, *groups: tuple[int, ...]) -> list[torch.Tensor]:
    return encoder.encode([[encoder.prepare(picture(seed)) for seed in seeds] for seeds in groups])


def picture(seed: int) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    return Image.fromarray(values)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = save(make_model("paligemma"), tmp_path_factory.mktemp("model"))
    return open_checkpoint(folder, "cpu").model


@pytest.fixture
def encoder(model) -> ImageEncoder:
    return ImageEncoder(model, "tiny", LruCache(10**6))


@torch.no_grad()
def test_groups_keep_their_order_and_number(encoder: ImageEncoder) -> None:
    a, b, c = (see(encoder, (seed,))[0] for seed in (1, 2, 3))
    groups = see(encoder, (2, 1), (), (3,), (1,))
    assert [tuple(group.shape) for group in groups] == [(n * TOKENS, 32) for n in (2, 0, 1, 1)]
    assert torch.equal(groups[0], torch.cat([b, a]))
    assert torch.equal(groups[2], c) and torch.equal(groups[3], a)


@torch.no_grad()
def test_soft_tokens_are_those_of_the_model(encoder: ImageEncoder) -> None:
    pixels = torch.from_numpy(to_pixels(picture(4), SIDE))[None]
    assert torch.equal(see(encoder, (4,))[0], encoder.model.encode(pixels)[0])


@torch.no_grad()
def test_many_pictures_go_through_the_tower_in_parts(encoder: ImageEncoder, monkeypatch) -> None:
    sizes: list[int] = []
    encode = encoder.model.encode
    monkeypatch.setattr(encoder.model, "encode", lambda x: sizes.append(len(x)) or encode(x))
    see(encoder, tuple(range(TOWER_BATCH + 3)))
    assert sizes == [TOWER_BATCH, 3]


@torch.no_grad()
def test_what_is_kept_is_no_slice_of_a_batch(encoder: ImageEncoder) -> None:
    see(encoder, (1, 2))
    held = sum(soft.untyped_storage().nbytes() for soft in encoder.cache._kept.values())
    assert held == encoder.cache.num_bytes == 2 * TOKENS * 32 * 4


@torch.no_grad()
def test_models_that_share_a_cache_do_not_share_what_they_saw(model) -> None:
    cache = LruCache(10**6)
    for name in ("one", "other"):
        see(ImageEncoder(model, name, cache), (1,))
    assert (cache.hits, cache.misses, len(cache)) == (0, 2, 2)


def test_a_use_keeps_soft_tokens_from_going() -> None:
    cache = LruCache(max_bytes=8)
    for key in "ab":
        cache.put(key, torch.zeros(1))
    cache.get("a")
    cache.put("c", torch.zeros(1))
    assert [cache.get(key) is not None for key in "abc"] == [True, False, True]
    cache.clear()
    assert (len(cache), cache.num_bytes) == (0, 0)
