"""Data mix: what is learned and what is asked about, and what a batch is made of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from numpy.random import Generator

from gemma_vision.evaluate import Dataset
from gemma_vision.finetuning.data.augmentation import augment
from gemma_vision.finetuning.data.collage import CollageSource, MixedSource
from gemma_vision.finetuning.data.image_set import ImageSet, LabelledImage, is_askable
from gemma_vision.finetuning.data.old_knowledge import OldData
from gemma_vision.finetuning.data.prompt_sampler import PromptSampler
from gemma_vision.finetuning.data.rehearsal import ImageSource, SceneSource
from gemma_vision.finetuning.data.typical_shapes import TypicalShapes
from gemma_vision.finetuning.plan import FinetunePlan
from postprocess.mask_decoder import MaskDecoder

SMALL_COLLAGES = 0.4  # share of a small model's images that are collages
OLD_SHARE = 0.25  # of a batch, where there is something to be kept
COLLAGE_SIDE = 2  # times the side that the model looks at


@dataclass(frozen=True)
class FinetuneData:
    """What is learned, what is asked about, and what was known before."""

    learned: Dataset
    held: Dataset
    drawings: tuple[str, ...] = ()  # names of scenes that are rehearsed
    old: tuple[OldData, ...] = ()

    @property
    def names(self) -> list[str]:
        """The names to be learned."""
        return list(self.learned.categories)

    @property
    def old_names(self) -> list[str]:
        """The names that are kept."""
        taught = (name for one in self.old for name in one.names)
        return list(dict.fromkeys([*self.drawings, *taught]))

    @property
    def notices(self) -> tuple[str, ...]:
        """What the readers left out of the data sets or cut off, a sentence each."""
        every = (self.learned, self.held, *(one.learned for one in self.old))
        return tuple(dict.fromkeys(notice for one in every for notice in one.notices))


@dataclass(frozen=True)
class MixComponent:
    """Images of one origin, and what is asked about them.

    weight: how often it is drawn among the others of its kind.
    """

    source: ImageSource
    sampler: PromptSampler
    mirrored: bool = True
    weight: float = 1.0
    num_pictures: int = 0

    def draw(self, rng: Generator) -> LabelledImage:
        """An image, changed at random."""
        return augment(rng, self.source.draw(rng), mirrored=self.mirrored)


@dataclass(frozen=True)
class DataMix:
    """What batches are made of: so many new images, the others of what was known before."""

    new: MixComponent
    old: Sequence[MixComponent]
    batch: int
    num_old: int

    @property
    def names(self) -> list[str]:
        """Every name that is asked for."""
        every = (self.new, *self.old)
        return list(dict.fromkeys(name for one in every for name in one.sampler.names))

    @property
    def num_pictures(self) -> int:
        """Pictures that are learned from."""
        return self.new.num_pictures

    def draw(self, rng: Generator) -> Iterator[tuple[LabelledImage, PromptSampler]]:
        """A batch: images, and what asks about each."""
        for index in range(self.batch):
            is_old = index >= self.batch - self.num_old
            component = self.pick(rng) if is_old else self.new
            yield component.draw(rng), component.sampler

    def pick(self, rng: Generator) -> MixComponent:
        """One of the old components, by its weight."""
        total = sum(one.weight for one in self.old)
        shares = [one.weight / total for one in self.old]
        return self.old[int(rng.choice(len(self.old), p=shares))]


def data_mix(
    plan: FinetunePlan,
    data: FinetuneData,
    *,
    side: int,
    is_small: bool,
    has_words: bool,
    decoder: MaskDecoder | None,
) -> DataMix:
    """New things, and old ones for `OLD_SHARE` of the batch where there are any.

    side: of the model's images. has_words: captions and questions are asked too. decoder: makes
    codes of masks; None where nothing is to be outlined.
    """
    every = list(dict.fromkeys([*data.names, *data.old_names]))
    new = new_component(
        plan, data, side=side, is_small=is_small, has_words=has_words, decoder=decoder
    )
    old = [
        MixComponent(
            image_set(one.learned, side),
            PromptSampler(list(one.names), encoder_for(one.learned, decoder)),
            plan.mirror,
            weight=len(one.names),
        )
        for one in data.old
    ]
    if data.drawings:
        sampler = PromptSampler(every, decoder, has_words)
        weight = max(len(data.drawings) / 2, sum(one.weight for one in old))
        source = SceneSource(data.drawings, every)
        old.append(MixComponent(source, sampler, weight=weight))
    num_old = min(round(plan.batch * OLD_SHARE), plan.batch - 1) if old else 0
    return DataMix(new, tuple(old), plan.batch, num_old)


def new_component(
    plan: FinetunePlan,
    data: FinetuneData,
    *,
    side: int,
    is_small: bool,
    has_words: bool,
    decoder: MaskDecoder | None,
) -> MixComponent:
    """What is to be learned: images as they are, and collages of what has masks."""
    images = image_set(data.learned, side)
    encoder = encoder_for(data.learned, decoder)
    shapes = None
    if is_small and encoder is not None:
        shapes = TypicalShapes.find(images.scenes, encoder)
    sampler = PromptSampler(data.names, encoder, has_words, shapes)
    share = plan.collages
    if share is None:
        share = SMALL_COLLAGES if is_small else 0.0
    collages = CollageSource(images, side=COLLAGE_SIDE * side, mirrored=plan.mirror)
    source: ImageSource = images
    if share and not collages.is_empty:
        source = MixedSource((images.draw, collages.draw), (1 - share, share))
    return MixComponent(source, sampler, plan.mirror, num_pictures=len(images.scenes))


def image_set(dataset: Dataset, side: int) -> ImageSet:
    """The images of a data set about which something can be asked."""
    names = list(dataset.categories)
    return ImageSet([scene for scene in dataset.scenes if is_askable(scene, names)], side)


def encoder_for(dataset: Dataset, decoder: MaskDecoder | None) -> MaskDecoder | None:
    """What makes codes of masks; None where a data set has none, so that nothing is outlined."""
    has_masks = any(thing.segmentation for scene in dataset.scenes for thing in scene.objects)
    return decoder if has_masks else None
