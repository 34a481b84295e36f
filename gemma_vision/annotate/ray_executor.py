"""Ray executor: groups of pictures annotated by actors of a Ray cluster.

Rows come back to whoever asked, who writes the shards: they are those of a plain loop.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gemma_vision.annotate.executors import Done, lost_row
from gemma_vision.annotate.group_run import annotate_names
from gemma_vision.annotate.plan import AnnotationPlan
from gemma_vision.annotate.shards import Group
from gemma_vision.annotate.sources import PictureSource
from gemma_vision.runtime.remote.ray_cluster import join_cluster, lost_errors

AHEAD = 2  # groups that each actor has before it
TRIES = 4  # of a group whose actor, or its machine, goes away; after that it is tried alone
TRIES_ALONE = 2  # of what alone is before an actor: a group, then each of its pictures
JSON = dict[str, Any]


class Annotator:
    """An actor: one pipeline, and the pictures that it is sent."""

    def __init__(
        self, plan: AnnotationPlan, source: PictureSource, model: Mapping[str, Any]
    ) -> None:
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

    address: as of `--engine`, "ray" or ray://HOST:PORT. An actor that is gone is started again,
    elsewhere where its machine is gone too, and what it had before it is done again. A picture
    that ends its actor however often, and alone, has failed, and no other with it.
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

        kind = ray.remote(
            num_cpus=self.num_cpus, num_gpus=self.num_gpus, max_restarts=-1, max_task_retries=0
        )(Annotator)
        count = min(self.workers, len(groups))
        actors = [kind.remote(plan, source, dict(self.model)) for _ in range(count)]
        lost: list[Group] = []
        try:
            yield from run_groups(actors, groups, lost)
            if lost:
                actors = [kind.remote(plan, source, dict(self.model))]
            for group in lost:
                yield group, annotate_alone(actors[0], source, group.names)
        finally:
            for actor in actors:
                ray.kill(actor)


def run_groups(actors: Sequence[Any], groups: Sequence[Group], lost: list[Group]) -> Iterator[Done]:
    """Groups as actors are done with them; those that were too often lost with one go to `lost`.

    An actor that has nothing more to do makes room: where machines went away, others of its kind
    may wait for it.
    """
    import ray

    waiting, under_way = iter(groups), {}

    def send(actor: Any) -> None:
        group = next(waiting, None)
        if group is not None:
            under_way[call(actor, group.names, TRIES)] = (group, actor)

    for actor in [one for _ in range(AHEAD) for one in actors]:
        send(actor)
    while under_way:
        (ready,), _ = ray.wait(list(under_way), num_returns=1)
        group, actor = under_way.pop(ready)
        send(actor)
        if not any(actor is busy for _, busy in under_way.values()):
            ray.kill(actor)
        try:
            rows = ray.get(ready)
        except lost_errors():
            lost.append(group)
        else:
            yield group, rows


def annotate_alone(actor: Any, source: PictureSource, names: Sequence[str]) -> list[JSON]:
    """The rows of a group that has an actor for itself, or else of each picture by itself."""
    import ray

    try:
        rows: list[JSON] = ray.get(call(actor, names, TRIES_ALONE))
        return rows
    except lost_errors():
        if len(names) == 1:
            return [lost_row(source, names[0])]
    return [row for name in names for row in annotate_alone(actor, source, [name])]


def call(actor: Any, names: Sequence[str], tries: int) -> Any:
    """The rows of these pictures, on their way."""
    return actor.annotate.options(max_task_retries=tries - 1).remote(list(names))
