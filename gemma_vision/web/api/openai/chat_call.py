"""Chat call: the body of a call, read and checked; nothing is opened or decoded yet."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gemma_vision.images.limits import MAX_BYTES, ImageError
from gemma_vision.requests.request import MAX_IMAGES
from gemma_vision.requests.validation import excerpt, is_number, is_whole
from gemma_vision.web.api.openai.api_errors import ApiError
from gemma_vision.web.api.openai.schema_projection import SchemaProjection

MAX_STOPS = 4
MAX_STOP = 64  # characters of one
MAX_MESSAGES = 64
# What clients send that changes nothing here.
HARMLESS = (
    *("user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key"),
    *("verbosity", "parallel_tool_calls", "reasoning_effort"),
)
READ = (
    *("model", "messages", "max_tokens", "max_completion_tokens", "temperature", "seed", "stop"),
    *("stream", "stream_options", "logprobs", "response_format"),
)
# What would change an answer, with the values of it that change nothing.
NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "n": (1,),
    "top_p": (1,),
    "top_logprobs": (0,),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logit_bias": ({},),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "functions": ([],),
    "function_call": ("none", "auto"),
    "modalities": (["text"],),
    "audio": (),
    "prediction": (),
    "web_search_options": (),
}
ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "model"}


@dataclass(frozen=True)
class Message:
    """One message: who spoke ("user", "model" or "system"), the words, the pictures as files."""

    role: str
    texts: tuple[str, ...] = field(repr=False)
    images: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class ChatCall:
    """A call as it was meant. None in `options` is what the app takes where nobody says."""

    model: str
    messages: tuple[Message, ...]
    options: Mapping[str, Any]
    stops: tuple[str, ...] = ()
    is_stream: bool = False
    has_usage: bool = True
    has_logprobs: bool = False
    is_json: bool = False
    projection: SchemaProjection | None = None


def read_call(body: bytes) -> ChatCall:
    """A body as a call; ApiError for whatever is none, ImageError for a picture that is none."""
    call = read_object(body)
    check_names(call)
    messages = call.get("messages")
    if not isinstance(messages, list) or not 0 < len(messages) <= MAX_MESSAGES:
        message = f"messages has to be a list of 1 to {MAX_MESSAGES} messages."
        raise ApiError(message, "invalid_messages", param="messages")
    model = call.get("model")
    if not isinstance(model, str) or not model:
        raise ApiError("model has to be the id of a model; see /v1/models.", param="model")
    read = tuple(read_message(one, f"messages[{n}]") for n, one in enumerate(messages))
    if sum(len(one.images) for one in read) > MAX_IMAGES:
        raise ApiError(f"A call takes up to {MAX_IMAGES} pictures.", param="messages")
    is_json, projection = read_format(call.get("response_format"))
    has_logprobs = read_truth(call, "logprobs")
    if has_logprobs and is_json:
        message = "logprobs are those of the text's tokens; leave response_format out for them."
        raise ApiError(message, param="logprobs")
    is_stream = read_truth(call, "stream")
    return ChatCall(
        model,
        read,
        read_options(call),
        read_stops(call.get("stop")),
        is_stream,
        not is_stream or has_usage(call.get("stream_options")),
        has_logprobs,
        is_json,
        projection,
    )


def read_object(body: bytes) -> dict[str, Any]:
    """A body as a JSON object."""
    try:
        call = json.loads(body)
    except (ValueError, RecursionError):
        raise ApiError(
            "The body is no JSON; send a JSON object in UTF-8.", "invalid_json"
        ) from None
    if not isinstance(call, dict):
        raise ApiError("The body has to be a JSON object.", "invalid_json")
    return call


def check_names(call: Mapping[str, Any]) -> None:
    """Refuse what is not known, and what would change answers in ways that are not offered."""
    for name, value in call.items():
        if name in NEUTRAL:
            if value is not None and value not in NEUTRAL[name]:
                message = f"{name} is not offered here with that value; leave it out."
                raise ApiError(message, "unsupported_value", param=name)
        elif name not in (*READ, *HARMLESS):
            message = f"Unrecognized request argument supplied: {excerpt(name)}."
            raise ApiError(message, "unknown_parameter", param=name[:64])


def read_message(message: Any, where: str) -> Message:
    """One message of the list."""
    if not isinstance(message, dict):
        raise ApiError(f"{where} has to be an object.", "invalid_messages", param=where)
    role = message.get("role")
    if not isinstance(role, str) or role not in ROLES:
        known = ", ".join(ROLES)
        raise ApiError(f"{where}.role has to be one of {known}.", param=f"{where}.role")
    content = message.get("content")
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if not isinstance(parts, list) or not parts:
        text = f"{where}.content has to be a string or a list of parts."
        raise ApiError(text, "invalid_messages", param=f"{where}.content")
    texts: list[str] = []
    images: list[bytes] = []
    for number, part in enumerate(parts):
        place = f"{where}.content[{number}]"
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "text" and isinstance(part.get("text"), str):
            texts.append(part["text"])
        elif kind == "image_url":
            images.append(read_picture(part.get("image_url"), place))
        else:
            text = f"{place} has to be of the type text, with a text, or image_url."
            raise ApiError(text, "invalid_messages", param=place)
    return Message(ROLES[role], tuple(texts), tuple(images))


def read_picture(image: Any, where: str) -> bytes:
    """The bytes of a data address; nothing is fetched."""
    url = image.get("url") if isinstance(image, dict) else image
    if not isinstance(url, str) or url[:5].lower() != "data:":
        text = f"{where}.image_url has to be a data: address; nothing is fetched."
        raise ApiError(text, "invalid_image_url", param=where)
    head, comma, data = url.partition(",")
    if not comma or not head.lower().endswith(";base64"):
        raise ApiError(
            f"{where}.image_url is no base64 data address.", "invalid_image_url", param=where
        )
    if len(data) > (MAX_BYTES + 2) * 4 // 3 + 4:
        limit = f"The picture is larger than {MAX_BYTES // 2**20} MiB. Save it smaller."
        raise ImageError(limit, "E_IMAGE_TOO_LARGE")
    try:
        return base64.b64decode("".join(data.split()), validate=True)
    except ValueError:
        text = f"{where}.image_url is damaged; encode the picture again."
        raise ApiError(text, "invalid_image_url", param=where) from None


def read_options(call: Mapping[str, Any]) -> dict[str, Any]:
    """Those of our own that this API has words for; their ranges are checked with the request."""
    tokens = [call.get(name) for name in ("max_completion_tokens", "max_tokens")]
    given = {
        "max_tokens": next((one for one in tokens if one is not None), None),
        "temperature": call.get("temperature"),
        "seed": call.get("seed"),
    }
    for name, value in given.items():
        is_kind = is_number if name == "temperature" else is_whole
        if value is not None and not is_kind(value):
            raise ApiError(
                f"{name} is {excerpt(value)}, which is no number of its kind.", param=name
            )
    return {name: value for name, value in given.items() if value is not None}


def read_stops(given: Any) -> tuple[str, ...]:
    """The words that an answer ends before."""
    stops = [given] if isinstance(given, str) else ([] if given is None else given)
    is_list = isinstance(stops, list) and len(stops) <= MAX_STOPS
    if not is_list or not all(isinstance(one, str) and 0 < len(one) <= MAX_STOP for one in stops):
        text = f"stop has to be up to {MAX_STOPS} strings of 1 to {MAX_STOP} characters."
        raise ApiError(text, param="stop")
    return tuple(stops)


def read_format(given: Any) -> tuple[bool, SchemaProjection | None]:
    """Whether the answer is to be JSON, and by which schema."""
    kind = given.get("type") if isinstance(given, dict) else given
    if kind in (None, "text"):
        return False, None
    if kind == "json_object":
        return True, None
    if kind == "json_schema" and isinstance(given.get("json_schema"), dict):
        return True, SchemaProjection(given["json_schema"].get("schema"))
    text = "response_format has to be of the type text, json_object or json_schema."
    raise ApiError(text, param="response_format")


def read_truth(call: Mapping[str, Any], name: str) -> bool:
    """A truth, false where nobody says."""
    value = call.get(name)
    if value is not None and not isinstance(value, bool):
        raise ApiError(f"{name} has to be true or false.", param=name)
    return bool(value)


def has_usage(given: Any) -> bool:
    """Whether a stream ends with how many tokens there were."""
    if given is not None and not isinstance(given, dict):
        raise ApiError("stream_options has to be an object.", param="stream_options")
    return bool((given or {}).get("include_usage"))


def joined(texts: Sequence[str], between: str) -> str:
    """The words of a message's parts as one."""
    return between.join(text for text in texts if text.strip())
