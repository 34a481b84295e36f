"""A model behind a server of OpenAI's API is asked and read as one that runs here."""

from __future__ import annotations

import base64
import io
import json
import logging
import math
import subprocess
import sys
import time

import pytest
from openai_server import openai_server
from PIL import Image

import gemma_vision
from gemma_vision.cli import main
from gemma_vision.registry.engines import guess_family
from gemma_vision.requests.request import Request, Turn
from gemma_vision.requests.validation import TaskError
from gemma_vision.runtime.engine import Engine
from gemma_vision.runtime.remote.openai_server import OpenAiServer, RemoteError

GEMMA3 = "google/gemma-3-4b-it"
GEMMA4 = "google/gemma-4-E2B-it"
PALIGEMMA = "google/paligemma2-3b-mix-224"
PICTURE = Image.new("RGB", (64, 48), (10, 20, 30))
BOX = ("<loc0102>", "<loc0204>", "<loc0512>", "<loc0768>")


def word(text: str, number: int = 1000, score: float = 0.5) -> tuple:
    return (text, number, math.log(score), {})


def position(text: str, near: float = 0.2) -> tuple:
    """A <loc> of probability 0.5, with a neighbour and one that is far off."""
    place = int(text[4:8])
    top = {text: 0.5, f"<loc{place + 3:04d}>": near, f"<loc{(place + 500) % 1024:04d}>": 0.1}
    return (text, 256_000 + place, math.log(0.5), {k: math.log(v) for k, v in top.items()})


@pytest.fixture
def gemma3():
    with openai_server(GEMMA3) as server:
        server.tokens = [word("two"), word(" animals"), word("<end_of_turn>", 106)]
        yield server


@pytest.fixture
def paligemma():
    with openai_server(PALIGEMMA) as server:
        server.tokens = [*map(position, BOX), word(" cat"), word("<eos>", 1)]
        yield server


def pipeline_of(server, name="tiny"):
    return gemma_vision.load(name, engine=f"openai:{server.address}")


def test_a_question_is_answered_from_elsewhere(gemma3):
    pipeline = pipeline_of(gemma3)
    assert isinstance(pipeline.engine, Engine) and pipeline.engine.ready()
    answer = pipeline.ask(PICTURE, "What is this?", max_tokens=9, temperature=0.5, seed=7)
    assert (answer.text, answer.finish, answer.model) == ("two animals", "stop", GEMMA3)
    (call,) = gemma3.calls
    asked = {"model": GEMMA3, "max_tokens": 9, "temperature": 0.5, "seed": 7}
    asked |= {"skip_special_tokens": False, "return_token_ids": True, "logprobs": True}
    assert {name: call[name] for name in asked} == asked
    (message,) = call["messages"]
    picture, text = message["content"]
    assert (message["role"], text["text"]) == ("user", "What is this?")
    data = picture["image_url"]["url"].partition("base64,")[2]
    assert Image.open(io.BytesIO(base64.b64decode(data))).tobytes() == PICTURE.tobytes()


def test_a_conversation_becomes_its_messages(gemma3):
    turns = (
        Turn("system", "Be brief."),
        Turn("user", "What is this?", (PICTURE,)),
        Turn("model", "A lawn."),
    )
    pipeline_of(gemma3).run(Request((PICTURE,), "chat", "And this?", turns=turns))
    messages = gemma3.calls[0]["messages"]
    assert [one["role"] for one in messages] == ["user", "assistant", "user"]
    assert messages[0]["content"][1]["text"] == "Be brief.\n\nWhat is this?"
    assert messages[1]["content"] == "A lawn."
    assert [part["type"] for part in messages[2]["content"]] == ["image_url", "text"]


def test_gemma_4_has_a_system_turn_a_budget_and_thoughts():
    with openai_server(GEMMA4) as server:
        server.tokens = [word("[]"), word("<turn|>", 106)]
        pipeline = pipeline_of(server)
        answer = pipeline.detect(PICTURE, "cat", thinking=64, max_tokens=20)
        assert answer.instances == []
        call = server.calls[0]
        assert call["chat_template_kwargs"] == {"enable_thinking": True}
        assert call["mm_processor_kwargs"] == {"max_soft_tokens": 560}
        assert call["max_tokens"] == 84
        assert "<|think|>" not in json.dumps(call["messages"])


@pytest.mark.parametrize("skips", [False, True], ids=["as asked", "left out of the text"])
def test_boxes_are_read_from_tokens_even_where_the_text_lacks_them(paligemma, skips):
    paligemma.skips_special = skips
    answer = pipeline_of(paligemma).detect(PICTURE, "cat")
    (instance,) = answer.instances
    assert instance.label == "cat" and answer.text == "".join(BOX) + " cat"
    assert instance.box == pytest.approx((12.75, 4.78, 48.0, 24.0), abs=0.01)
    assert instance.score == pytest.approx(0.7, abs=1e-6)  # with its neighbour


def test_ids_alone_are_enough_for_boxes(paligemma):
    paligemma.has_logprobs, paligemma.skips_special = False, True
    assert len(pipeline_of(paligemma).detect(PICTURE, "cat").instances) == 1


def test_text_alone_is_enough_where_a_server_tells_no_more(paligemma):
    paligemma.has_logprobs = paligemma.has_ids = False
    (instance,) = pipeline_of(paligemma).detect(PICTURE, "cat").instances
    assert instance.label == "cat"


