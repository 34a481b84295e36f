"""What visitors upload stays within bounds."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from served import served
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from gemma_vision.web.server import upload_quota
from gemma_vision.web.server.upload_quota import UploadQuota, max_bytes, num_bytes
from gemma_vision.web.server.uploads import UploadError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setattr(upload_quota, "MAX_AGE", -1.0)
    return tmp_path


@pytest.fixture
def client() -> TestClient:
    async def take(request: object) -> PlainTextResponse:
        return PlainTextResponse("taken")

    paths = [Route(path, take, methods=["GET", "POST"]) for path in ("/gradio_api/upload", "/")]
    return TestClient(Starlette(routes=paths, middleware=[Middleware(UploadQuota, limit=1000)]))


def test_uploads_are_taken_while_there_is_room(folder: Path, client: TestClient) -> None:
    (folder / "deep").mkdir()
    (folder / "deep" / "a").write_bytes(b"x" * 999)
    assert client.post("/gradio_api/upload").text == "taken"
    (folder / "b").write_bytes(b"x")
    full = client.post("/gradio_api/upload")
    assert full.status_code == 507 and full.json()["detail"].startswith("E_STORAGE_FULL: ")
    assert client.post("/").text == client.get("/gradio_api/upload").text == "taken"
    (folder / "b").unlink()
    assert client.post("/gradio_api/upload").text == "taken"


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert num_bytes(tmp_path / "none") == 0
    (tmp_path / "gone").symlink_to(tmp_path / "none")
    assert num_bytes(tmp_path) < 1000


@pytest.mark.parametrize("given, expected", [("", 8 * 10**9), ("0.5", 5 * 10**8)])
def test_the_bound_is_a_variable(
    monkeypatch: pytest.MonkeyPatch, given: str, expected: int
) -> None:
    monkeypatch.setenv(upload_quota.VARIABLE, given)
    assert max_bytes() == expected


@pytest.mark.parametrize("given", ["much", "-1", "0", "nan", "inf"])
def test_a_bound_that_is_none_is_said(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv(upload_quota.VARIABLE, given)
    with pytest.raises(UploadError, match=f"{upload_quota.VARIABLE} is '{given}'"):
        max_bytes()


def test_the_app_has_it(picture_file: Path) -> None:
    """Far below its bound, an upload goes through."""
    url = f"{served().url}gradio_api/upload"
    taken = httpx.post(url, files={"files": picture_file.read_bytes()})
    assert taken.status_code == 200 and len(taken.json()) == 1
