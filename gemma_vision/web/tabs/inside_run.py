"""Inside run: one picture followed through the tensors of a checkpoint that runs here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gemma_vision.answers.answer_builder import filters_of
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.request import Request
from gemma_vision.runtime.engine import Prompt
from gemma_vision.web.components.inside import JSON, describe
from gemma_vision.web.forms.form_values import FormValues
from gemma_vision.web.forms.options import read_option_fields
from gemma_vision.web.jobs.events import NamedUpdates
from gemma_vision.web.server.picture_worker import open_picture
from gemma_vision.web.server.uploads import resolve_upload

MAX_TOKENS = 96  # four masks; each token is drawn with its distribution


class InsideJob:
    """One picture and one request. Updates "stages", of which the state is what is known so far."""

    def __init__(self, pipeline: Pipeline, form: FormValues) -> None:
        self._pipeline = pipeline
        self._form = form

    def begin(self) -> NamedUpdates:
        """Open the picture and write the prompt."""
        form, family = self._form, self._pipeline.family
        image = open_picture(resolve_upload(form.upload))
        options = {"max_tokens": MAX_TOKENS, **read_option_fields(family, form.task, form.options)}
        request = Request(image, form.task, form.text, **options)
        request = self._pipeline.interpret(request)
        self._filters = filters_of(request)
        self._prompt = Prompt(
            (image,),
            family.write_prompt(request),
            min(request.max_tokens, MAX_TOKENS),
            request.temperature,
            request.seed,
            pan_and_scan=request.pan_and_scan,
            budget=family.budget_of(request),
            thinking=request.thinking,
        )
        return {}

    def stream(self) -> Iterator[list[JSON]]:
        """All stages so far, again and again. A stage that comes again takes its earlier place."""
        from gemma_vision.inside import trace

        engine: Any = self._pipeline.engine  # one that runs here
        known: dict[str, JSON] = {}
        for stage in trace(engine, self._prompt, self._pipeline.decoder, self._filters):
            known[stage.name] = describe(stage)
            yield list(known.values())

    def updates(self, stages: list[JSON] | None) -> NamedUpdates:
        """The stages while they come."""
        return stages_value("running", stages)

    def finished(self, stages: list[JSON] | None, is_whole: bool) -> NamedUpdates:
        """All stages, or those that were known at Stop."""
        return stages_value("done" if is_whole else "stopped", stages)

    def failed(self, sentence: str, stages: list[JSON] | None) -> NamedUpdates:
        """The sentence above the stages known by then."""
        return stages_value("error", stages, sentence)


def stages_value(state: str, stages: list[JSON] | None, *notes: str) -> NamedUpdates:
    """The update of the component that draws the stages."""
    return {"stages": {"state": state, "notes": list(notes), "stages": stages or []}}
