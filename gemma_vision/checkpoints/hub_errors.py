"""Hub errors: what the Hub's refusals and a broken connection are told as, a code and a sentence.

No sentence quotes a token. Whether one was sent is read from the request that was refused.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator

from gemma_vision.errors import CheckpointError

TOKENS = "huggingface.co/settings/tokens"
LOG_IN = "log in with `hf auth login` or set HF_TOKEN"


def describe_hub_error(hub_id: str, error: Exception) -> CheckpointError:
    """The sentence for whatever went wrong; the Hub's own answer may be the cause of the cause."""
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    causes = list(chain_of(error))
    if isinstance(error, HFValidationError):
        return CheckpointError(f"{hub_id!r} cannot be the name of a model.", "E_MODEL_UNKNOWN")
    if any(getattr(cause, "errno", None) == errno.ENOSPC for cause in causes):
        message = f"The disk is full while fetching {hub_id}. Free some space and try again."
        return CheckpointError(message, "E_DISK_FULL")
    if any("certificate" in str(cause).lower() for cause in causes):
        message = f"The Hub's certificate is not trusted here, so {hub_id} was not fetched. "
        return CheckpointError(message + "Check the clock and the proxy of this machine.", "E_HUB")
    answers = [cause for cause in causes if isinstance(cause, HfHubHTTPError)]
    if not answers:
        return offline(hub_id)
    return refused(hub_id, answers[0]) if was_authorized(answers[0]) else shut(hub_id, answers[0])


def chain_of(error: BaseException | None) -> Iterator[BaseException]:
    """An error, its cause, the cause of that, and so on."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def status_of(error: Exception) -> int:
    """The status of the answer behind an error; 0 where there was none."""
    return int(getattr(getattr(error, "response", None), "status_code", None) or 0)


def was_authorized(error: Exception) -> bool:
    """Whether the request that was refused carried a token."""
    request = getattr(getattr(error, "response", None), "request", None)
    return "authorization" in {name.lower() for name in getattr(request, "headers", {})}


def refused(hub_id: str, error: Exception) -> CheckpointError:
    """What the Hub said to a token."""
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    status = status_of(error)
    if status == 401:
        return CheckpointError(
            f"The Hub does not accept the token that it was asked with for {hub_id}: it is "
            f"mistyped, expired or revoked. Make a new one at {TOKENS} and give that.",
            "E_TOKEN_REFUSED",
        )
    if isinstance(error, GatedRepoError):
        return CheckpointError(
            f"The account of this token has not accepted the licence of {hub_id}: open "
            f"huggingface.co/{hub_id} with the same account, accept it, and load again.",
            "E_LICENCE",
        )
    if status == 403:
        return CheckpointError(
            f"This token may not read {hub_id}. Make one of the kind Read at {TOKENS}, or allow "
            "yours to read gated repositories, and give that.",
            "E_TOKEN_SCOPE",
        )
    if isinstance(error, RepositoryNotFoundError) or status == 404:
        return CheckpointError(
            f"The Hub has no model {hub_id}, or none that this token may see. Check the name.",
            "E_MODEL_UNKNOWN",
        )
    return broken(hub_id, status)


def shut(hub_id: str, error: Exception) -> CheckpointError:
    """What the Hub said to a request without a token."""
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    status, page = status_of(error), f"huggingface.co/{hub_id}"
    if isinstance(error, GatedRepoError):
        return CheckpointError(
            f"{hub_id} asks you to accept its licence, and no token was given: open {page}, "
            f"accept it, then {LOG_IN}.",
            "E_MODEL_GATED",
        )
    if status == 403:
        return CheckpointError(
            f"The Hub refuses {hub_id} to whoever has no token: {LOG_IN}, and accept the licence "
            f"at {page}.",
            "E_MODEL_GATED",
        )
    if isinstance(error, RepositoryNotFoundError) or status in (401, 404):
        return CheckpointError(
            f"The Hub has no public model {hub_id}. Check the name; if it is a private one, "
            f"{LOG_IN}.",
            "E_MODEL_UNKNOWN",
        )
    return broken(hub_id, status)


def broken(hub_id: str, status: int) -> CheckpointError:
    """The Hub answered, and not what it should."""
    return CheckpointError(
        f"The Hub answered {status or 'with an error'} for {hub_id}. Try again later.", "E_HUB"
    )


def offline(hub_id: str) -> CheckpointError:
    """Nobody answered."""
    return CheckpointError(
        f"{hub_id} is not on this machine and the Hub cannot be reached. "
        "Connect once to fetch it, or name a folder that holds it.",
        "E_OFFLINE",
    )
