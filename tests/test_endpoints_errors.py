"""What the endpoints say when they are given what cannot work."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from served import Served
from served import served as start

MASKS = f"<loc0000><loc0000><loc1023><loc1023> {'<seg001>' * 16} cat ; " * 40


@pytest.fixture(scope="module")
def served() -> Served:
    return start()


@pytest.fixture(scope="module")
def client(served: Served) -> Client:
    return Client(served.url, verbose=False)


@pytest.fixture
def image(picture_file: Path) -> Any:
    return handle_file(str(picture_file))


def write_bomb(path: Path) -> None:
    """A PNG of 40,000 x 40,000 pixels in a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", 40_000, 40_000, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * 5001 * 64)
    end = chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + end)


def write_cut_short(path: Path) -> None:
    Image.effect_noise((300, 300), 80).save(path)
    path.write_bytes(path.read_bytes()[:4000])


@pytest.mark.parametrize(
    "write, code",
    [
        pytest.param(write_bomb, "E_IMAGE_TOO_LARGE", id="a bomb"),
        pytest.param(write_cut_short, "E_IMAGE_UNREADABLE", id="cut short"),
        pytest.param(lambda path: path.write_bytes(b""), "E_IMAGE_EMPTY", id="0 bytes"),
        pytest.param(lambda path: path.write_text("hello"), "E_IMAGE_FORMAT", id="no picture"),
        pytest.param(
            lambda path: path.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>"),
            "E_IMAGE_FORMAT",
            id="svg",
        ),
    ],
)
def test_a_bad_picture_has_a_code_and_a_sentence(
    served: Served, client: Client, tmp_path: Path, write: Any, code: str
) -> None:
    path = tmp_path / "picture.png"
    write(path)
    before = len(served.engine()["prompts"])
    with pytest.raises(AppError, match=f"^{code}: .+[.]$") as error:
        client.predict(handle_file(str(path)), "cat", api_name="/detect")
    assert str(served.folder) not in str(error.value)
    assert len(served.engine()["prompts"]) == before


@pytest.mark.parametrize(
    "words, options, code",
    [
        pytest.param(" ; ", {}, "E_NO_NAMES", id="no names"),
        pytest.param("<image> cat", {}, "E_CONTROL_TOKEN", id="image token"),
        pytest.param("<loc0000>", {}, "E_CONTROL_TOKEN", id="loc token"),
        pytest.param("x" * 5000, {}, "E_TEXT_TOO_LONG", id="too long"),
        pytest.param(7, {}, "E_TEXT", id="a number for words"),
        pytest.param("cat", {"max_tokens": 0}, "E_MAX_TOKENS", id="no tokens"),
        pytest.param("cat", {"max_tokens": "many"}, "E_MAX_TOKENS", id="words for a number"),
        pytest.param("cat", {"temperature": -1}, "E_TEMPERATURE", id="cold"),
        pytest.param("cat", {"seed": 1.5}, "E_SEED", id="half a seed"),
        pytest.param("cat", {"drop_repeats": "no"}, "E_DROP_REPEATS", id="a word for a truth"),
    ],
)
def test_a_bad_wish_has_a_code_and_a_sentence(
    client: Client, image: Any, words: Any, options: dict[str, Any], code: str
) -> None:
    with pytest.raises(AppError, match=f"^{code}: "):
        client.predict(image, words, **options, api_name="/detect")


