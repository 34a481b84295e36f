"""Tries to have the app read a file of its machine, through every door that there is.

Each try gives what the app said; whether anything came through is told by `Bait`: files whose
content nobody else has, an address of this machine that counts who asks, and pictures of a size of
their own.
"""

from __future__ import annotations

import base64
import io
import os
import threading
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from films import film
from PIL import Image
from served import ROOT, Served

JSON = dict[str, Any]

SECRET = "the-words-of-nobody-else"
SIZE = (77, 33)
ANSWERED = ('"width": 77', '"width":77', r"\"width\": 77")
META = {"_type": "gradio.FileData"}
TOLD = (SECRET, "root:x:0", "GRADIO_TEMP_DIR=", "def build_app", "[project.optional", *ANSWERED)
FORWARDED = (
    {},
    {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "localhost", "X-Real-IP": "::1"},
    {"X-Forwarded-Prefix": "/etc", "X-Forwarded-Proto": "file", "Forwarded": "for=127.0.0.1"},
    {"X-Original-URL": "/etc/passwd", "X-Rewrite-URL": "/gradio_api/file=/etc/passwd"},
)


class Counter(BaseHTTPRequestHandler):
    """Answers nobody, and counts who asked."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(SECRET.encode())

    do_HEAD = do_POST = do_GET

    def log_message(self, *_: object) -> None:
        """Nothing is told."""


@dataclass
class Bait:
    """What must not be read, and whether it was."""

    folder: Path
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "words.txt").write_text(SECRET)
        Image.new("RGB", SIZE, "#123456").save(self.folder / "private.png")
        film(self.folder / "private.mp4", size=(76, 34))
        with zipfile.ZipFile(self.folder / "private.zip", "w") as archive:
            archive.write(self.folder / "private.png", "a.png")
        handler = type("Counting", (Counter,), {"asked": self.asked})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()

    @property
    def files(self) -> list[str]:
        """Files of the machine, by their own names."""
        own = [self.folder / name for name in ("private.png", "words.txt", "private.mp4")]
        own += [self.folder / "private.zip", ROOT / "gemma_vision/web/app.py", ROOT / "app.py"]
        known = ["/etc/passwd", "/proc/self/environ", "/proc/self/cwd/pyproject.toml"]
        return [*map(str, own), *known]

    @property
    def addresses(self) -> list[str]:
        """Addresses of this machine, however they are written."""
        hosts = "127.0.0.1 localhost [::1] 0.0.0.0 2130706433 127.1 0x7f000001 [::ffff:127.0.0.1]"
        return [f"http://{host}:{self.port}/private.png" for host in hosts.split()]

    def names(self, uploads: Path) -> list[str]:
        """Every file under every name that it may be asked for by."""
        inside = str(uploads / ("0" * 64))
        found: list[str] = []
        for path in self.files:
            relative = os.path.relpath(path, uploads)
            found += [
                path,
                f"/{path}",
                path.replace("/", "//"),
                f"/.{path}",
                f"file://{path}",
                f"FILE://localhost{path}",
                f"{uploads}/{relative}",
                f"{inside}/../{relative}",
                os.path.relpath(path, ROOT),
                f"/proc/self/root{path}",
                f"{ROOT}/gemma_vision/web/examples/../../../../../../..{path}",
                f"{path}\0.png",
                f"{path}%00.png",
                quote(path, safe=""),
                quote(quote(path, safe=""), safe=""),
                path.replace("/", "\\"),
                f" {path}",
                f"{path} ",
                f"~root/../..{path}",
            ]
        return [*found, *self.addresses]

    def came_through(self, said: str) -> str:
        """What of it stands in an answer; "" where nothing does."""
        return next((one for one in TOLD if one in said), "")

    def copies(self, uploads: Path) -> list[Path]:
        """Files of ours that lie among the uploads."""
        own = {path.read_bytes() for path in self.folder.iterdir()}
        return [path for path in uploads.rglob("*") if path.is_file() and path.read_bytes() in own]


def by_address(served: Served, names: Sequence[str], client: httpx.Client) -> Iterator[str]:
    """GET and HEAD under every prefix that gives files."""
    prefixes = (
        "gradio_api/file=",
        "gradio_api/file/",
        "file=",
        "gradio_api/proxy=",
        "static/",
        "assets/",
        "svelte/",
        "gradio_api/custom_component/1/client/component/",
        "gradio_api/stream/a/1/1/",
        "gradio_api/deep_link?session_hash=",
        "?deep_link=",
        "config?deep_link=",
        "gradio_api/upload_progress?upload_id=",
        "gradio_api/run-history/records/a/b/assets/",
        "pwa_icon/",
        "v1/models/",
        "",
    )
    for name in names:
        for prefix in prefixes:
            is_query = prefix.endswith("=") and "?" in prefix
            path = quote(name, safe="" if is_query else "/%\\:~") if "\0" in name else name
            if is_query:
                path = quote(name, safe="")
            yield raw(client, served, f"/{prefix}{path}")


def raw(client: httpx.Client, served: Served, target: str) -> str:
    """A path as it stands, which no client tidies up first."""
    url = httpx.URL(served.url).copy_with(raw_path=target.encode("ascii", "replace"))
    if "upload_progress" in target or "heartbeat" in target:
        with client.stream("GET", url) as answer:  # it may never end
            return f"{answer.status_code}"
    answer = client.get(url)
    return answer.text


def files_of(name: str) -> Iterator[Any]:
    """A name as a client may send a file."""
    yield {"path": name}
    yield {"path": name, "meta": META}
    yield name
    yield [{"path": name, "meta": META}, [name]]
    yield {"path": "a.png", "url": name, "meta": META, "orig_name": name}
    yield {"image": {"path": name, "meta": META}, "caption": name}
    yield {"path": "a.png", "data": name, "is_file": True, "name": name}


def by_endpoint(
    served: Served, names: Sequence[str], client: httpx.Client, endpoint: str, words: list[Any]
) -> Iterator[str]:
    """A public endpoint, by position and by name."""
    url = f"{served.url}gradio_api/call"
    for name in names:
        for file in files_of(name):
            asked = client.post(f"{url}/{endpoint}", json={"data": [file, *words]})
            yield result(client, f"{url}/{endpoint}", asked)
        body = {"image": {"path": name}, **({"text": "cat"} if words else {})}
        asked = client.post(f"{url}/v2/{endpoint}", json=body)
        yield result(client, f"{url}/{endpoint}", asked)


def result(client: httpx.Client, url: str, asked: httpx.Response) -> str:
    """What becomes of a call."""
    if asked.status_code != 200:
        return asked.text
    return client.get(f"{url}/{asked.json()['event_id']}").text


def by_event(
    served: Served, names: Sequence[str], client: httpx.Client, config: dict[str, Any]
) -> Iterator[str]:
    """Every event of the page, private ones too, with the name in every place at once."""
    for row in config["dependencies"]:
        for number, name in enumerate(names):
            for kind, file in enumerate(files_of(name)):
                session = f"reader-{row['id']}-{number}-{kind}"
                body: JSON = {"data": [file] * len(row["inputs"]), "fn_index": row["id"]}
                body |= {"session_hash": session, "event_data": {"path": name, "value": file}}
                told = client.post(f"{served.url}gradio_api/queue/join", json=body)
                yield told.text
                if told.status_code == 200:
                    yield until_over(client, served, session)


def until_over(client: httpx.Client, served: Served, session: str) -> str:
    """The messages of a session until its run is over."""
    told = []
    url = f"{served.url}gradio_api/queue/data?session_hash={session}"
    with client.stream("GET", url) as stream:
        for line in stream.iter_lines():
            told.append(line)
            if "process_completed" in line or "close_stream" in line:
                break
    return "\n".join(told)


def by_component(
    served: Served, names: Sequence[str], client: httpx.Client, config: dict[str, Any]
) -> Iterator[str]:
    """The functions of components, and doors that the page does not use."""
    functions = ("ls", "read", "preprocess", "postprocess", "load", "upload", "get", "__init__")
    for name in names:
        for row in config["components"][::9]:
            for function in functions[:3]:
                body = {"component_id": row["id"], "fn_name": function, "session_hash": "a"}
                url = f"{served.url}gradio_api/component_server"
                yield client.post(url, json=body | {"data": [name]}).text
        for door in ("run/detect", "api/detect", "run/predict", "reset", "vibe-edit", "cancel"):
            body = {"data": [{"path": name}, "cat"], "fn_index": 0, "session_hash": name}
            yield client.post(f"{served.url}gradio_api/{door}", json=body).text


def by_upload(served: Served, client: httpx.Client) -> Iterator[str]:
    """Names of uploads that climb, and zips with links and climbing names."""
    for name in ("../../../etc/passwd", "/etc/cron.d/x", "..\\..\\x", "a/../../../x", ".", ".."):
        told = client.post(f"{served.url}gradio_api/upload", files={"files": (name, b"x")})
        yield told.text
        for path in told.json() if told.status_code == 200 else []:
            inside = Path(path).resolve().is_relative_to(served.folder.resolve())
            yield "" if inside else SECRET
    for target in ("/etc/passwd", "../../../../../../etc/passwd"):
        yield linked_zip(served, client, target)


def linked_zip(served: Served, client: httpx.Client, target: str) -> str:
    """A zip that holds a link, as the Batch tab is given it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        link = zipfile.ZipInfo("link.png")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, target)
        archive.writestr(f"{target}.png", target)
    sent = {"files": ("a.zip", file.getvalue())}
    (path,) = client.post(f"{served.url}gradio_api/upload", files=sent).json()
    config = client.get(f"{served.url}config").json()
    named = {row["props"].get("elem_id"): row["id"] for row in config["components"]}
    told = ""
    for row in config["dependencies"]:
        if named.get("batch-files") in row["inputs"] and row["types"]["generator"]:
            session = f"zip-{row['id']}-{len(target)}"
            values = [[{"path": path, "meta": META}] for _ in row["inputs"]]
            body = {"data": values, "fn_index": row["id"], "session_hash": session}
            if client.post(f"{served.url}gradio_api/queue/join", json=body).status_code == 200:
                told += until_over(client, served, session)
    return told


