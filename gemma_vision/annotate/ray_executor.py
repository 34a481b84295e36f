"""Ray executor: groups of pictures annotated by actors of a Ray cluster.

Rows come back to whoever asked, who writes the shards: they are those of a plain loop.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gemma_vision.annotate.executors import Done, lost_row
from gemma_vision.annotate.group_run import annotate_names
from gemma_vision.annotate.plan import AnnotationPlan
from gemma_vision.annotate.shards import Group
from gemma_vision.annotate.sources import PictureSource
from gemma_vision.runtime.remote.ray_cluster import join_cluster, lost_errors
from gemma_vision.weights.memory import PROCESSES

AHEAD = 2  # groups that each actor has before it
TRIES = 2  # of a group whose actor, or its machine, goes away; after that it is tried alone
TRIES_ALONE = 2  # of what alone is before an actor: a group, then each of its pictures
JSON = dict[str, Any]


class Annotator:
    """An actor: one pipeline, and the pictures that it is sent."""

    def __init__(
        self, plan: AnnotationPlan, source: PictureSource, model: Mapping[str, Any], count: int = 1
    ) -> None:
        """count: how many actors there are, which may all be on one machine."""
        os.environ[PROCESSES] = str(count)
        self._plan, self._source, self._model = plan, source, dict(model)
        self._loaded: Any = None

    def annotate(self, names: Sequence[str]) -> list[JSON]:
        """The rows of these pictures."""
        return annotate_names(self._plan, self._source, names, self._load)

    def _load(self) -> Any:
        import gemma_vision

        self._loaded = self._loaded or gemma_vision.load(**self._model)
        return self._loaded


@dataclass(frozen=True)
class RayExecutor:
    """So many actors on a cluster, each with a model of its own and what it needs of a machine.

    address: as of `--engine`, "ray" or ray://HOST:PORT. Another takes the place of an actor that is
    gone, elsewhere where its machine is gone too, and does again what that had before it. A picture
    that ends its actors, alone too, has failed, and no other with it.
    """

    address: str
    workers: int
    model: Mapping[str, Any]
    num_cpus: float = 1.0
    num_gpus: float = 0.0

    def run(
        self, plan: AnnotationPlan, source: PictureSource, groups: Sequence[Group]
    ) -> Iterator[Done]:
        """As they are done. Raises CheckpointError where no cluster answers."""
        if not groups:
            return
        join_cluster(self.address)
        import ray

        kind = ray.remote(num_cpus=self.num_cpus, num_gpus=self.num_gpus)(Annotator)

        def make() -> Any:
            return kind.remote(plan, source, dict(self.model), self.workers)

        crew = Crew(make, min(self.workers, len(groups)))
        try:
            yield from crew.run(groups)
        finally:
            crew.end()
        alone = Crew(make, 1)
        try:
            for group in crew.lost:
                yield group, alone.annotate(source, group.names)
        finally:
            alone.end()


class Crew:
    """Actors, each in a place that another takes where it is gone.

    Ray could start an actor again itself, but what is sent to it meanwhile is refused, which looks
    as if it had ended over that. `lost` are the groups that were too often with one that ended.
    """

    def __init__(self, make: Callable[[], Any], count: int) -> None:
        self.lost: list[Group] = []
        self._make = make
        self._actors: list[Any] = [None] * count  # made when there is something for them

    def run(self, groups: Sequence[Group]) -> Iterator[Done]:
        """Groups as they are done.

        An actor that has nothing more to do makes room: where machines went away, others of its
        kind may wait for it.
        """
        import ray

        waiting, under_way, tries = iter(groups), {}, Counter[int]()

        def send(place: int, group: Group | None) -> None:
            if group is not None:
                actor = self._actor(place)
                under_way[actor.annotate.remote(list(group.names))] = (group, place, actor)

        for place in [*range(len(self._actors))] * AHEAD:
            send(place, next(waiting, None))
        while under_way:
            (ready,), _ = ray.wait(list(under_way), num_returns=1)
            group, place, actor = under_way.pop(ready)
            try:
                rows = ray.get(ready)
            except lost_errors():
                if self._actors[place] is actor:
                    self._end(place)
                tries[group.number] += 1
                if tries[group.number] < TRIES:
                    send(place, group)
                    continue
                self.lost.append(group)
                rows = None
            send(place, next(waiting, None))
            if not any(place == busy for _, busy, _ in under_way.values()):
                self._end(place)
            if rows is not None:
                yield group, rows

    def annotate(self, source: PictureSource, names: Sequence[str]) -> list[JSON]:
        """The rows of a group that has an actor for itself, or else of each picture by itself."""
        import ray

        for _ in range(TRIES_ALONE):
            try:
                rows: list[JSON] = ray.get(self._actor(0).annotate.remote(list(names)))
                return rows
            except lost_errors():
                self._end(0)
        if len(names) == 1:
            return [lost_row(source, names[0])]
        return [row for name in names for row in self.annotate(source, [name])]

    def end(self) -> None:
        """End every actor, whatever it does."""
        for place in range(len(self._actors)):
            self._end(place)

    def _actor(self, place: int) -> Any:
        self._actors[place] = self._actors[place] or self._make()
        return self._actors[place]

    def _end(self, place: int) -> None:
        import ray

        actor, self._actors[place] = self._actors[place], None
        if actor is not None:
            ray.kill(actor)