def test_a_paligemma_comes_with_a_warning(paligemma, gemma3, caplog):
    with caplog.at_level(logging.WARNING, "gemma_vision"):
        pipeline_of(gemma3)
        assert not caplog.records
        pipeline_of(paligemma)
    assert "boxes and masks may be off" in caplog.text
    prompt = paligemma.calls
    assert prompt == []


def test_a_limit_that_is_reached_is_told(gemma3):
    answer = pipeline_of(gemma3).ask(PICTURE, "What is this?", max_tokens=1)
    assert (answer.text, answer.finish) == ("two", "length")


def test_a_batch_is_as_many_calls(gemma3):
    pipeline = pipeline_of(gemma3)
    requests = [Request(PICTURE, "ask", f"question {n}") for n in range(40)]
    answers = pipeline.batch(requests, size=40)
    assert [one.text for one in answers] == ["two animals"] * 40
    assert len(gemma3.calls) == 40


@pytest.mark.parametrize("fails", [1, 2])
def test_a_call_that_brought_nothing_is_made_again(gemma3, fails):
    gemma3.fails = ["no answer"] * fails
    assert pipeline_of(gemma3).ask(PICTURE, "What is this?").text == "two animals"
    assert len(gemma3.calls) == fails + 1


def test_a_stream_that_breaks_off_is_never_made_again_and_keeps_what_came(gemma3):
    gemma3.fails = ["break off"]
    gemma3.tokens = [word("two"), word(" animals"), word(" more")]
    stream = pipeline_of(gemma3).stream(Request(PICTURE, "ask", "What is this?"))
    told = []
    with pytest.raises(RemoteError, match="broke off") as caught:
        told += stream
    assert caught.value.code == "E_CUT_OFF" and len(gemma3.calls) == 1


@pytest.mark.parametrize(
    "fails, words",
    [(["refuse"], "400: the picture is too large"), (["error"], "out of memory")],
)
def test_what_a_server_says_is_told_on_one_line(gemma3, fails, words):
    gemma3.fails = fails
    gemma3.tokens = [word("a")] * 5
    with pytest.raises(RemoteError, match=words) as caught:
        pipeline_of(gemma3).ask(PICTURE, "What is this?")
    assert "\n" not in str(caught.value)


def test_a_server_that_is_not_there_is_told(gemma3):
    gemma3.shutdown()
    gemma3.server_close()
    with pytest.raises(RemoteError, match="does not answer"):
        pipeline_of(gemma3)
    assert not OpenAiServer(gemma3.address).models(quietly=True)


def test_closing_a_stream_hangs_up(gemma3):
    gemma3.delay.set()
    gemma3.tokens = [word(f" {n}") for n in range(400)]
    stream = pipeline_of(gemma3).stream(Request(PICTURE, "ask", "What is this?", max_tokens=400))
    next(stream)
    stream.close()
    assert gemma3.hung_up.wait(5)
    written = gemma3.written
    time.sleep(0.3)
    assert gemma3.written == written < 100


def test_what_cannot_be_told_to_a_server_is_refused(gemma3):
    request = Request(PICTURE, "ask", "What is this?", pan_and_scan=True)
    with pytest.raises(TaskError, match="pan-and-scan"):
        pipeline_of(gemma3).run(request)


def test_the_key_of_the_environment_is_sent(gemma3, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "abc")
    pipeline_of(gemma3).ask(PICTURE, "What is this?")
    assert gemma3.headers[0]["Authorization"] == "Bearer abc"


@pytest.mark.parametrize(
    "name, family",
    [
        ("google/paligemma-3b-mix-224", "paligemma"),
        ("my/paligemma2-cats", "paligemma2"),
        ("gemma3:4b-it-qat", "gemma3"),
        ("gemma-4-E2B-it-GGUF", "gemma4e"),
        ("models/Gemma_4_26B", "gemma4"),
    ],
)
def test_a_family_is_told_from_a_name(name, family):
    assert guess_family(name).name == family


@pytest.mark.parametrize(
    "engine, words",
    [
        ("vllm", "no engine"),
        ("openai:ftp://127.0.0.1", "no engine"),
        ("openai:http://", "no engine"),
        ("openai:http:///v1", "no address"),
        ("openai:http://127.0.0.1:9/v1", "does not answer"),
    ],
)
def test_the_command_line_says_what_is_wrong_with_an_engine(capsys, picture_file, engine, words):
    assert main(["detect", str(picture_file), "cat", "--engine", engine]) == 2
    assert words in capsys.readouterr().err


def test_the_command_line_asks_elsewhere_without_torch(gemma3, picture_file):
    program = (
        "import sys; from gemma_vision.cli import main; code = main(sys.argv[1:]); "
        "assert 'torch' not in sys.modules; sys.exit(code)"
    )
    words = ["ask", str(picture_file), "What is this?", "--engine", f"openai+{gemma3.address}"]
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["plain"] == "two animals"


def test_a_folder_is_annotated_by_a_model_elsewhere(paligemma, tmp_path, capsys):
    (tmp_path / "in").mkdir()
    for number in range(20):
        PICTURE.save(tmp_path / "in" / f"{number}.png")
    words = ["annotate", str(tmp_path / "in"), "--text", "cat", "--save", str(tmp_path / "out")]
    for _ in range(2):
        assert main([*words, "--engine", f"openai:{paligemma.address}"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["labels"] == {"cat": 20}
        assert told["asked"]["model"] == f"openai:{paligemma.address}"  # which nobody named
    assert len(paligemma.calls) == 20
