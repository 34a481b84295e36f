"""A small CVAT for tests: one task of pictures, which speaks as much of its API as the SDK asks."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from PIL import Image
from threaded_server import serving

TASK = 17
TIME = "2026-01-02T03:04:05Z"


class CvatServer(ThreadingHTTPServer):
    """labels: (name, type) of the task, whose ids begin at 101. uploaded: what was annotated."""

    daemon_threads = True

    def __init__(self, images: Sequence[Image.Image], labels: Sequence[tuple[str, str]]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.images, self.labels = images, labels
        self.uploaded: list[dict[str, Any]] = []
        self.tokens: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def task(self) -> dict[str, Any]:
        """The task, with every field that the SDK will not do without."""
        summary = {"count": len(self.labels), "url": f"{self.address}/api/labels?task_id={TASK}"}
        jobs = {"count": 1, "url": "", "completed": 0, "validation": 0}
        return {
            "id": TASK,
            "url": f"{self.address}/api/tasks/{TASK}",
            "name": "things",
            "mode": "annotation",
            "owner": None,
            "assignee": None,
            "project_id": None,
            "bug_tracker": "",
            "created_date": TIME,
            "updated_date": TIME,
            "overlap": 0,
            "segment_size": 100,
            "status": "annotation",
            "data_chunk_size": 100,
            "data_compressed_chunk_type": "imageset",
            "data_original_chunk_type": "imageset",
            "size": len(self.images),
            "image_quality": 70,
            "data": 1,
            "dimension": "2d",
            "subset": "",
            "organization": None,
            "target_storage": None,
            "source_storage": None,
            "jobs": jobs,
            "labels": summary,
        }

    def label(self, number: int) -> dict[str, Any]:
        """A label of the task."""
        name, kind = self.labels[number]
        return {
            "id": 101 + number,
            "name": name,
            "color": "#ff0000",
            "attributes": [],
            "type": kind,
            "sublabels": [],
            "has_parent": False,
            "task_id": TASK,
        }

    def meta(self) -> dict[str, Any]:
        """Which frames there are."""
        frames = [
            {"name": f"{n}.png", "width": one.width, "height": one.height, "related_files": 0}
            for n, one in enumerate(self.images)
        ]
        return {
            "chunk_size": 100,
            "size": len(self.images),
            "image_quality": 70,
            "start_frame": 0,
            "stop_frame": len(self.images) - 1,
            "frame_filter": "",
            "deleted_frames": [],
            "included_frames": None,
            "frames": frames,
            "chunks_updated_date": TIME,
        }

    def chunk(self) -> bytes:
        """Every frame in a zip, as originals come."""
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for number, image in enumerate(self.images):
                picture = io.BytesIO()
                image.save(picture, "PNG")
                archive.writestr(f"{number:06d}.png", picture.getvalue())
        return file.getvalue()


class Handler(BaseHTTPRequestHandler):
    server: CvatServer

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        path, server = urlsplit(self.path), self.server
        place = path.path.rstrip("/")
        server.tokens.append(self.headers.get("Authorization", ""))
        labels = [server.label(number) for number in range(len(server.labels))]
        page = {"count": len(labels), "next": None, "previous": None, "results": labels}
        about = {"name": "CVAT", "description": "", "version": "2.80.0", "logo_url": ""}
        found: dict[str, Any] = {
            "/api/server/about": about | {"subtitle": ""},
            f"/api/tasks/{TASK}": server.task(),
            "/api/labels": page,
            f"/api/tasks/{TASK}/data/meta": server.meta(),
        }
        if place == f"/api/tasks/{TASK}/data":
            assert parse_qs(path.query)["quality"] == ["original"]
            self._reply(200, server.chunk(), "application/zip")
        elif place in found:
            self._reply(200, json.dumps(found[place]).encode())
        else:
            self._reply(404, b"{}")

    def do_PATCH(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.uploaded.append(body)
        empty = {"version": 1, "tags": [], "shapes": [], "tracks": []}
        self._reply(200, json.dumps(empty).encode())

    do_PUT = do_PATCH

    def _reply(self, status: int, data: bytes, kind: str = "application/vnd.cvat+json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def cvat_server(
    images: Sequence[Image.Image], labels: Sequence[tuple[str, str]]
) -> Iterator[CvatServer]:
    """The server while it is needed."""
    with serving(CvatServer(images, labels)) as server:
        yield server
