"""A prompt in a person's own words is known to be a taught one, word for word, or none."""

from __future__ import annotations

import pytest
from PIL import Image

import gemma_vision
from gemma_vision.requests.interpretation.prompt_set import PromptSet
from gemma_vision.requests.interpretation.questions import FORMS, QuestionSet
from gemma_vision.web.forms.form_values import FormValues
from gemma_vision.web.jobs.events import NamedUpdates
from gemma_vision.web.server.uploads import upload_folder
from gemma_vision.web.tabs.image_run import ImageJob

WORDING = {
    "detect": "detect {names}",
    "caption": "caption {language}",
    "region": "caption {region}",
    "ask": "answer {language} {text}",
    "ocr": "ocr",
    "free": "{text}",
}
TAUGHT = PromptSet(WORDING, ("en", "ja"), QuestionSet(tuple(FORMS), ("cat", "traffic light")))


@pytest.mark.parametrize(
    "prompt, names",
    [
        ("detect cat", ("cat",)),
        (" detect traffic light ; cat\n", ("traffic light", "cat")),
        ("caption ja", ()),
        ("answer en is there a cat?", ()),
        ("ocr", ()),
        ("", None),
        ("hello", None),
        ("detect", None),
        ("detect dog", None),
        ("detect cat ; dog", None),
        ("detect cat;cat", None),
        ("DETECT cat", None),
        ("detect Cat", None),
        ("caption", None),
        ("caption fr", None),
        ("caption en please", None),
        ("answer en is there a dog?", None),
        ("answer en Is there a cat", None),
        ("is there a cat?", None),
        ("detect cat\ndetect cat", None),
    ],
)
def test_a_prompt_is_taught_or_it_is_not(prompt: str, names: tuple[str, ...] | None) -> None:
    assert TAUGHT.read(prompt) == names


def test_a_prompt_is_of_the_task_whose_words_it_has() -> None:
    assert TAUGHT.is_of("caption", "caption ja") and not TAUGHT.is_of("caption", "caption fr")
    assert TAUGHT.is_of("ask", "answer en is there a cat?")
    assert not TAUGHT.is_of("caption", "answer en is there a cat?")


def test_examples_are_taught() -> None:
    examples = ["detect cat", "caption en", "answer en how many cats are there?", "ocr"]
    assert TAUGHT.examples == examples
    assert all(TAUGHT.read(one) is not None for one in examples)


def run(prompt: str) -> NamedUpdates:
    """What the Image tab shows in the end for a free prompt about a picture without a thing."""
    folder = upload_folder() / "prompt-set"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "sky.png"
    Image.new("RGB", (64, 64), (0x77, 0xAA, 0xDD)).save(path)
    form = FormValues({"path": str(path)}, "free", prompt)
    job = ImageJob(gemma_vision.load("tiny"), form)
    job.begin()
    return job.finished(list(job.stream())[-1], True)


@pytest.mark.parametrize(
    "prompt, line",
    [
        ("detect cat", "nothing_demo"),
        ("caption en", "blank_caption_demo"),
        ("hello world", "untaught_free"),
    ],
)
def test_the_page_tells_what_the_embedded_checkpoint_was_taught(prompt: str, line: str) -> None:
    guidance = run(prompt)["viewer"]["guidance"]
    assert [one["say"] for one in guidance] == [line]
    asks = [chip["ask"] for chip in guidance[0]["chips"]]
    texts = ["detect cat", "segment cat", "caption en", "answer en how many cats are there?"]
    wanted = [{"task": "free", "text": text} for text in texts]
    assert asks == (wanted if line == "untaught_free" else [])
