"""The app as a server of the Model Context Protocol, through its own client."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from served import Served
from served import served as start

pytest.importorskip("mcp", reason="the optional package mcp is not installed")

from fake_engine import fake_pipeline
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from PIL import Image

import gemma_vision
from gemma_vision.requests.tasks import FORM_TASKS, Task
from gemma_vision.web.api import mcp_arguments, mcp_tools
from gemma_vision.web.api.mcp_tools import build_server
from gemma_vision.web.server.uploads import UploadError

ROOT = Path(__file__).parent.parent
BOX = "<loc0102><loc0102><loc0512><loc0460>"
NEAR = "<loc0102><loc0102><loc0512><loc0470>"
FRAME = "<loc0000><loc0000><loc1023><loc1023>"


@pytest.fixture(scope="module")
def served() -> Served:
    return start()


@pytest.fixture
def picture_data(picture_file: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(picture_file.read_bytes()).decode()


def speak(served: Served, talk: Callable[[ClientSession], Awaitable[Any]]) -> Any:
    """What comes of a session with the app."""

    async def inside() -> Any:
        async with streamable_http_client(f"{served.url}mcp") as (read, write, _):
            async with ClientSession(read, write) as session:
                await session.initialize()
                return await talk(session)

    return asyncio.run(inside())


def call(served: Served, name: str, **values: Any) -> Any:
    return speak(served, lambda session: session.call_tool(name, values))


def test_the_tools_are_there_and_say_what_they_take(served: Served) -> None:
    tools = speak(served, lambda session: session.list_tools()).tools
    assert [tool.name for tool in tools] == [*FORM_TASKS, "parse"]
    for tool in tools:
        assert tool.description.endswith(".") and tool.annotations.readOnlyHint
        told = {name: row["description"] for name, row in tool.inputSchema["properties"].items()}
        assert all(sentence.endswith(".") for sentence in told.values()), told
        assert tool.name == "parse" or told.pop("image") == mcp_arguments.PICTURE
        assert "data:" not in json.dumps(told)


def test_a_tool_takes_what_its_endpoint_takes(served: Served) -> None:
    """Same names, same order, same defaults."""
    info = json.loads((ROOT / "tests" / "data" / "info_snapshot.json").read_text())
    for tool in speak(served, lambda session: session.list_tools()).tools:
        rows = info[f"/{tool.name}"]["parameters"]
        taken = tool.inputSchema["properties"]
        assert list(taken) == [row["parameter_name"] for row in rows]
        for row in rows:
            name, has_default = row["parameter_name"], row["parameter_has_default"]
            assert has_default == (name not in tool.inputSchema["required"])
            if has_default:
                assert taken[name]["default"] == row["parameter_default"]


def test_what_goes_over_several_lines_is_told_whole(served: Served) -> None:
    tools = {tool.name: tool for tool in speak(served, lambda session: session.list_tools()).tools}
    overlap = tools["detect"].inputSchema["properties"]["max_overlap"]["description"]
    assert overlap.startswith("Of boxes of one name") and overlap.endswith("null keeps them all.")


@pytest.mark.parametrize(
    "name, words, plain, count",
    [
        pytest.param("detect", {"text": "cat ; dog"}, "", 2, id="detect"),
        pytest.param("segment", {"text": "cat ; dog"}, "", 2, id="segment"),
        pytest.param("caption", {}, "two animals on a lawn", 0, id="caption"),
        pytest.param("ask", {"question": "who?"}, "two animals on a lawn", 0, id="ask"),
        pytest.param("ocr", {}, "two animals on a lawn", 0, id="ocr"),
        pytest.param("free", {"prompt": "detect cat"}, "", 2, id="free"),
    ],
)
def test_a_tool_gives_the_json_of_the_endpoint_as_text(
    served: Served, picture_data: str, name: str, words: dict[str, str], plain: str, count: int
) -> None:
    result = call(served, name, image=picture_data, **words)
    assert not result.isError and result.structuredContent is None
    answer = json.loads(result.content[0].text)
    assert (answer["task"], answer["plain"], answer["finish"]) == (name, plain, "stop")
    assert answer["image"] == {"width": 640, "height": 480}
    assert len(answer["instances"]) == count


def test_parse_needs_no_picture(served: Served) -> None:
    text = "<loc0000><loc0000><loc0512><loc0512> cat"
    result = call(served, "parse", text=text, width=200, height=100)
    (cat,) = json.loads(result.content[0].text)["instances"]
    assert cat["label"] == "cat"


@pytest.mark.parametrize(
    "options, kept, codes",
    [
        pytest.param({}, 4, [], id="everything"),
        pytest.param({"drop_repeats": True}, 3, ["removed_repeat"], id="copies"),
        pytest.param({"max_overlap": 0.8}, 2, ["removed_overlap"] * 2, id="overlaps"),
        pytest.param({"drop_full_frame": True}, 3, ["removed_full_frame"], id="frames"),
    ],
)
def test_a_pasted_answer_is_tidied_on_request(
    served: Served, options: dict[str, Any], kept: int, codes: list[str]
) -> None:
    text = f"{BOX} cat ; {BOX} cat ; {NEAR} cat ; {FRAME} cat"
    result = call(served, "parse", text=text, width=640, height=480, **options)
    answer = json.loads(result.content[0].text)
    told = [one["code"] for one in answer["warnings"] if one["code"].startswith("removed")]
    assert (len(answer["instances"]), told) == (kept, codes)


@pytest.mark.parametrize("name", ["detect", "segment", "free"])
def test_what_is_unsure_is_left_out_on_request(
    served: Served, picture_data: str, name: str
) -> None:
    words = {"prompt": "detect cat"} if name == "free" else {"text": "cat"}
    result = call(served, name, image=picture_data, min_score=0.95, **words)
    answer = json.loads(result.content[0].text)
    assert answer["instances"] == []
    assert [one["code"] for one in answer["warnings"]] == ["removed_score"] * 2


@pytest.mark.parametrize(
    "name, words", [("caption", {}), ("ask", {"question": "who?"}), ("ocr", {})]
)
def test_crops_of_a_long_picture_are_told(tmp_path: Path, name: str, words: dict[str, str]) -> None:
    Image.new("RGB", (800, 300)).save(tmp_path / "long.png")
    data = base64.b64encode((tmp_path / "long.png").read_bytes()).decode()
    image = f"data:image/png;base64,{data}"
    result = call(start("gemma3"), name, image=image, pan_and_scan=True, **words)
    assert len(json.loads(result.content[0].text)["crops"][0]) == 3


@pytest.mark.parametrize(
    "name, options, said",
    [
        pytest.param("caption", {"pan_and_scan": True}, "E_PAN_AND_SCAN: ", id="crops"),
        pytest.param("caption", {"style": "long"}, "E_STYLE: ", id="style"),
        pytest.param("caption", {"region": [0, 0, 1]}, "E_REGION: ", id="region"),
        pytest.param("detect", {"text": "cat", "max_overlap": 2}, "E_MAX_OVERLAP: ", id="overlap"),
    ],
)
def test_what_the_checkpoint_or_the_option_cannot_is_said(
    picture_data: str, name: str, options: dict[str, Any], said: str
) -> None:
    result = call(start("paligemma"), name, image=picture_data, **options)
    assert result.isError and said in result.content[0].text


def test_a_caption_has_a_style_and_a_part(picture_data: str) -> None:
    for options, prompt in (
        ({"style": "cap", "language": "de"}, "cap de"),
        ({"region": [0, 0.25, 1, 0.5]}, "caption <loc0256><loc0000><loc0512><loc1023>"),
    ):
        result = call(start("paligemma"), "caption", image=picture_data, **options)
        assert json.loads(result.content[0].text)["prompt"] == prompt


@pytest.mark.parametrize("data", ["\u00e9", "a", "a b=", "\U0001f431" * 4])
def test_a_damaged_data_address_is_told(served: Served, data: str) -> None:
    result = call(served, "detect", image=f"data:image/png;base64,{data}", text="cat")
    assert result.isError
    assert "E_UPLOAD: The data address is damaged" in result.content[0].text


@pytest.mark.parametrize(
    "head", ["DATA:image/png;BASE64,", "data:;base64,", "Data:IMAGE/PNG;Base64,"]
)
def test_a_data_address_is_read_however_it_is_written(
    served: Served, picture_file: Path, head: str
) -> None:
    """In capitals, in lines, without a kind: as at the door of OpenAI's API."""
    data = base64.encodebytes(picture_file.read_bytes()).decode()
    assert "\n" in data
    result = call(served, "detect", image=head + data, text="cat")
    assert len(json.loads(result.content[0].text)["instances"]) == 2