@pytest.mark.parametrize(
    "changes, code",
    [
        pytest.param({"width": 0}, "E_IMAGE_EMPTY", id="no width"),
        pytest.param({"height": None}, "E_SIZE", id="no height"),
        pytest.param({"drop_repeats": "false"}, "E_DROP_REPEATS", id="a word for a truth"),
        pytest.param({"max_overlap": 10**30}, "E_MAX_OVERLAP", id="far out"),
        pytest.param(
            {"text": MASKS, "width": 16_000, "height": 5_000, "mask_decoder": "embedded"},
            "E_TOO_MANY_MASKS",
            id="masks beyond memory",
        ),
    ],
)
def test_a_paste_that_cannot_work_has_a_code_and_a_sentence(
    client: Client, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(AppError, match=f"^{code}: .+[.]$"):
        client.predict(**{"text": "cat", "width": 9, "height": 9} | changes, api_name="/parse")


def test_a_number_in_quotes_is_told_as_it_came(client: Client) -> None:
    with pytest.raises(AppError, match=r"^E_SIZE: '640' x 480 is no size; give .+ numbers"):
        client.predict(text="cat", width="640", height=480, api_name="/parse")


@pytest.mark.parametrize(
    "name, wish",
    [
        ("parse", {"text": "cat \ud800", "width": 9, "height": 9}),
        ("ask", {"question": "\udfff?"}),
        ("free", {"prompt": "detect \ud800\ud800"}),
    ],
)
def test_half_a_character_has_a_code_and_a_sentence(
    served: Served, picture_file: Path, name: str, wish: dict[str, Any]
) -> None:
    """Escaped in JSON it travels; the Python client cannot send it."""
    if name != "parse":
        files = {"files": ("a.png", picture_file.read_bytes())}
        (path,) = httpx.post(f"{served.url}gradio_api/upload", files=files).json()
        wish = {"image": {"path": path, "meta": {"_type": "gradio.FileData"}}} | wish
    event = httpx.post(
        f"{served.url}gradio_api/call/v2/{name}",
        content=json.dumps(wish),  # escapes what is no ASCII
        headers={"Content-Type": "application/json"},
    ).json()["event_id"]
    told = httpx.get(f"{served.url}gradio_api/call/{name}/{event}", timeout=30).text
    assert "event: error" in told
    assert "E_TEXT: The text holds U+D" in told


def test_what_breaks_inside_is_not_told(client: Client, image: Any) -> None:
    with pytest.raises(AppError, match=r"^E_INTERNAL: ") as error:
        client.predict(image, "fail", api_name="/detect")
    assert "secret" not in str(error.value) and "Runtime" not in str(error.value)


def test_the_app_answers_after_an_error(client: Client, image: Any) -> None:
    with pytest.raises(AppError):
        client.predict(image, "fail", api_name="/detect")
    assert client.predict(image, "cat", api_name="/detect")["finish"] == "stop"


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("https://nonexistent.invalid/cat.jpg", id="no such host"),
        pytest.param("http://127.0.0.1:9/cat.jpg", id="this machine"),
        pytest.param("http://0.0.0.0/cat.jpg", id="no machine"),
    ],
)
def test_an_address_that_cannot_be_fetched_is_the_persons_error(
    client: Client, address: str
) -> None:
    with pytest.raises(AppError, match=r"^E_UPLOAD: .*address could not be fetched"):
        client.predict(handle_file(address), "cat", api_name="/detect")


@pytest.mark.parametrize(
    "path, body, status, said",
    [
        pytest.param("nothing", {"data": []}, 404, "E_ENDPOINT: There is no", id="a list"),
        pytest.param("DETECT", {"data": []}, 404, "E_ENDPOINT: There is no", id="capitals"),
        pytest.param("v2/nothing", {}, 404, "E_ENDPOINT: There is no", id="names"),
        pytest.param("v2/detect", {"cat\ud800": 1}, 422, "E_ARGUMENTS: ", id="half a name"),
        pytest.param("detect", {"data": "\ud800"}, 422, "E_ARGUMENTS: ", id="half a word"),
        pytest.param("detect", {}, 422, "E_ARGUMENTS: ", id="no data"),
        pytest.param("detect", {"data": {"text": "cat"}}, 422, "E_ARGUMENTS: ", id="named data"),
        pytest.param("detect", [], 422, "E_ARGUMENTS: ", id="no object"),
        pytest.param("v2/detect", [], 422, "E_ARGUMENTS: ", id="no names"),
    ],
)
def test_a_call_that_fits_no_endpoint_is_the_callers_mistake(
    served: Served, path: str, body: Any, status: int, said: str
) -> None:
    reply = httpx.post(
        f"{served.url}gradio_api/call/{path}",
        content=json.dumps(body),  # escapes what is no ASCII
        headers={"Content-Type": "application/json"},
    )
    assert reply.status_code == status
    told = reply.json()
    assert f"{told['code']}: {told['message']}".startswith(said)
    assert "codec" not in told["message"]


@pytest.mark.parametrize("route", ["call", "run", "api"])
@pytest.mark.parametrize("name", ["lambda", "lambda_1", "js_fn", "begin"])
def test_what_is_the_pages_own_is_reached_by_no_name(served: Served, route: str, name: str) -> None:
    reply = httpx.post(f"{served.url}gradio_api/{route}/{name}", json={"data": [None]})
    assert reply.status_code == 404


def test_no_handler_of_the_page_has_a_name_that_an_address_can_say(served: Served) -> None:
    config = httpx.get(f"{served.url}config").json()
    private = [one for one in config["dependencies"] if one["api_visibility"] == "private"]
    assert private
    assert all("/" in one["api_name"] for one in private)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"data": ["\xff"]}', id="broken UTF-8"),
        pytest.param(b'{"data": ["\xe7\x8c"', id="half of a character, cut off"),
        pytest.param(b"[" * 100_000, id="nested without end"),
        pytest.param(b"{", id="cut off"),
    ],
)
@pytest.mark.parametrize("path", ["call/detect", "call/v2/detect", "run/detect", "queue/join"])
def test_a_body_that_is_no_json_is_refused_as_everything_is(
    served: Served, path: str, body: bytes
) -> None:
    headers = {"Content-Type": "application/json"}
    reply = httpx.post(f"{served.url}gradio_api/{path}", content=body, headers=headers)
    assert reply.status_code == 422
    assert reply.json()["code"] == "E_ARGUMENTS"
    assert "no JSON" in reply.json()["message"]
