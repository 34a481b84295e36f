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

from gemma_vision.requests.options import OPTIONS
from gemma_vision.requests.tasks import TASKS

PHOTO = "photo.jpg"
LOCAL = "http://127.0.0.1:7860/"
ADDRESS = re.compile(r"https?://[\w.:\[\]-]+(?:/[\w./~%-]*)?", re.ASCII)


@dataclass(frozen=True)
class Call:
    """What was asked: a task, its words, and the options that are not as always, by name.

    model: the checkpoint's name, for programs that load it; address: where the app answers.
    """

    task: str
    text: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    model: str = "tiny"
    address: str = LOCAL

    @property
    def arguments(self) -> dict[str, Any]:
        """What an endpoint takes beside the picture, by name."""
        words = TASKS[self.task].words
        options = {name: as_json(value) for name, value in self.options.items()}
        return ({words.name: self.text} if words else {}) | options

    @property
    def url(self) -> str:
        """The app's address without a slash at its end; that of this machine where it is none."""
        known = ADDRESS.fullmatch(self.address)
        return (self.address if known else LOCAL).rstrip("/")


def write_snippets(call: Call) -> dict[str, str]:
    """The request as code, by language: each runs as it stands beside a picture `photo.jpg`."""
    return {language: write(call) for language, write in WRITERS.items()}


def write_python(call: Call) -> str:
    """The library, in a program of one's own."""
    given = [quote(PHOTO), *([quote(call.text)] if TASKS[call.task].words else [])]
    given += [f"{name}={python(value)}" for name, value in call.options.items()]
    return f"""\
import gemma_vision

pipeline = gemma_vision.load({quote(call.model)})
answer = pipeline.{call.task}({", ".join(given)})
print(answer.plain)
for thing in answer.instances:
    print(thing.label, thing.box, thing.score)
"""


def write_client(call: Call) -> str:
    """Gradio's client for Python."""
    given = [f"image=handle_file({quote(PHOTO)})"]
    given += [f"{name}={python(value)}" for name, value in call.arguments.items()]
    lines = "".join(f"    {one},\n" for one in [*given, f'api_name="/{call.task}"'])
    return f"""\
from gradio_client import Client, handle_file

client = Client({quote(call.url + "/")}, verbose=False)
answer = client.predict(
{lines})
print(answer["plain"])
for thing in answer["instances"]:
    print(thing["label"], thing["box"], thing["score"])
"""


def write_javascript(call: Call) -> str:
    """Gradio's client for JavaScript, in Node."""
    given = "".join(f", {name}: {quote(value)}" for name, value in call.arguments.items())
    return f"""\
import {{ readFile }} from "node:fs/promises";
import {{ Client, handle_file }} from "@gradio/client";

const client = await Client.connect({quote(call.url + "/")}, {{ events: ["data"] }});
const image = handle_file(new Blob([await readFile({quote(PHOTO)})]));
const job = client.submit("/{call.task}", {{ image{given} }});
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
    comma = ", " if rest else ""
    return f"""\
URL={shlex.quote(call.url)}
FILE=$(curl -s -F files=@{PHOTO} $URL/gradio_api/upload | tr -d '[]"')
WISH='{{"image": {{"path": "'$FILE'", "meta": {{"_type": "gradio.FileData"}}}}{comma}{rest}}}'
ID=$(curl -s $URL/gradio_api/call/v2/{call.task} -H 'Content-Type: application/json' -d "$WISH" \\
  | sed 's/.*"event_id": *"\\([^"]*\\)".*/\\1/')
curl -sN $URL/gradio_api/call/{call.task}/$ID
"""


def write_mcp(call: Call) -> str:
    """A client of the Model Context Protocol, in Python."""
    given = "".join(
        f"            {quote(name)}: {python(value)},\n" for name, value in call.arguments.items()
    )
    return f"""\
import asyncio
import base64
import json

from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client


async def main():
    data = base64.b64encode(open({quote(PHOTO)}, "rb").read()).decode()
    async with streamable_http_client({quote(call.url + "/mcp")}) as (read, write, _):
        async with ClientSession(read, write) as session:
            await session.initialize()
            wish = {{
                "image": f"data:image/jpeg;base64,{{data}}",
{given.replace("            ", "                ")}\
            }}
            result = await session.call_tool({quote(str(call.task))}, wish)
            answer = json.loads(result.content[0].text)
            print(answer["plain"])
            for thing in answer["instances"]:
                print(thing["label"], thing["box"], thing["score"])


asyncio.run(main())
"""


def write_command(call: Call) -> str:
    """The command line."""
    words = [str(call.task), PHOTO]
    if TASKS[call.task].words:
        words.append(f" {call.text}" if call.text.startswith("-") else call.text)
    words += ["--model", call.model]
    for name, value in call.options.items():
        words += flags(name, value)
    return f"gemma-vision {shlex.join(words)}\n"


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