def by_tool(served: Served, names: Sequence[str], client: httpx.Client) -> Iterator[str]:
    """The tools for assistants."""
    headers = {"accept": "application/json, text/event-stream"}
    for name in names:
        for tool in ("detect", "caption"):
            given = {"image": name} | ({"text": "cat"} if tool == "detect" else {})
            params = {"name": tool, "arguments": given}
            body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
            for door in ("mcp", "gradio_api/mcp"):
                yield client.post(f"{served.url}{door}", json=body, headers=headers).text
        body = {"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": name}}
        yield client.post(f"{served.url}mcp", json=body, headers=headers).text


def by_chat(served: Served, names: Sequence[str], client: httpx.Client) -> Iterator[str]:
    """The door of OpenAI's API."""
    for name in names:
        hidden = base64.b64encode(name.encode("utf-8", "replace")).decode()
        for url in (name, f"file://{name}", f"data:image/png;base64,{hidden}", f"data:,{name}"):
            part = {"type": "image_url", "image_url": {"url": url}}
            content = [part, {"type": "text", "text": "detect cat"}]
            body = {"model": "fake", "messages": [{"role": "user", "content": content}]}
            yield client.post(f"{served.url}v1/chat/completions", json=body).text
            body["model"] = name
            yield client.post(f"{served.url}v1/chat/completions", json=body).text