def test_a_picture_of_many_megabytes_comes_as_a_data_address(
    served: Served, tmp_path: Path
) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (2000, 2000, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    data = (tmp_path / "noise.png").read_bytes()
    assert 12e6 < len(data) < 20e6
    image = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    result = call(served, "detect", image=image, text="cat")
    assert json.loads(result.content[0].text)["image"] == {"width": 2000, "height": 2000}


def test_an_uploaded_file_can_be_named(served: Served, picture_file: Path) -> None:
    with picture_file.open("rb") as file:
        (path,) = httpx.post(f"{served.url}gradio_api/upload", files={"files": file}).json()
    result = call(served, "detect", image=path, text="cat")
    assert len(json.loads(result.content[0].text)["instances"]) == 2


@pytest.mark.parametrize(
    "image, words, code",
    [
        pytest.param("/etc/passwd", "cat", "E_UPLOAD", id="a file of the server"),
        pytest.param("http://127.0.0.1:1/a.png", "cat", "E_UPLOAD", id="an address"),
        pytest.param("data:image/png;base64,!!!", "cat", "E_UPLOAD", id="damaged"),
        pytest.param("data:image/png,abc", "cat", "E_UPLOAD", id="not base64"),
        pytest.param("data:image/png;base64,\u00e9", "cat", "E_UPLOAD", id="other letters"),
        pytest.param("data:image/png;base64,aGVsbG8=", "cat", "E_IMAGE_FORMAT", id="no picture"),
        pytest.param(None, "fail", "E_INTERNAL", id="our own mistake"),
    ],
)
def test_what_cannot_work_is_a_tool_error_with_its_code(
    served: Served, picture_data: str, image: str | None, words: str, code: str
) -> None:
    result = call(served, "detect", image=image or picture_data, text=words)
    assert result.isError and f"{code}: " in result.content[0].text
    assert "secret" not in result.content[0].text


@pytest.mark.parametrize(
    "given, code",
    [
        pytest.param({"text": "cat", "max_token": 5}, "E_ARGUMENTS", id="an unknown name"),
        pytest.param({}, "E_ARGUMENTS", id="no words"),
        pytest.param({"text": ["cat"]}, "E_TEXT", id="a list as words"),
        pytest.param({"text": "cat", "max_tokens": "64"}, "E_MAX_TOKENS", id="a number in quotes"),
        pytest.param({"text": "cat", "drop_repeats": "false"}, "E_DROP_REPEATS", id="a word"),
        pytest.param({"text": "cat", "drop_repeats": 1}, "E_DROP_REPEATS", id="1 for true"),
        pytest.param({"text": "cat", "seed": 0.5}, "E_SEED", id="a half seed"),
        pytest.param({"text": "cat", "image": 5}, "E_UPLOAD", id="a number as the picture"),
    ],
)
def test_arguments_are_taken_as_strictly_as_over_http(
    served: Served, picture_data: str, given: dict[str, Any], code: str
) -> None:
    result = call(served, "detect", **{"image": picture_data} | given)
    assert result.isError and f"{code}: " in result.content[0].text


def test_null_in_an_option_of_a_tool_is_its_default(served: Served, picture_data: str) -> None:
    result = call(served, "detect", image=picture_data, text="cat", max_tokens=None, seed=None)
    assert not result.isError and json.loads(result.content[0].text)["finish"] == "stop"


LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
ACCEPT = {"Accept": "application/json, text/event-stream"}


def test_a_page_elsewhere_cannot_speak_to_the_tools(served: Served) -> None:
    """The body is one that is answered where it comes from this machine."""
    assert httpx.post(f"{served.url}mcp", headers=ACCEPT, json=LIST).is_success
    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
        answer = httpx.post(f"{served.url}mcp", headers=ACCEPT | headers, json=LIST)
        assert answer.status_code == 403


@pytest.mark.parametrize("is_public", [False, True])
def test_the_tools_have_a_guard_of_their_own(is_public: bool) -> None:
    guard = build_server(fake_pipeline(), is_public=is_public).settings.transport_security
    assert guard is not None and guard.enable_dns_rebinding_protection is not is_public
    assert not any("evil" in host or host == "*" for host in guard.allowed_hosts)


@pytest.mark.parametrize(
    "given, said",
    [
        pytest.param({}, "The call lacks image and text; detect takes image, text,", id="nothing"),
        pytest.param({"image": "x"}, "The call lacks text; detect takes", id="no words"),
        pytest.param(
            {"image": "x", "text": "cat", "labels": "cat"},
            "The call has arguments of other names, to be left out; detect takes",
            id="too much",
        ),
        pytest.param(
            {"image": "x", "names": "cat"},
            "The call lacks text and has arguments of other names, to be left out; detect takes",
            id="another name for the words",
        ),
    ],
)
def test_arguments_that_do_not_fit_are_told_by_what_is_lacking(
    served: Served, given: dict[str, Any], said: str
) -> None:
    told = call(served, "detect", **given).content[0].text
    assert f"E_ARGUMENTS: {said}" in told


@pytest.mark.parametrize(
    "image, code",
    [
        pytest.param("https://example.com/cat.jpg", "E_UPLOAD", id="an address"),
        pytest.param("photo.jpg", "E_UPLOAD", id="a file of the caller's"),
        pytest.param("/9j/4AAQSkZJRgABAQ", "E_UPLOAD", id="base64 alone"),
        pytest.param("", "E_NO_IMAGE", id="nothing"),
        pytest.param("data:image/png,abc", "E_UPLOAD", id="not base64"),
    ],
)
def test_what_is_no_picture_is_told_how_to_send_one(served: Served, image: str, code: str) -> None:
    told = call(served, "detect", image=image, text="cat").content[0].text
    assert f"{code}: The " in told and "data:image/png;base64,..." in told


def test_the_server_says_its_own_version_and_how_to_read_an_answer() -> None:
    server = build_server(fake_pipeline())
    assert all(word in server.instructions for word in ("instances", "warnings", "does not know"))
    told = server._mcp_server.create_initialization_options()
    assert (told.server_name, told.server_version) == ("gemma-vision", gemma_vision.__version__)


def test_a_tool_never_quotes_its_caller(served: Served, picture_data: str) -> None:
    result = call(served, "detect", image=picture_data, text="cat", secret_name=5)
    assert result.isError and "secret_name" not in result.content[0].text
    assert "detect takes image, text" in result.content[0].text


def test_the_page_still_answers_after_the_tools(served: Served, picture_file: Path) -> None:
    client = Client(served.url, verbose=False)
    answer = client.predict(handle_file(picture_file), "cat", api_name="/detect")
    assert answer["finish"] == "stop"


def test_only_what_the_checkpoint_can_do_becomes_a_tool() -> None:
    server = build_server(fake_pipeline(tasks=[Task.caption]))
    tools = asyncio.run(server.list_tools())
    assert [tool.name for tool in tools] == ["caption", "parse"]


def test_a_crowd_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mcp_tools, "MAX_WAITING", 0)
    server = build_server(fake_pipeline())
    words = {"text": "cat", "width": 10, "height": 10}
    with pytest.raises(Exception, match="E_BUSY"):
        asyncio.run(server.call_tool("parse", words))


def test_without_the_package_there_are_no_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mcp_tools.importlib.util, "find_spec", lambda name: None)
    assert mcp_tools.offer_tools(None, fake_pipeline()) is False  # type: ignore[arg-type]


def test_a_data_address_is_of_20_mb_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """Told by its length alone: nothing of it is decoded."""
    monkeypatch.setattr(mcp_arguments, "MAX_DATA", 1000)
    head = "data:image/png;base64,"
    assert mcp_arguments.picture(head + "A" * 1000) == bytes(750)
    with pytest.raises(UploadError, match="more than 20 MB"):
        mcp_arguments.picture(head + "A" * 1004)
