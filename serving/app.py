"""App: what `serve run` starts.

    serve run serving.app:build model=tiny
    serve run serving/serve.yaml

The page and the command line find it with `--engine ray`.
"""

from __future__ import annotations

from typing import Any

from ray.serve import Application
from ray.serve.config import AutoscalingConfig, RequestRouterConfig

from serving.replica import ReplicaDeployment

ROUTER = "ray.serve.experimental.consistent_hash_router:ConsistentHashRouter"
DEFAULTS: dict[str, Any] = {
    "max_ongoing_requests": 64,  # of a replica: what its engine decodes together, and as many more
    "max_queued_requests": 256,  # of a handle: more are refused, not hoarded
    "health_check_period_s": 5,
    "health_check_timeout_s": 30,
    "graceful_shutdown_wait_loop_s": 1,
    "graceful_shutdown_timeout_s": 60,  # an answer under way comes to its end
}
OWN = (
    *("num_replicas", "min_replicas", "max_replicas", "num_cpus", "num_gpus"),
    *("target_ongoing_requests", "upscale_delay_s", "downscale_delay_s"),
)
# Seconds of load that are looked back on: a delay counts from when the mean of these says so.
LOOK_BACK = 10.0
BEAT = 2.0  # seconds between two times that a replica tells of its load


def build(arguments: dict[str, Any]) -> Application:
    """The replicas. arguments: `model`, `models` (with commas between), `max_models`, and what
    `gemma_vision.load` takes (`device`, `dtype`); of the deployment `num_replicas`, or
    `min_replicas` and `max_replicas` with `target_ongoing_requests`, `upscale_delay_s` and
    `downscale_delay_s`, and `num_cpus` and `num_gpus` of each.
    """
    given = dict(arguments)
    place = {name: given.pop(name) for name in OWN if name in given}
    names = given.pop("models", "")
    listed = tuple(name for name in str(names).split(",") if name)
    load = {name: value for name, value in given.items() if name not in ("model", "max_models")}
    model, most = str(given.get("model", "tiny")), int(given.get("max_models", 1))
    deployment: Any = ReplicaDeployment.options(**DEFAULTS, **options_of(place))
    bound: Application = deployment.bind(model, max_models=most, models=listed, **load)
    return bound


def options_of(place: dict[str, Any]) -> dict[str, Any]:
    """How many replicas there are, and what each of them has."""
    options: dict[str, Any] = {
        "ray_actor_options": {
            "num_cpus": float(place.get("num_cpus", 1)),
            "num_gpus": float(place.get("num_gpus", 0)),
        },
        "request_router_config": RequestRouterConfig(request_router_class=ROUTER),
    }
    if "max_replicas" not in place:
        return options | {"num_replicas": int(place.get("num_replicas", 1))}
    scaling = AutoscalingConfig(
        min_replicas=int(place.get("min_replicas", 1)),
        max_replicas=int(place["max_replicas"]),
        target_ongoing_requests=float(place.get("target_ongoing_requests", 16)),
        upscale_delay_s=float(place.get("upscale_delay_s", 10)),
        downscale_delay_s=float(place.get("downscale_delay_s", 300)),
        look_back_period_s=LOOK_BACK,
        metrics_interval_s=BEAT,
    )
    return options | {"autoscaling_config": scaling}
