"""OpenAI engine: prompts run by a server of OpenAI's API, such as vLLM, SGLang or llama-server.

Asks for what that API leaves out by itself: special tokens in the text, token ids, and the
likeliest tokens beside each. Every prompt is a call of its own; the server joins them.
"""

from __future__ import annotations

import base64
import io
import re
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from PIL.Image import Image

from gemma_vision.requests.family import Family
from gemma_vision.requests.validation import TaskError
from gemma_vision.runtime.engine import Chunk, Prompt
from gemma_vision.runtime.remote.concurrent_calls import run_calls
from gemma_vision.runtime.remote.openai_chunks import ChunkReader
from gemma_vision.runtime.remote.openai_server import OpenAiServer

TOP = 20  # tokens that are asked for beside the one that was taken; more vLLM refuses
SIDE_BY_SIDE = 32  # calls that are under way at once
JSON = dict[str, Any]


class OpenAiEngine:
    """Runs prompts of one model of a server. Closing a stream hangs up, which ends the work there.

    family: how the model is asked. The scores of a <loc> count those of its ten neighbours on
    either side that are among the likeliest twenty.
    """

    def __init__(self, server: OpenAiServer, name: str, family: Family) -> None:
        self.name = name
        self._server = server
        self._family = family

    def ready(self) -> bool:
        """Whether the server answers and has the model."""
        return self.name in self._server.models(quietly=True)

    def stream(self, prompts: Sequence[Prompt]) -> Iterator[list[Chunk | None]]:
        """As the calls bring them. Raises RemoteError for a server that fails."""
        over = threading.Event()
        calls = [partial(self._call, self._body(prompt), over) for prompt in prompts]
        return run_calls(calls, over, most=SIDE_BY_SIDE)

    def _call(self, body: JSON, over: threading.Event) -> Iterator[Chunk]:
        reader = ChunkReader(self._family)
        for event in self._server.stream(body, over):
            if (chunk := reader.read(event)) is not None:
                yield chunk
        if not over.is_set():
            yield reader.last()

    def _body(self, prompt: Prompt) -> JSON:
        check_prompt(prompt)
        body: JSON = {
            "model": self.name,
            "messages": messages_of(prompt, self._family),
            "max_tokens": prompt.max_tokens + prompt.thinking,
            "temperature": prompt.temperature,
            "seed": prompt.seed % 2**31,
            "stream": True,
            "logprobs": True,
            "top_logprobs": TOP,
            "skip_special_tokens": False,
            "return_token_ids": True,
        }
        if prompt.budget is not None:
            body["mm_processor_kwargs"] = {"max_soft_tokens": prompt.budget}
        if self._family.can_think:
            body["chat_template_kwargs"] = {"enable_thinking": bool(prompt.thinking)}
        return body


def check_prompt(prompt: Prompt) -> None:
    """Refuse what a server of that API cannot be told."""
    if prompt.pan_and_scan:
        message = "A model elsewhere looks at whole pictures; leave pan-and-scan off."
        raise TaskError(message, "E_PAN_AND_SCAN")
    if prompt.grammar is not None and not getattr(prompt, "is_verified", False):
        message = "A model elsewhere is held to no grammar; ask for plain decoding, or run it here."
        raise TaskError(message, "E_DECODING")


def messages_of(prompt: Prompt, family: Family) -> list[JSON]:
    """A prompt as the messages whose template the server writes: its turns, or all of it in one."""
    images = iter(prompt.images)
    if not family.has_turns:
        parts = [image_part(image) for image in images]
        return [{"role": "user", "content": [*parts, text_part(prompt.text)]}]
    start, end = family.turn
    turns = re.findall(f"{re.escape(start)}(\\w+)\n(.*?){re.escape(end)}", prompt.text, re.DOTALL)
    messages = []
    for role, text in turns:
        count = text.count(family.image_mark)
        parts = [image_part(next(images)) for _ in range(count)]
        words = text.replace(family.image_mark, "")
        if family.think_mark:  # which the server writes itself
            words = words.replace(f"{family.think_mark}\n", "", 1)
        said = {"model": "assistant"}.get(role, role)
        content: Any = [*parts, text_part(words)] if parts else words
        messages.append({"role": said, "content": content})
    return messages


def text_part(text: str) -> JSON:
    """Words as a part of a message."""
    return {"type": "text", "text": text}


def image_part(image: Image) -> JSON:
    """A picture as a part of a message: a data address, nothing of it lost."""
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    address = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    return {"type": "image_url", "image_url": {"url": address}}
