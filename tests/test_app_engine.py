"""The app over a model that another program runs: the page is there, and its doors answer."""

from __future__ import annotations

import base64
import io

import httpx
from openai_server import openai_server
from PIL import Image
from served import embedded

GEMMA3 = "google/gemma-3-4b-it"


def test_the_app_answers_with_a_model_elsewhere():
    file = io.BytesIO()
    Image.new("RGB", (64, 48), (9, 99, 199)).save(file, "PNG")
    address = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    picture = {"type": "image_url", "image_url": {"url": address}}
    content = [picture, {"type": "text", "text": "What is this?"}]
    with openai_server(GEMMA3) as server:
        server.tokens = [
            ("a", 1, -0.1, {}),
            (" lawn", 2, -0.2, {}),
            ("<end_of_turn>", 106, 0.0, {}),
        ]
        app = embedded("--engine", f"openai:{server.address}")
        assert httpx.get(f"{app.url}readyz", timeout=60).status_code == 200
        state = httpx.get(f"{app.url}model", timeout=60).json()
        assert (state["id"], state["family"], state["device"]) == (GEMMA3, "gemma3", None)
        assert httpx.get(app.url, timeout=60).status_code == 200
        body = {"model": GEMMA3, "messages": [{"role": "user", "content": content}]}
        reply = httpx.post(f"{app.url}v1/chat/completions", json=body, timeout=60).json()
        assert reply["choices"][0]["message"]["content"] == "a lawn"
        assert server.calls[0]["messages"][0]["content"][1]["text"] == "What is this?"
    assert "Traceback" not in app.log.read_text()
