"""Snippets: a request as code, for each way in that a program has. Knows no page and no model.

The picture is `photo.jpg` wherever it really is, and an option that is as always is left out.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gemma_vision.extras import is_installed
from gemma_vision.requests.options import OPTIONS
from gemma_vision.requests.tasks import PARSE, TASKS

PHOTO = "photo.jpg"
LOCAL = "http://127.0.0.1:7860/"
ADDRESS = re.compile(r"https?://[\w.:\[\]-]+(?:/[\w./~%-]*)?", re.ASCII)


@dataclass(frozen=True)
class Call:
    """What was asked: a task, its words, and the options that are not as always, by name.

    model: the checkpoint's name, for programs that load it; address: where the app answers. An
    answer that is read has the task "parse", and "width", "height" and "mask_decoder" as options.
    """

    task: str
    text: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    model: str = "tiny"
    address: str = LOCAL

    @property
    def has_picture(self) -> bool:
        """Whether a picture goes along."""
        return self.task != PARSE

    @property
    def words(self) -> str | None:
        """What an endpoint calls the text; None where it takes none."""
        words = TASKS[self.task].words if self.has_picture else None
        return words.name if words else None if self.has_picture else "text"

    @property
    def arguments(self) -> dict[str, Any]:
        """What an endpoint takes beside the picture, by name."""
        options = {name: as_json(value) for name, value in self.options.items()}
        return ({self.words: self.text} if self.words else {}) | options

    @property
    def url(self) -> str:
        """The app's address without a slash at its end; that of this machine where it is none."""
        known = ADDRESS.fullmatch(self.address)
        return (self.address if known else LOCAL).rstrip("/")


def write_snippets(call: Call) -> dict[str, str]:
    """The request as code, by language: each runs as it stands beside a picture `photo.jpg`.

    MCP is left out where its package is not installed, for the app answers none then.
    """
    left_out = () if is_installed("mcp") else ("mcp",)
    return {name: write(call) for name, write in WRITERS.items() if name not in left_out}


def write_python(call: Call) -> str:
    """The library, in a program of one's own."""
    given = [f"{name}={python(value)}" for name, value in call.options.items()]
    if call.has_picture:
        given = [quote(PHOTO), *([quote(call.text)] if call.words else []), *given]
        load = f"pipeline = gemma_vision.load({quote(call.model)})\n"
        ask = f"pipeline.{call.task}({', '.join(given)})"
    else:
        decoder = python(call.options["mask_decoder"])
        load = f"text = {quote(call.text)}\n"
        ask = f"gemma_vision.read(text, {size_of(call)}, mask_decoder={decoder})"
    return f"""\
import gemma_vision

{load}answer = {ask}
print(answer.plain)
for thing in answer.instances:
    print(thing.label, thing.box, thing.score)
"""


def write_client(call: Call) -> str:
    """Gradio's client for Python."""
    given = [f"image=handle_file({quote(PHOTO)})"] if call.has_picture else []
    given += [f"{name}={python(value)}" for name, value in call.arguments.items()]
    lines = "".join(f"    {one},\n" for one in [*given, f'api_name="/{call.task}"'])
    names = "Client, handle_file" if call.has_picture else "Client"
    return f"""\
from gradio_client import {names}

client = Client({quote(call.url + "/")}, verbose=False)
answer = client.predict(
{lines})
print(answer["plain"])
for thing in answer["instances"]:
    print(thing["label"], thing["box"], thing["score"])
"""


def write_javascript(call: Call) -> str:
    """Gradio's client for JavaScript, in Node."""
    given = ["image"] if call.has_picture else []
    given += [f"{name}: {quote(value)}" for name, value in call.arguments.items()]
    names, read, image = "Client", "", ""
    if call.has_picture:
        names, read = "Client, handle_file", 'import { readFile } from "node:fs/promises";\n'
        image = f"const image = handle_file(new Blob([await readFile({quote(PHOTO)})]));\n"
    return f"""\
{read}import {{ {names} }} from "@gradio/client";

const client = await Client.connect({quote(call.url + "/")}, {{ events: ["data"] }});
{image}const job = client.submit("/{call.task}", {{ {", ".join(given)} }});
let answer;
for await (const message of job) {{
  if (message.type !== "data") continue;
  [answer] = message.data;
  if (answer.finish) break;
}}
console.log(answer.plain);
for (const thing of answer.instances) console.log(thing.label, thing.box.join(" "), thing.score);
process.exit(0); // the client keeps a connection open
"""


