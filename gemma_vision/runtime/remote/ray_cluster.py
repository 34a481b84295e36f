"""Ray cluster: joined by the address of `--engine`, and what it says when a part of it is gone."""

from __future__ import annotations

from gemma_vision.errors import CheckpointError
from gemma_vision.extras import require

SCHEME = "ray"
CODE = "E_ENGINE"
TOKEN_MISSING = "AuthenticationError"


def join_cluster(address: str) -> None:
    """Have this process be part of a cluster, where it is not yet.

    address: "ray" for the cluster of this machine, or ray://HOST:PORT of its head. Raises
    CheckpointError where none answers there, or none without its token.
    """
    require("ray")
    import ray

    if ray.is_initialized():
        return
    place = address.removeprefix(SCHEME).removeprefix("://") or "auto"
    try:
        ray.init(address=place, namespace="serve", log_to_driver=False)
    except Exception as error:  # Ray has a kind for each way in which this fails
        raise CheckpointError(explain_refusal(address, error), CODE) from error


def explain_refusal(address: str, error: BaseException | None) -> str:
    """Why a cluster cannot be joined, and what to do."""
    said = type(error).__name__
    while error is not None:
        if TOKEN_MISSING in f"{type(error).__name__}: {error}":  # Ray passes it on as text alone
            own = "set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN to what its nodes have"
            return f"The cluster at {address} wants its token: {own}."
        error = error.__cause__
    return f"No cluster of Ray answers at {address} ({said}); start one, or check the address."


def lost_errors() -> tuple[type[Exception], ...]:
    """What Ray raises where a process or a machine went away with what it was asked."""
    from ray.exceptions import NodeDiedError, ObjectLostError, RayActorError

    return RayActorError, NodeDiedError, ObjectLostError
