"""Growth: a trained tiny PaliGemma becomes a larger one that begins by seeing what it saw.

More patches: the table of positions is interpolated. More layers: the new ones come last and add
nothing at first. Other words: pieces of the same spelling keep their vectors.
"""

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor
from transformers import PaliGemmaForConditionalGeneration

from gemma_vision.optimization.training_state import StateError

SILENT = ("out_proj.weight", "out_proj.bias", "fc2.weight", "fc2.bias")


@torch.no_grad()
def grow(
    small: PaliGemmaForConditionalGeneration,
    large: PaliGemmaForConditionalGeneration,
    old: Tokenizer,
    new: Tokenizer,
) -> None:
    """Fill `large` in place from `small`; both have the same widths. `old` and `new` are their
    tokenizers.

    Raises StateError where `small` has more layers: what they do would be lost.
    """
    depths = [m.config.vision_config.num_hidden_layers for m in (small, large)]
    if depths[0] > depths[1]:
        raise StateError(
            f"The checkpoint's tower has {depths[0]} layers and the plan's has {depths[1]}; "
            "choose a plan of at least as many."
        )
    known = small.state_dict()
    for name, value in large.state_dict().items():
        if name.endswith(("embed_tokens.weight", "lm_head.weight")):
            _copy_words(known[name], value, old, new)
        elif name.endswith("position_embedding.weight"):
            value.copy_(stretch(known[name], len(value)))
        elif name in known:
            value.copy_(known[name])
        elif name.endswith(SILENT):
            value.zero_()
        else:
            assert "vision_tower.encoder.layers" in name, f"{name} is new"
    large.tie_weights()


def stretch(table: Tensor, count: int) -> Tensor:
    """Positions of a square of patches (N, D) -> of another square (count, D), bicubic."""
    side, new = round(len(table) ** 0.5), round(count**0.5)
    plane = table.T.reshape(1, -1, side, side)
    resized = F.interpolate(plane, (new, new), mode="bicubic", align_corners=False)
    return resized.flatten(2)[0].T


def _copy_words(known: Tensor, table: Tensor, old: Tokenizer, new: Tokenizer) -> None:
    before = old.get_vocab(with_added_tokens=True)
    for piece, number in new.get_vocab(with_added_tokens=True).items():
        if piece in before:
            table[number] = known[before[piece]]