def write_curl(call: Call) -> str:
    """curl in a shell: the picture goes up, the request goes in, the answer is read."""
    rest = json.dumps(call.arguments, ensure_ascii=False)[1:-1].replace("'", "'\\''")
    upload, image = "", ""
    if call.has_picture:
        upload = f"FILE=$(curl -s -F files=@{PHOTO} $URL/gradio_api/upload | tr -d '[]\"')\n"
        image = """"image": {"path": "'$FILE'", "meta": {"_type": "gradio.FileData"}}"""
    wish = ", ".join(part for part in (image, rest) if part)
    return f"""\
URL={shlex.quote(call.url)}
{upload}WISH='{{{wish}}}'
ID=$(curl -s $URL/gradio_api/call/v2/{call.task} -H 'Content-Type: application/json' -d "$WISH" \\
  | sed 's/.*"event_id": *"\\([^"]*\\)".*/\\1/')
curl -sN $URL/gradio_api/call/{call.task}/$ID
"""


def write_mcp(call: Call) -> str:
    """A client of the Model Context Protocol, in Python."""
    image = {"image": 'f"data:image/jpeg;base64,{data}"'} if call.has_picture else {}
    values = image | {name: python(value) for name, value in call.arguments.items()}
    given = "".join(f"{' ' * 16}{quote(name)}: {value},\n" for name, value in values.items())
    read, base64 = "", ""
    if call.has_picture:
        read = f'    data = base64.b64encode(open({quote(PHOTO)}, "rb").read()).decode()\n'
        base64 = "import base64\n"
    return f"""\
import asyncio
{base64}import json

from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client


async def main():
{read}    async with streamable_http_client({quote(call.url + "/mcp")}) as (read, write, _):
        async with ClientSession(read, write) as session:
            await session.initialize()
            wish = {{
{given}            }}
            result = await session.call_tool({quote(str(call.task))}, wish)
            answer = json.loads(result.content[0].text)
            print(answer["plain"])
            for thing in answer["instances"]:
                print(thing["label"], thing["box"], thing["score"])


asyncio.run(main())
"""


def write_command(call: Call) -> str:
    """The command line."""
    text = f" {call.text}" if call.text.startswith("-") else call.text
    if not call.has_picture:
        width, height = size_of(call)
        words = [PARSE, text, "--size", f"{width}x{height}"]
        words += ["--mask-decoder", str(call.options["mask_decoder"])]
        return f"gemma-vision {shlex.join(words)}\n"
    words = [str(call.task), PHOTO, *([text] if call.words else [])]
    words += ["--model", call.model]
    for name, value in call.options.items():
        words += flags(name, value)
    return f"gemma-vision {shlex.join(words)}\n"


def size_of(call: Call) -> tuple[int, int]:
    """(width, height) of the picture that an answer is about."""
    return call.options["width"], call.options["height"]


def flags(name: str, value: Any) -> list[str]:
    """An option as the command line has it.   "max_tokens", 64  ->  --max-tokens 64"""
    flag = name.replace("_", "-")
    if OPTIONS[name].type is bool:
        return [f"--{flag}" if value else f"--no-{flag}"]
    if OPTIONS[name].type is tuple:
        return [f"--{flag}", ",".join(f"{number:g}" for number in value)]
    return [f"--{flag}", str(value)]


def as_json(value: Any) -> Any:
    """An option's value as JSON has it."""
    return list(value) if isinstance(value, tuple) else value


def quote(value: Any) -> str:
    """A value as JSON, which JavaScript reads alike, and Python where it is a text."""
    return json.dumps(value, ensure_ascii=False)


def python(value: Any) -> str:
    """A value as Python reads it."""
    return quote(value) if isinstance(value, str) else repr(value)


WRITERS: Mapping[str, Callable[[Call], str]] = {
    "python": write_python,
    "client": write_client,
    "javascript": write_javascript,
    "curl": write_curl,
    "mcp": write_mcp,
    "command": write_command,
}
