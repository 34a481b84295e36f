"""Torch compositor: many scenes become pixels and exact masks at once, on any device.

The same rules as compositor.py, which draws one scene at a time with OpenCV. No loop over pictures:
B pictures of H x W pixels, T layers each, back to front.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from gemma_vision.synthetic.compositor import MIN_VISIBLE
from training.data.layers import NOBODY
from training.data.textures import SpriteTextures


@dataclass(frozen=True)
class ComposedBatch:
    """Composed scenes.

    pixels (B, 3, H, W) uint8; owner (B, H, W) int8, -1 the ground, else a layer; is_thing (B, T)
    bool: layers that have a name and can be seen; names and sprites (B, T) int64; turns (B, T, 2)
    and own (B, T, 2, 3) float32 as in layers.py.
    """

    pixels: Tensor
    owner: Tensor
    is_thing: Tensor
    names: Tensor
    sprites: Tensor
    turns: Tensor
    own: Tensor

    @property
    def masks(self) -> Tensor:
        """(B, T, H, W) bool: what is visible of every layer."""
        return layer_masks(self.owner, self.is_thing.shape[1])


@torch.no_grad()
def compose_all(
    layers: dict[str, Tensor], background: Tensor, sprites: SpriteTextures
) -> ComposedBatch:
    """Layers of scenes of one size, background (B, 3, H, W) float32 0..255 -> pictures.

    `layers` are the arrays of layers.py, on the device of the background.
    """
    names, area = layers["name"], layers["area"]
    drawn = [_draw(layers, index, background, sprites) for index in range(names.shape[1])]
    solid = torch.stack([sprite[:, 3] >= 0.5 for sprite in drawn], 1)
    is_drawn = _without_hidden(solid, names, area)
    owner = _owners(solid & is_drawn[:, :, None, None])
    canvas = background
    for index, sprite in enumerate(drawn):
        sprite = sprite * is_drawn[:, index, None, None, None]
        colour, alpha = sprite[:, :3] * layers["gain"][:, index, :, None, None], sprite[:, 3:]
        canvas = canvas * (1 - alpha) + 255 * torch.minimum(colour, alpha)
    is_thing = is_drawn & (names >= 0)
    poses = (layers["sprite"], layers["turn"], layers["own"])
    return ComposedBatch(canvas.to(torch.uint8), owner, is_thing, names, *poses)


def _draw(
    layers: dict[str, Tensor], index: int, background: Tensor, sprites: SpriteTextures
) -> Tensor:
    """One layer of every scene -> (B, 4, H, W), nothing outside its window."""
    height, width = background.shape[2:]
    x = torch.arange(width, device=background.device)
    y = torch.arange(height, device=background.device)
    inverse = layers["inverse"][:, index]  # (B, 2, 3)
    across = inverse[:, None, None, :, 0] * x[None, None, :, None]
    down = inverse[:, None, None, :, 1] * y[None, :, None, None]
    places = across + down + inverse[:, None, None, :, 2]
    sprite = sprites.sample(layers["texture"][:, index], layers["level"][:, index], places)
    left, top, right, bottom = (edge[:, None] for edge in layers["window"][:, index].unbind(1))
    columns, rows = (x >= left) & (x < right), (y >= top) & (y < bottom)
    is_there = layers["name"][:, index] > NOBODY
    inside = rows[:, :, None] & columns[:, None, :] & is_there[:, None, None]
    return sprite * inside[:, None]


def _without_hidden(solid: Tensor, names: Tensor, area: Tensor) -> Tensor:
    """solid (B, T, H, W) -> (B, T) bool: layers left when named ones hidden too far are taken out.

    One at a time and the hindmost first, since taking one out may uncover another.
    """
    is_drawn = names > NOBODY
    for _ in range(names.shape[1]):
        owner = _owners(solid & is_drawn[:, :, None, None])
        visible = layer_masks(owner, names.shape[1]).flatten(2).sum(2)
        is_hidden = is_drawn & (names >= 0) & ((visible < MIN_VISIBLE * area) | (visible == 0))
        is_drawn = is_drawn & ~(is_hidden & (is_hidden.cumsum(1) == 1))
    return is_drawn


def _owners(solid: Tensor) -> Tensor:
    """(B, T, H, W) bool -> (B, H, W) int8: the foremost layer at every pixel, -1 where none is."""
    number = torch.arange(1, solid.shape[1] + 1, device=solid.device, dtype=torch.int8)
    return (solid * number[:, None, None]).amax(1) - 1


def layer_masks(owner: Tensor, num_layers: int) -> Tensor:
    """(B, H, W) owners -> (B, T, H, W) bool."""
    number = torch.arange(num_layers, device=owner.device, dtype=owner.dtype)
    return owner[:, None] == number[:, None, None]
