"""Only uploaded and bundled pictures are opened, whatever path a client names."""

from __future__ import annotations

import io
from pathlib import Path

import httpx
import pytest
from PIL import Image
from served import Served
from served import served as start

from gemma_vision.web.server.uploads import EXAMPLES, UploadError, resolve_upload, upload_folder

NO_RULES = (False, None, False, None)  # the last options of /detect


@pytest.fixture(scope="module")
def served() -> Served:
    return start()


@pytest.fixture
def inside() -> Path:
    """A picture where uploads are kept."""
    path = upload_folder() / "0123" / "picture.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (20, 10)).save(path)
    return path


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A picture somewhere else on the server."""
    path = tmp_path / "private.png"
    Image.new("RGB", (20, 10)).save(path)
    return path


def test_an_upload_is_taken_as_a_path_and_as_a_file_object(inside: Path) -> None:
    assert resolve_upload(str(inside)) == inside.resolve()
    assert resolve_upload({"path": str(inside)}) == inside.resolve()


def test_a_bundled_example_is_taken(monkeypatch: pytest.MonkeyPatch, outside: Path) -> None:
    monkeypatch.setattr("gemma_vision.web.server.uploads.EXAMPLES", outside.parent.resolve())
    assert resolve_upload(str(outside)) == outside.resolve()


@pytest.mark.parametrize(
    "file",
    [
        pytest.param("/etc/passwd", id="absolute"),
        pytest.param({"path": "/etc/passwd"}, id="file object"),
        pytest.param("{folder}/../../etc/passwd", id="dots"),
        pytest.param("{folder}", id="a folder"),
        pytest.param("{folder}/nothing.png", id="no such file"),
        pytest.param("{folder}-beside/picture.png", id="a folder that begins alike"),
        pytest.param("{folder}/a\0.png", id="a zero byte"),
        pytest.param({"path": 7}, id="a number"),
        pytest.param({"path": ["{folder}"]}, id="a list"),
        pytest.param("http://example.com/a.png", id="an address"),
    ],
)
def test_any_other_path_is_refused(file: object) -> None:
    if isinstance(file, str):
        file = file.replace("{folder}", str(upload_folder()))
    with pytest.raises(UploadError) as refusal:
        resolve_upload(file)  # type: ignore[arg-type]
    assert refusal.value.code == "E_UPLOAD"


@pytest.mark.parametrize("nothing", [None, "", {}, {"path": ""}])
def test_no_picture_has_a_code_of_its_own(nothing: object) -> None:
    with pytest.raises(UploadError) as refusal:
        resolve_upload(nothing)  # type: ignore[arg-type]
    assert refusal.value.code == "E_NO_IMAGE"


def test_a_link_out_of_the_folder_is_followed_and_refused(outside: Path, inside: Path) -> None:
    link = inside.parent / "link.png"
    link.unlink(missing_ok=True)
    link.symlink_to(outside)
    with pytest.raises(UploadError):
        resolve_upload(str(link))


def test_examples_are_beside_the_code() -> None:
    assert EXAMPLES.name == "examples" and EXAMPLES.parent.name == "web"


def result_of(url: str, name: str, data: list[object]) -> str:
    """What the endpoint says to a raw request: the whole event stream."""
    event = httpx.post(f"{url}gradio_api/call/{name}", json={"data": data}).json()["event_id"]
    return httpx.get(f"{url}gradio_api/call/{name}/{event}", timeout=30).text


def test_a_path_without_meta_is_not_opened(served: Served, outside: Path) -> None:
    """Gradio checks paths only in file objects that carry `meta`; these do not."""
    for image in ({"path": str(outside)}, str(outside)):
        said = result_of(served.url, "detect", [image, "cat", 64, 0, 0, *NO_RULES])
        assert "E_UPLOAD" in said and "instances" not in said


def test_a_path_with_meta_is_not_opened_either(served: Served, outside: Path) -> None:
    image = {"path": str(outside), "meta": {"_type": "gradio.FileData"}}
    said = result_of(served.url, "detect", [image, "cat", 64, 0, 0, *NO_RULES])
    assert "event: error" in said and "instances" not in said


def test_the_page_refuses_a_path_without_meta(served: Served, outside: Path) -> None:
    """The Run handler is private, and reachable by its number all the same."""
    config = httpx.get(f"{served.url}config").json()
    named = {row["props"].get("elem_id"): row["id"] for row in config["components"]}
    rows = [row for row in config["dependencies"] if row["types"]["generator"]]
    (run,) = [row for row in rows if {named["picture"], named["task"]} <= set(row["inputs"])]
    given = {"picture": {"path": str(outside)}, "task": "detect", "words": "cat", "max-tokens": 64}
    by_id = {named[name]: value for name, value in given.items()}
    values = [by_id.get(field) for field in run["inputs"]]
    asked = {"data": values, "fn_index": run["id"], "session_hash": "visitor1"}
    before = len(served.engine()["prompts"])
    assert httpx.post(f"{served.url}gradio_api/queue/join", json=asked).status_code == 200
    with httpx.stream(
        "GET", f"{served.url}gradio_api/queue/data?session_hash=visitor1", timeout=30
    ) as stream:
        lines = []
        for line in stream.iter_lines():
            lines.append(line)
            if "process_completed" in line:
                break
    assert any("no uploaded file" in line for line in lines)
    assert len(served.engine()["prompts"]) == before


def test_the_folder_of_uploads_is_not_listed(served: Served) -> None:
    folder = f"{served.url}gradio_api/file={served.folder}"
    assert httpx.get(folder).status_code in (403, 404)


def test_an_oversized_upload_is_refused(served: Served) -> None:
    body = io.BytesIO(b"\0" * (101 * 2**20))
    answer = httpx.post(f"{served.url}gradio_api/upload", files={"files": body}, timeout=30)
    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["\ud800x", "a" * 5000, "/".join(["b" * 200] * 40)], ids=len)
def test_a_path_that_no_file_can_have_is_refused(path: str) -> None:
    """Found by sending any JSON to every endpoint."""
    with pytest.raises(UploadError, match="no uploaded file"):
        resolve_upload(path)
    with pytest.raises(UploadError, match="no uploaded file"):
        resolve_upload(str(upload_folder() / path))
