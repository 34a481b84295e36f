"""The endpoints for programs: one for each task, made from its row and those of its options.

Every answer grows: clients that stream get it again and again, the others get the whole. Errors
read "E_CODE: a sentence".

No `from __future__ import annotations` here: Gradio reads the hints as they stand.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from inspect import Parameter
from typing import Any

import gradio as gr
import gradio.context

import gemma_vision
from gemma_vision.answers.instance_json import JSON
from gemma_vision.checkpoints.lazy_mask_decoder import NONE
from gemma_vision.images.file_formats import LISTED
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.option import Option
from gemma_vision.requests.option_checks import read_options
from gemma_vision.requests.options import options_of
from gemma_vision.requests.tasks import FORM_TASKS, PARSE, TASKS, TaskSpec
from gemma_vision.web.api.answering import answers, within_time
from gemma_vision.web.api.schema import AnswerJSON, ModelsJSON
from gemma_vision.web.jobs.events import MODEL_QUEUE, QUICK_QUEUE
from gemma_vision.web.server.errors import to_client
from gemma_vision.web.tabs.paste_run import parse_for_visitor

IMAGE = f"The picture, a {LISTED} file."
EXAMPLE = {"path": "photo.jpg", "url": "photo.jpg", "meta": {"_type": "gradio.FileData"}}
PARSE_ABOUT = "Read an answer that was written elsewhere: tokens in, boxes and masks out."
PARSE_TAKES = (
    ("text", str, "The answer, with its <loc> and <seg> tokens or as box_2d JSON."),
    ("width", int, "Width of the picture in pixels."),
    ("height", int, "Height of the picture in pixels."),
)
MASK_DECODER = (
    'Whose mask codes they are: "published" for Google\'s checkpoints, "embedded" for the one that '
    'comes inside, "none" for boxes only.'
)

Endpoint = Callable[..., Any]
Described = tuple[Parameter, str]  # a parameter and what it is


def build_endpoints(pipeline: Pipeline) -> None:
    """Add every endpoint to the Blocks that is being built."""

    def models() -> ModelsJSON:
        """List the checkpoints: what each can do and whether it is here; the loaded one first."""
        loaded = pipeline.describe()
        others = [row for row in gemma_vision.models() if row["id"] != loaded["id"]]
        listed: ModelsJSON = {"models": [loaded, *others]}  # type: ignore[list-item]
        return listed

    for endpoint in task_endpoints(pipeline):
        gr.api(endpoint, api_name=endpoint.__name__, **MODEL_QUEUE)
        show_example_picture()
    gr.api(parse_endpoint(), api_name=PARSE, **QUICK_QUEUE)
    gr.api(models, api_name="models", **QUICK_QUEUE)


def show_example_picture() -> None:
    """The page about the API says `handle_file(...)` for the picture of the endpoint added last.

    Gradio has no way to give an endpoint's parameter an example but this.
    """
    root = gradio.context.Context.root_block
    assert root is not None, "an endpoint is added to an app"
    picture: Any = root.fns[max(root.fns)].inputs[0]
    picture.example_payload = EXAMPLE.copy


def task_endpoints(pipeline: Pipeline) -> list[Endpoint]:
    """What can be asked of a picture, each a generator of the growing answer."""
    return [task_endpoint(pipeline, TASKS[task]) for task in FORM_TASKS]


def task_endpoint(pipeline: Pipeline, spec: TaskSpec) -> Endpoint:
    """The endpoint of one task: the picture, its words, its options."""
    taken = [(parameter("image", gr.FileData), IMAGE)]
    if spec.words:
        taken.append((parameter(spec.words.name, str), spec.words.about))
    taken += [(option_parameter(one), one.describe(spec)) for one in options_of(spec.name)]
    signature = inspect.Signature([one for one, _ in taken], return_annotation=AnswerJSON)

    def endpoint(*given: Any, **named: Any) -> Iterator[JSON]:
        values = signature.bind(*given, **named).arguments
        image = values.pop("image")
        text = values.pop(spec.words.name) if spec.words else ""
        yield from answers(pipeline, image, spec.name, text, **values)

    return described(endpoint, spec.name, spec.about, taken, signature)


def parse_endpoint() -> Endpoint:
    """The endpoint that reads an answer from elsewhere, without a model."""
    taken = [(parameter(name, hint), about) for name, hint, about in PARSE_TAKES]
    taken.append((parameter("mask_decoder", str, NONE), MASK_DECODER))
    taken += [(option_parameter(one), one.describe()) for one in options_of(PARSE)]
    signature = inspect.Signature([one for one, _ in taken], return_annotation=AnswerJSON)

    def endpoint(*given: Any, **named: Any) -> JSON:
        values = signature.bind(*given, **named).arguments
        text, size = values.pop("text"), (values.pop("width"), values.pop("height"))
        decoder = values.pop("mask_decoder", None)
        try:
            decoder = NONE if decoder is None else decoder
            read = partial(parse_for_visitor, text, size, decoder, **read_options(PARSE, values))
            return within_time(read)
        except Exception as error:
            raise to_client(error) from None

    return described(endpoint, PARSE, PARSE_ABOUT, taken, signature)


def parameter(name: str, hint: Any, default: Any = Parameter.empty) -> Parameter:
    """A parameter of an endpoint, by position or by name."""
    return Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=hint)


def option_parameter(option: Option) -> Parameter:
    """An option as a parameter: what its schema says of the type, and its default."""
    hint = list[float] if option.type is tuple else option.type
    return parameter(option.name, hint | None if option.is_nullable else hint, option.default)


def described(
    endpoint: Endpoint,
    name: str,
    about: str,
    taken: Sequence[Described],
    signature: inspect.Signature,
) -> Endpoint:
    """The function under its name, with the signature and the sentences that clients are told."""
    lines = "\n".join(f"    {one.name}: {sentence}" for one, sentence in taken)
    endpoint.__name__ = endpoint.__qualname__ = str(name)
    endpoint.__doc__ = f"{about}\n\nArgs:\n{lines}\n"
    endpoint.__signature__ = signature  # type: ignore[attr-defined]
    hints = {one.name: one.annotation for one, _ in taken}
    endpoint.__annotations__ = hints | {"return": signature.return_annotation}
    return endpoint
