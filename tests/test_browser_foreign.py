"""A page from elsewhere, in a real browser, against an app on this machine: nothing goes through.

Three hosts: the app under its own name; a page of another name on another port; and a name that
was pointed at this machine after the page of it had been loaded, on the app's own port.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from browsing import CHROMIUM, PATIENCE
from playwright.sync_api import Browser, Page, sync_playwright
from served import Served
from served import served as start

pytestmark = pytest.mark.browser

ELSEWHERE, POINTED = "elsewhere.example", "pointed.example"

# A request that a page sends, and what it learns of the answer.
SEND = """async ([url, options]) => {
  try {
    const answer = await fetch(url, options);
    return { type: answer.type, status: answer.status, text: (await answer.text()).slice(0, 200) };
  } catch (error) {
    return { refused: String(error) };
  }
}"""
UPLOAD = """async (url) => {
  const form = new FormData();
  form.append("files", new Blob(["stolen"]), "stolen.png");
  const options = { method: "POST", body: form, mode: "no-cors" };
  try { const answer = await fetch(url, options); return answer.type; }
  catch (error) { return "refused"; }
}"""
# What a form can send without asking first.
JOIN = {
    "method": "POST",
    "mode": "no-cors",
    "headers": {"Content-Type": "text/plain"},
    "body": '{"data": ["<loc0000>", 9, 9, "none"]}',
}


class Blank(BaseHTTPRequestHandler):
    """An empty page at every address."""

    def do_GET(self) -> None:
        page = b"<!doctype html><title>elsewhere</title><body></body>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *given: object) -> None:
        """Be quiet."""


@pytest.fixture(scope="module")
def served() -> Served:
    return start()


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Blank)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://{ELSEWHERE}:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser to which both names are this machine."""
    names = ", ".join(f"MAP {name} 127.0.0.1" for name in (ELSEWHERE, POINTED))
    arguments = ["--no-sandbox", f"--host-resolver-rules={names}"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture
def foreign(browser: Browser, elsewhere: str) -> Iterator[Page]:
    """A page from elsewhere."""
    context = browser.new_context()
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(elsewhere)
    yield page
    context.close()


def stored(served: Served) -> set[str]:
    folder = served.folder
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def test_it_reads_nothing(foreign: Page, served: Served) -> None:
    for path in ("", "config", "model", "gradio_api/info", "metrics", "healthz"):
        for mode in ("cors", "no-cors"):
            told = foreign.evaluate(SEND, [f"{served.url}{path}", {"mode": mode}])
            assert "refused" in told or (told["type"], told["text"]) == ("opaque", ""), path


def test_it_uploads_nothing(foreign: Page, served: Served) -> None:
    before = stored(served)
    foreign.evaluate(UPLOAD, f"{served.url}gradio_api/upload")
    assert stored(served) == before


@pytest.mark.parametrize("path", ["gradio_api/call/parse", "gradio_api/queue/join", "mcp"])
def test_it_has_nothing_done(foreign: Page, served: Served, path: str) -> None:
    """The answer is hidden from it; that nothing was done is told by the app's own numbers."""
    before = refused(served)
    foreign.evaluate(SEND, [f"{served.url}{path}", JOIN])
    assert refused(served) == before + 1


def refused(served: Served) -> int:
    """How many requests the app has refused since it began."""
    numbers = httpx.get(f"{served.url}metrics").text
    return int(numbers.split('responses_total{status="4xx"} ')[1].split("\n")[0])


def test_it_shows_the_app_in_no_frame(foreign: Page, served: Served) -> None:
    foreign.evaluate(
        "(url) => { const f = document.createElement('iframe'); f.src = url;"
        " document.body.append(f); }",
        served.url,
    )
    foreign.wait_for_timeout(1500)
    (frame,) = foreign.frames[1:]
    assert frame.url.startswith("chrome-error:") or frame.locator("#run").count() == 0


def test_it_embeds_nothing_of_the_app(foreign: Page, served: Served) -> None:
    script = """(url) => new Promise((done) => {
      const one = document.createElement("script");
      one.src = url; one.onload = () => done("read"); one.onerror = () => done("refused");
      document.body.append(one);
    })"""
    assert foreign.evaluate(script, f"{served.url}config") == "refused"


def test_a_name_that_is_pointed_here_later_reaches_nothing(
    browser: Browser, served: Served
) -> None:
    """DNS rebinding: to the browser the page and the app are of one origin."""
    url = served.url.replace("127.0.0.1", POINTED)
    context = browser.new_context()
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    shown = page.goto(url)  # a document of that name, whatever stands in it
    assert shown is not None and shown.status == 403
    before = stored(served)
    for path, options in [("config", {}), ("model", {}), ("gradio_api/info", {})]:
        told: dict[str, Any] = page.evaluate(SEND, [f"{url}{path}", options])
        assert told["status"] == 403 and "E_ORIGIN" in told["text"], path
    for path in ("gradio_api/call/parse", "gradio_api/queue/join", "mcp", "model/token"):
        told = page.evaluate(SEND, [f"{url}{path}", JOIN | {"mode": "cors"}])
        assert told["status"] == 403 and "E_ORIGIN" in told["text"], path
    page.evaluate(UPLOAD, f"{url}gradio_api/upload")
    assert stored(served) == before
    context.close()


def test_the_apps_own_page_is_not_refused(browser: Browser, served: Served) -> None:
    """Or the refusals above would say nothing."""
    context = browser.new_context()
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(served.url)
    told = page.evaluate(SEND, [f"{served.url}gradio_api/call/parse", {**JOIN, "mode": "cors"}])
    assert told["status"] != 403
    before = stored(served)
    assert page.evaluate(UPLOAD, f"{served.url}gradio_api/upload") == "basic"
    assert len(stored(served)) == len(before) + 1
    context.close()
