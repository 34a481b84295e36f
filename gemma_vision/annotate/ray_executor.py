"""Ray executor: groups of pictures annotated by actors of a Ray cluster.

Rows come back to whoever asked, who writes the shards: they are those of a plain loop.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gemma_vision.annotate.executors import Done
from gemma_vision.annotate.group_run import annotate_names
from gemma_vision.annotate.plan import AnnotationPlan
from gemma_vision.annotate.shards import Group
from gemma_vision.annotate.sources import PictureSource
from gemma_vision.extras import require

AHEAD = 2  # groups that each actor has before it
TRIES = 10  # of a group whose actor, or its machine, goes away


class Annotator:
    """An actor: one pipeline, and the pictures that it is sent."""

    def __init__(
        self, plan: AnnotationPlan, source: PictureSource, model: Mapping[str, Any]
    ) -> None:
        self._plan, self._source, self._model = plan, source, dict(model)
        self._loaded: Any = None

    def annotate(self, names: Sequence[str]) -> list[dict[str, Any]]:
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
    elsewhere where its machine is gone too, and what it had before it is done again.
    """

    address: str
    workers: int
    model: Mapping[str, Any]
    num_cpus: float = 1.0
    num_gpus: float = 0.0

    def run(
        self, plan: AnnotationPlan, source: PictureSource, groups: Sequence[Group]
    ) -> Iterator[Done]:
        """As they are done."""
        if not groups:
            return
        require("ray")
        import ray

        if not ray.is_initialized():
            place = self.address.removeprefix("ray").removeprefix("://") or "auto"
            ray.init(address=place, log_to_driver=False)
        kind = ray.remote(
            num_cpus=self.num_cpus,
            num_gpus=self.num_gpus,
            max_restarts=-1,
            max_task_retries=TRIES,
        )(Annotator)
        count = min(self.workers, len(groups))
        actors = [kind.remote(plan, source, dict(self.model)) for _ in range(count)]
        waiting, under_way = iter(groups), {}

        def send(actor: Any) -> None:
            group = next(waiting, None)
            if group is not None:
                under_way[actor.annotate.remote(list(group.names))] = (group, actor)

        try:
            for actor in actors * AHEAD:
                send(actor)
            while under_way:
                (ready,), _ = ray.wait(list(under_way), num_returns=1)
                group, actor = under_way.pop(ready)
                send(actor)
                yield group, ray.get(ready)
        finally:
            for actor in actors:
                ray.kill(actor)
