"""Data mix: what is learned and what is asked about, and what a batch is made of."""

from dataclasses import dataclass

from numpy.random import Generator

from gemma_vision.checkpoints.mask_decoder_files import decoder_of, open_decoder
from gemma_vision.evaluate import Dataset
from gemma_vision.finetuning.data.augmentation import augment
from gemma_vision.finetuning.data.dataset_checks import read_folder
from gemma_vision.finetuning.data.image_set import ImageSet, LabelledImage, is_askable
from gemma_vision.finetuning.data.prompt_sampler import PromptSampler
from gemma_vision.finetuning.data.rehearsal import ImageSource, SceneSource
from gemma_vision.finetuning.data.splitting import split
from gemma_vision.finetuning.learning.trainee import Trainee
from gemma_vision.finetuning.plan import FinetunePlan
from postprocess.mask_decoder import MaskDecoder


@dataclass(frozen=True)
class FinetuneData:
    """What is learned and what is asked about.

    drawings: names of scenes that are rehearsed; `old` is a second folder for that.
    """

    learned: Dataset
    held: Dataset
    drawings: tuple[str, ...] = ()
    old: Dataset | None = None
    old_held: Dataset | None = None

    @property
    def names(self) -> list[str]:
        """The names to be learned."""
        return list(self.learned.categories)

    @property
    def notices(self) -> tuple[str, ...]:
        """What the readers left out of the data sets or cut off, a sentence each."""
        return self.learned.notices + (self.old.notices if self.old else ())


@dataclass(frozen=True)
class MixComponent:
    """Images of one origin: how many of a batch, and what is asked about them."""

    source: ImageSource
    sampler: PromptSampler
    count: int
    mirrored: bool = True

    def draw(self, rng: Generator) -> list[LabelledImage]:
        """So many images, each changed at random."""
        drawn = (self.source.draw(rng) for _ in range(self.count))
        return [augment(rng, image, mirrored=self.mirrored) for image in drawn]


def read_data(plan: FinetunePlan, drawings: tuple[str, ...]) -> FinetuneData:
    """Both folders, each split; a folder to rehearse takes the place of drawings."""
    learned, held = split(read_folder(plan.data), plan.share_held_out, plan.seed)
    if plan.rehearse is None:
        return FinetuneData(learned, held, drawings)
    old, old_held = split(read_folder(plan.rehearse), plan.share_held_out, plan.seed)
    return FinetuneData(learned, held, (), old, old_held)


def data_mix(plan: FinetunePlan, data: FinetuneData, trainee: Trainee) -> list[MixComponent]:
    """New things, and old ones for half of the batch where there are any."""
    has_words = bool(trainee.notes.get("counts")) and trainee.is_young
    num_old = plan.batch // 2 if data.drawings or data.old else 0
    sampler = PromptSampler(data.names, encoder_for(trainee, data.learned), has_words)
    images = image_set(data.learned, trainee)
    new = MixComponent(images, sampler, plan.batch - num_old, plan.mirrored)
    if not num_old:
        return [new]
    if data.old is not None:
        sampler = PromptSampler(list(data.old.categories), encoder_for(trainee, data.old))
        old = image_set(data.old, trainee)
        return [new, MixComponent(old, sampler, num_old, plan.mirrored)]
    every = list(dict.fromkeys([*data.drawings, *data.names]))
    sampler = PromptSampler(every, open_decoder(decoder_of(trainee.folder)), has_words)
    return [new, MixComponent(SceneSource(data.drawings), sampler, num_old)]


def image_set(dataset: Dataset, trainee: Trainee) -> ImageSet:
    """The images of a data set about which something can be asked."""
    names = list(dataset.categories)
    scenes = [scene for scene in dataset.scenes if is_askable(scene, names)]
    return ImageSet(scenes, trainee.config.square.image_size)


def encoder_for(trainee: Trainee, dataset: Dataset) -> MaskDecoder | None:
    """What makes codes of masks; None where a data set has none, so that nothing is outlined."""
    has_masks = any(thing.segmentation for scene in dataset.scenes for thing in scene.objects)
    return open_decoder(decoder_of(trainee.folder)) if has_masks else None
