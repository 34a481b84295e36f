"""Architecture: in what the model lines differ as mathematics, a row for each.

What a line is asked in is a row of `requests/prompts.py`. B rows, T positions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from PIL import Image
from torch import Tensor, nn

from gemma_vision.model.attention import block_groups, no_groups, prefix_groups
from gemma_vision.model.config import FULL, SLIDING, ModelConfig
from gemma_vision.model.gemma4.embedder import NormedProjector
from gemma_vision.model.projector import LinearProjector, PoolingProjector

Groups = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Architecture:
    """One line of models.

    groups: which positions of a prompt see each other both ways, by layer type, (B, T), (B, T) bool
    -> (B, T); see attention.py. is_prefix_lm: that is the whole prompt, words included.
    window_cuts_groups: a sliding window hides parts of a group. has_reusable_prefix: what was read
    up to the last picture does not depend on the words that follow, so that it serves the next
    question.
    """

    name: str  # as in ModelConfig.family
    groups: Mapping[str, Groups]
    is_prefix_lm: bool
    window_cuts_groups: bool
    has_reusable_prefix: bool
    projector: Callable[[ModelConfig], nn.Module]
    first_position: int
    resize_filter: Image.Resampling


PALIGEMMA = Architecture(
    name="paligemma",
    groups={FULL: prefix_groups, SLIDING: prefix_groups},
    is_prefix_lm=True,
    window_cuts_groups=False,
    has_reusable_prefix=False,
    projector=LinearProjector,
    first_position=1,  # trained with positions from 1
    resize_filter=Image.Resampling.BICUBIC,
)
PALIGEMMA2 = replace(PALIGEMMA, name="paligemma2")
GEMMA3 = Architecture(
    name="gemma3",
    groups={FULL: block_groups, SLIDING: block_groups},
    is_prefix_lm=False,
    window_cuts_groups=True,
    has_reusable_prefix=True,
    projector=PoolingProjector,
    first_position=0,
    resize_filter=Image.Resampling.BILINEAR,
)
SHIELDGEMMA2 = replace(GEMMA3, name="shieldgemma2")
GEMMA4 = replace(  # 26B-A4B and 31B
    GEMMA3,
    name="gemma4",
    groups={FULL: no_groups, SLIDING: block_groups},  # both ways in layers with a window alone
    projector=NormedProjector,
    resize_filter=Image.Resampling.BICUBIC,
)
GEMMA4E = replace(GEMMA4, name="gemma4e", groups={FULL: no_groups, SLIDING: no_groups})  # E2B, E4B
ARCHITECTURES: Mapping[str, Architecture] = {
    row.name: row for row in (PALIGEMMA, PALIGEMMA2, GEMMA3, SHIELDGEMMA2, GEMMA4, GEMMA4E)
}
