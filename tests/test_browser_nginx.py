"""24 sessions over two processes of the page behind nginx, four of them in browsers; one ends."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browsing
import httpx
import pytest
import served
from browsing import LAPTOP, PATIENCE, is_enabled, run, viewer
from nginx_front import nginx_before
from playwright.sync_api import Browser, Page
from served import end, free_port, start_process

browser = browsing.browser  # the fixture
pytestmark = [pytest.mark.browser, pytest.mark.slow]

BROWSERS = 4
PROGRAMS = 20
COOKIE = "gemma_vision_page"
SAID = "The process that held your page ended"


class Program:
    """A client that speaks HTTP and keeps its cookies."""

    def __init__(self, address: str) -> None:
        self.http = httpx.Client(base_url=address, timeout=120)

    @property
    def process(self) -> str:
        return str(self.http.cookies[COOKIE])

    def upload(self, picture: Path) -> str:
        """Where the picture is kept, by the process that keeps it."""
        files = {"files": ("picture.png", picture.read_bytes(), "image/png")}
        reply = self.http.post("gradio_api/upload", files=files)
        reply.raise_for_status()
        return str(reply.json()[0])

    def detect(self, path: str) -> httpx.Response:
        """What is asked of a picture that was sent; the answer, or the refusal."""
        file = {"path": path, "meta": {"_type": "gradio.FileData"}}
        asked = self.http.post("gradio_api/call/detect", json={"data": [file, "cat ; dog"]})
        if asked.status_code != 200:
            return asked
        return self.http.get(f"gradio_api/call/detect/{asked.json()['event_id']}")


def things(reply: httpx.Response) -> int:
    """How many things the whole answer of a call has."""
    assert reply.status_code == 200, reply.text
    *_, last = [line for line in reply.text.splitlines() if line.startswith("data: [")]
    answer: dict[str, Any] = json.loads(last.removeprefix("data: "))[0]
    return len(answer["instances"])


def open_page(browser: Browser, address: str, picture: Path) -> Page:
    """A browser of its own, with a picture and its answer."""
    page = browser.new_context(viewport=LAPTOP).new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    page.wait_for_selector("#run")
    page.set_input_files("#picture input[type=file]", picture)
    page.wait_for_selector("#picture img")
    run(page, "cat ; dog")
    assert shown(page) == 2
    return page


def process_of(page: Page) -> str:
    cookies: list[Any] = page.context.cookies()
    return next(str(one["value"]) for one in cookies if one["name"] == COOKIE)


@pytest.fixture
def processes() -> Iterator[dict[str, tuple[int, subprocess.Popen[bytes]]]]:
    """Two processes of the page: the port of each, and itself."""
    both, homes = {}, []
    for name in "ab":
        port, trusts = free_port(), {"GEMMA_VISION_PROXIES": "127.0.0.1"}
        app, process = start_process(port, [served.__file__, str(port)], "ready", trusts)
        both[name] = port, process
        homes.append((process, app.folder.parent))
    yield both
    for process, home in homes:
        end(process, home)


def shown(page: Page) -> int:
    """How many things the viewer has of a whole answer."""
    return int(viewer(page, "done").get_attribute("data-count") or 0)


def test_the_sessions_of_the_other_process_are_unharmed(
    browser: Browser,
    processes: dict[str, tuple[int, subprocess.Popen[bytes]]],
    picture_file: Path,
    tmp_path: Path,
) -> None:
    ports = (port for port, _ in processes.values())
    with nginx_before(tmp_path, *ports) as address:
        pages = [open_page(browser, address, picture_file) for _ in range(BROWSERS)]
        while len({process_of(page) for page in pages}) < 2:  # chance sent all to one
            pages[0].context.close()
            pages[0] = open_page(browser, address, picture_file)
        programs = [Program(address) for _ in range(PROGRAMS)]
        paths = [program.upload(picture_file) for program in programs]
        for program, path in zip(programs, paths, strict=True):
            assert things(program.detect(path)) == 2
        assert {program.process for program in programs} == {"a", "b"}
        homes = [program.process for program in programs]
        processes["a"][1].kill()
        for page in [page for page in pages if process_of(page) == "b"]:
            run(page, "dog")
            assert shown(page) == 2
        for program, path, home in zip(programs, paths, homes, strict=True):
            reply = program.detect(path)
            if home == "b":
                assert things(reply) == 2 and program.process == "b"
            else:
                assert reply.status_code == 502 and SAID in reply.json()["detail"]
        for page in [page for page in pages if process_of(page) == "a"]:
            page.click("#run")
            told = page.locator(".toast-body").first.inner_text()
            assert SAID in told or "E_UPLOAD" in told  # the first refusal took the cookie along
            page.goto(address)
            while SAID in page.content():  # chance may send them there again
                page.get_by_role("link", name="Open it again").click()
                page.wait_for_load_state()
            page.wait_for_selector("#run")
            is_enabled(page, "run")
            assert process_of(page) == "b"
        for page in pages:
            page.context.close()
        for program in programs:
            program.http.close()
