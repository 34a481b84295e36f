"""Presets: sizes, minutes and batches of the ways to train. Numbers only."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gemma_vision.optimization.stage import REPORT_EVERY, SAVE_EVERY
from training.data.background_stream import RENEWAL
from training.model.decoder import BANK
from training.model.learner import Mix
from training.model.mask_vae import POOL
from training.model.tiny import ModelSizes
from training.run import Pace

STAGES = ("vq", "vision", "decoder", "masks", "joint", "export", "eval")
PARTS = {"vq": ("vq", "polish")}  # a stage that is trained in several goes


@dataclass(frozen=True)
class Preset:
    """One way to train; a stage without a pace is left out.

    bank: scenes whose features the decoder's stages keep. pool: masks of stage vq. renewal: share
    of the pictures with a fresh background. scenes: how many the evaluation asks about.
    """

    paces: dict[str, Pace]
    sizes: ModelSizes = field(default_factory=ModelSizes)
    num_names: int = 16
    bank: int = BANK
    pool: int = POOL
    renewal: float = RENEWAL
    scenes: int = 500
    save_every: float = SAVE_EVERY
    report_every: float = REPORT_EVERY

    def parts(self, stage: str) -> tuple[str, ...]:
        """The goes of a stage that this preset has time for, in order."""
        return tuple(part for part in PARTS.get(stage, (stage,)) if part in self.paces)


PRESETS = {
    # For tests: everything runs, nothing is learned.
    "smoke": Preset(
        {
            "vq": Pace(0.04),
            "polish": Pace(0.02),
            "vision": Pace(0.05),
            "decoder": Pace(0.05),
            "masks": Pace(0.03),
            "joint": Pace(0.05),
        },
        ModelSizes(
            side=56,
            vision_width=48,
            vision_layers=2,
            text_width=64,
            text_layers=2,
            text_heads=2,
            head_dim=32,
        ),
        num_names=4,
        bank=48,
        pool=64,
        scenes=3,
        save_every=0.3,
        report_every=0.3,
    ),
    # Two cores, under three hours.
    "cpu": Preset(
        {
            "vq": Pace(9),
            "polish": Pace(8),
            "vision": Pace(64),
            "decoder": Pace(44),
            "masks": Pace(44),
        }
    ),
    # One GPU for half an hour. Steps of a model this narrow are bound by launches, so batches are
    # larger and rates rise with about the fourth root of that. Not yet measured on a GPU.
    "gpu": Preset(
        {
            "vq": Pace(3, times=4, gain=1.3),
            "polish": Pace(1.5, times=4, gain=1.3),
            "vision": Pace(9, times=12, gain=1.8),
            "decoder": Pace(7, times=20, gain=1.6),
            "masks": Pace(2, times=20, gain=1.6),
            "joint": Pace(3.5, times=16, gain=1.6),
        },
        ModelSizes(side=224, patch=16, vision_layers=6),
        num_names=40,
        bank=30_000,
        pool=16_000,
        renewal=0.05,
    ),
}

WIDENING_STAGES = ("sketch", "vision", "polish", "decoder")


@dataclass(frozen=True)
class WideningPlan:
    """One way to widen; a stage without a pace is left out.

    sizes: of what comes out. sketch: of the tower that learns first, in small pictures, and the
    longest side of a thing in them. num_pieces: of a new tokenizer; None keeps the old one, whose
    checkpoint knows these names. rehearsed: share of scenes as the evaluation's. mix: shares of
    detect, segment, caption and ask. seed: of the scenes; a plan that goes on where another ended
    has one of its own, to be shown others.
    """

    sizes: ModelSizes
    num_names: int
    paces: Mapping[str, Pace]
    rehearsed: float
    num_pieces: int | None = None
    sketch: tuple[ModelSizes, float] | None = None
    mix: Mix = (0.28, 0.58, 0.05, 0.09)
    seed: int = 1


LARGE_PICTURES = ModelSizes(side=168, vision_layers=6)
DEEPER = ModelSizes(side=168, vision_layers=7)
MORE_QUESTIONS: Mix = (0.26, 0.52, 0.04, 0.18)
WIDENING_PLANS = {
    # More hands of the names that it knows, in the size that it has.
    "hands": WideningPlan(
        ModelSizes(),
        num_names=16,
        paces={"vision": Pace(95.0, gain=0.6), "decoder": Pace(114.0, gain=0.7)},
        rehearsed=0.38,
    ),
    # The same names in larger pictures, by a deeper tower.
    "sharp": WideningPlan(
        LARGE_PICTURES,
        num_names=16,
        paces={"vision": Pace(42.0, gain=0.6), "decoder": Pace(64.0, gain=0.7)},
        rehearsed=0.38,
    ),
    # More names besides, from what `sharp` made.
    "names": WideningPlan(
        LARGE_PICTURES,
        num_names=66,
        paces={
            "sketch": Pace(10.0, gain=0.8),
            "vision": Pace(42.0, gain=0.6),
            "polish": Pace(3.0, gain=0.6),
            "decoder": Pace(40.0, gain=0.8),
        },
        rehearsed=0.22,
        num_pieces=800,
        sketch=(ModelSizes(side=112, vision_layers=6), 0.24),
    ),
    # The same names for longer, from what `names` made; twice as many questions, which are of
    # four times as many things as they were.
    "practice": WideningPlan(
        LARGE_PICTURES,
        num_names=66,
        paces={
            "vision": Pace(58.0, gain=0.6, tail=0.16),
            "decoder": Pace(48.0, gain=0.8, tail=0.3),
        },
        rehearsed=0.22,
        mix=MORE_QUESTIONS,
        seed=2,
    ),
    # More hands of the same names, from the mean of what `names` and `practice` made: the tower.
    # Two runs of other scenes, side by side, and their mean.
    "artists": WideningPlan(
        LARGE_PICTURES,
        num_names=66,
        paces={"vision": Pace(42.0, gain=0.5, tail=0.2)},
        rehearsed=0.22,
        seed=3,
    ),
    # Answers about what the mean of the towers of `artists` sees; two runs again, and their mean.
    "answers": WideningPlan(
        LARGE_PICTURES,
        num_names=66,
        paces={"decoder": Pace(36.0, gain=0.7, tail=0.3)},
        rehearsed=0.22,
        mix=MORE_QUESTIONS,
        seed=3,
    ),
    # A while longer from the mean of what `practice` and `answers` came to: the decoder gets used
    # to the mean of their towers.
    "settle": WideningPlan(
        LARGE_PICTURES,
        num_names=66,
        paces={"decoder": Pace(13.0, gain=0.4, tail=0.5)},
        rehearsed=0.22,
        mix=MORE_QUESTIONS,
        seed=5,
    ),
    # One more layer of the tower, and drawings of lines that are coloured in besides.
    "deeper": WideningPlan(
        DEEPER,
        num_names=66,
        paces={"vision": Pace(52.0, gain=0.5, tail=0.2)},
        rehearsed=0.22,
        seed=7,
    ),
    # Answers about what the mean of the towers of `deeper` sees.
    "retold": WideningPlan(
        DEEPER,
        num_names=66,
        paces={"decoder": Pace(28.0, gain=0.6, tail=0.35)},
        rehearsed=0.22,
        mix=MORE_QUESTIONS,
        seed=7,
    ),
    # Things in three dimensions besides, from the mean of what `retold` came to and `deeper` began
    # with: the tower.
    "solids": WideningPlan(
        DEEPER,
        num_names=66,
        paces={"vision": Pace(50.0, gain=0.55, tail=0.2)},
        rehearsed=0.22,
        seed=11,
    ),
    # Answers about what the mean of the towers of `solids` sees; of that and of what `solids` began
    # with the mean is the embedded checkpoint.
    "recounted": WideningPlan(
        DEEPER,
        num_names=66,
        paces={"decoder": Pace(23.0, gain=0.6, tail=0.35)},
        rehearsed=0.22,
        mix=MORE_QUESTIONS,
        seed=11,
    ),
}
