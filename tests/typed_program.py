"""A user's program with every documented call. Never run: `mypy --strict` reads it in the gate."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

import gemma_vision
import postprocess
from gemma_vision import Answer, Chunk, Pipeline, Prompt, Request, Task, TaskError, Turn
from postprocess import EXPORTERS, MaskDecoder, draw, locate, parse, write

pipeline: Pipeline = gemma_vision.load("tiny", device="cpu", dtype="float32")
image = Image.open("photo.jpg")
answers: list[Answer] = [
    pipeline.detect("photo.jpg", "cat ; dog", drop_repeats=True, min_score=0.5),
    pipeline.segment(image, "cat"),
    pipeline.detect(image, ["cat", "dog"], drop_unasked=None, max_overlap=0.7, seed=3),
    pipeline.segment(torch.zeros(3, 224, 224), ("cat", "dog"), drop_unasked=False),
    pipeline.caption(Path("photo.jpg"), "en", style="describe"),
    pipeline.ask(np.zeros((4, 4, 3), np.uint8), "how many?"),
    pipeline.ocr(b"..."),
    pipeline.free(image, "detect cat"),
    pipeline.chat((image, image), "and this?", turns=[Turn("user", "hi"), Turn("model", "hello")]),
    pipeline.run(Request(image, "detect", "cat", max_tokens=64)),
    pipeline.run(Request(image, Task.detect, "cat")),
    *pipeline.batch([Request("a.jpg", "detect", "cat"), Request([image], "caption")], size=4),
]
for answer in pipeline.stream(Request(image, "segment", "cat")):
    print(answer.finish, [thing.label for thing in answer.instances])
    answer.overlay(opacity=0.3).save("seen.png")
    print(answer.to_dict()["instances"], answer.image.size, answer.size)
read: Answer = gemma_vision.read(
    "<loc0102><loc0102><loc0512><loc0460> cat", (640, 480), max_overlap=0.7
)
read.overlay(image)
boxes: np.ndarray = answers[0].boxes * answers[0].scores[:, None]
labels: list[str] = [label.upper() for label in answers[0].labels]
if (masks := answers[1].masks) is not None:
    print(masks.any(axis=(1, 2)), boxes, labels)
written: list[Path] = answers[0].save("seen.png") + answers[0].save(Path("out"), kind="coco")
print(answers[0], written, gemma_vision.__version__.split("."), pipeline.names)
asked: Request = pipeline.interpret(Request(image, "detect", "the Cats"))
if asked.reading is not None:
    print(asked.names, asked.reading.corrections, asked.reading.alternatives)
print(gemma_vision.models()[0]["id"], pipeline.describe(), pipeline.card)
mentions = parse("<loc0102><loc0200><loc0800><loc0900> cat")
instances = locate(mentions, image.size, MaskDecoder.load("mask_decoder.npz"), policy="bigvision")
draw(image, instances).save("cat.png")
print(write(mentions), EXPORTERS["coco"], postprocess.Notice)
try:
    pipeline.detect(image, "")
except TaskError as error:
    print(error.code)


class Mine:
    """An engine of one's own."""

    name = "mine"

    def ready(self) -> bool:
        return True

    def stream(self, prompts: "list[Prompt]") -> "list[list[Chunk]]":
        raise NotImplementedError
