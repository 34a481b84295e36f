"""Streams: batches without end on the device of the training, by either compositor.

OpenCV composes in processes beside the training, which hand over whole samples. Torch composes on
the device: the processes draw only parameters, and now and then a background.
"""

import os
from collections.abc import Iterator
from itertools import islice
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from training.data.layers import Arrays, corner_array, fresh_arrays, layer_arrays
from training.data.samples import Batch, SceneStream
from training.data.sampling import SceneRecipe, SceneSampler, this_process
from training.data.textures import BackgroundTextures, sprites_on
from training.data.torch_compositor import compose_all
from training.data.torch_samples import to_batch
from training.run import TrainingRun

Message = dict[str, Arrays]  # see LayerStream


def scene_batches(
    run: TrainingRun, recipe: SceneRecipe, size: int, *, seed: int, start: int
) -> Iterator[Batch]:
    """Batches of `size` samples; see `to_sample` for what they hold."""
    sampler = SceneSampler(recipe, seed, start)
    return COMPOSITORS[run.compositor](sampler, size, run)


def _with_opencv(sampler: SceneSampler, size: int, run: TrainingRun) -> Iterator[Batch]:
    loader = DataLoader(
        SceneStream(sampler),
        batch_size=size,
        num_workers=run.workers,
        prefetch_factor=8 if run.workers else None,
        worker_init_fn=be_polite,
        multiprocessing_context="spawn" if run.workers else None,  # OpenCV's threads: no fork
    )
    return (move(batch, run.device) for batch in loader)


def _with_torch(sampler: SceneSampler, size: int, run: TrainingRun) -> Iterator[Batch]:
    loader = DataLoader(
        LayerStream(sampler, size),
        batch_size=None,
        collate_fn=_unchanged,
        num_workers=run.workers,
        prefetch_factor=4 if run.workers else None,
        worker_init_fn=be_polite,
        multiprocessing_context="spawn" if run.workers else None,
    )
    composer = Composer(sampler.recipe, size, run.device)
    return (composer(message) for message in loader)


COMPOSITORS = {"opencv": _with_opencv, "torch": _with_torch}


class LayerStream(IterableDataset[Message]):
    """Batches of parameters: under "<width> <height>" the arrays of layers.py of those pictures.

    `places` says where they belong in the batch. Under "fresh" are new backgrounds, and the
    number of the process that drew them: numbers of backgrounds are its own.
    """

    def __init__(self, sampler: SceneSampler, size: int) -> None:
        self.sampler, self.size = sampler, size

    def __iter__(self) -> Iterator[Message]:
        stream = iter(self.sampler)
        while True:
            pairs = list(islice(stream, self.size))
            parts = [part for _, part in pairs]
            message = {"fresh": fresh_arrays(parts) | {"process": np.array(this_process())}}
            corners = corner_array(parts)
            sizes = [(scene.width, scene.height) for scene, _ in pairs]
            for width, height in sorted(set(sizes)):
                places = np.array([i for i, size in enumerate(sizes) if size == (width, height)])
                arrays = layer_arrays([pairs[place][0] for place in places])
                arrays |= {"places": places, "ground": corners[places]}
                message[f"{width} {height}"] = arrays
            yield message


class Composer:
    """Parameters of a batch -> the batch, composed on a device."""

    def __init__(self, recipe: SceneRecipe, size: int, device: torch.device) -> None:
        self.recipe, self.size, self.device = recipe, size, device
        self.sprites = sprites_on(device)
        self.backgrounds: dict[int, BackgroundTextures] = {}

    def __call__(self, message: Message) -> Batch:
        backgrounds = self._renewed(message["fresh"])
        parts, places = [], []
        for key in sorted(message.keys() - {"fresh"}):
            width, height = map(int, key.split())
            layers = self._there(message[key])
            behind = backgrounds.crop(layers["ground"], width, height)
            parts.append(to_batch(compose_all(layers, behind, self.sprites), self.recipe))
            places.append(layers["places"])
        order = torch.cat(places).argsort()
        return {key: torch.cat([part[key] for part in parts])[order] for key in parts[0]}

    def _renewed(self, fresh: Arrays) -> BackgroundTextures:
        """The backgrounds of the process that drew a message, with the new ones."""
        process = int(fresh["process"])
        if process not in self.backgrounds:
            self.backgrounds[process] = BackgroundTextures(self.device, extra=self.size)
        tensors = self._there(fresh)
        self.backgrounds[process].store(tensors["numbers"], tensors["pixels"])
        return self.backgrounds[process]

    def _there(self, arrays: Arrays) -> dict[str, Tensor]:
        return move({key: torch.from_numpy(value) for key, value in arrays.items()}, self.device)


def move(batch: Batch, device: torch.device) -> Batch:
    """A batch on a device; copies to a GPU do not wait for what it is computing."""
    if device.type != "cuda":
        return {key: value.to(device) for key, value in batch.items()}
    return {key: value.pin_memory().to(device, non_blocking=True) for key, value in batch.items()}


def _unchanged(message: Any) -> Any:
    """Numpy arrays go through a pipe; tensors would go through shared memory, often a small one."""
    return message


def be_polite(_: int) -> None:
    """One thread, and behind the training where both want a core."""
    os.nice(1)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
