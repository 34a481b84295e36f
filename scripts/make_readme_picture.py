"""Take the README's picture: the app with the embedded checkpoint, its first example answered."""

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import ViewportSize, sync_playwright

ROOT = Path(__file__).parents[1]
PORT = "7869"
ADDRESS = f"http://127.0.0.1:{PORT}"
SIZE: ViewportSize = {"width": 1280, "height": 800}


def wait_for_app() -> None:
    """Until the page is served, a minute at most."""
    for _ in range(120):
        try:
            urllib.request.urlopen(ADDRESS, timeout=1).close()
            return
        except OSError:
            time.sleep(0.5)
    raise TimeoutError(f"nothing answered at {ADDRESS}")


def take_screenshot(out: Path) -> None:
    """Click the first example, wait for its answer, and save what is seen."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page(viewport=SIZE)
        page.goto(ADDRESS)
        page.locator(".gv-examples button").first.click()
        page.locator("#picture img").wait_for()
        page.locator("#run").click()
        page.get_by_text("Done").first.wait_for()
        page.evaluate("scrollTo(0, 0)")  # the example may have been below the edge
        page.mouse.move(5, 5)
        time.sleep(1)
        page.screenshot(path=out)
        browser.close()


if __name__ == "__main__":
    environment = os.environ | {"GRADIO_SERVER_PORT": PORT}
    app = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment)
    try:
        wait_for_app()
        take_screenshot(ROOT / "docs" / "result.png")
    finally:
        app.terminate()
        app.wait()
