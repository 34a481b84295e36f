"""Image run: one visitor's picture asked about, as the page's values. Knows no layout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr

from gemma_vision.answers.answer import Answer
from gemma_vision.images.opening import open_image
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.request import Request
from gemma_vision.web.components.cache_status import cache_status
from gemma_vision.web.components.crops import crops_value
from gemma_vision.web.forms.form_values import FormValues
from gemma_vision.web.forms.options import read_option_fields
from gemma_vision.web.jobs.events import NamedUpdates
from gemma_vision.web.jobs.partials import partial_value
from gemma_vision.web.jobs.viewer_value import ViewerState
from gemma_vision.web.server.uploads import resolve_upload

JSON = dict[str, Any]


class ImageJob:
    """One picture and one request. Updates "viewer", "crops", "drawer", "json", "cache_status"."""

    def __init__(self, pipeline: Pipeline, form: FormValues) -> None:
        self._pipeline = pipeline
        self._form = form
        self._viewer = ViewerState(task=form.task)

    def begin(self) -> NamedUpdates:
        """The picture, and what of it is looked at."""
        form, viewer = self._form, self._viewer
        viewer.original = resolve_upload(form.upload)
        viewer.image = open_image(viewer.original)
        options = read_option_fields(self._pipeline.family, form.task, form.options)
        self._request = Request(viewer.image, form.task, form.text, **options)
        viewer.limit = self._request.max_tokens
        return {"viewer": viewer.view(None, "running"), "crops": crops_value(self._request, viewer)}

    def stream(self) -> Iterator[Answer]:
        """The answer while it grows."""
        return self._pipeline.stream(self._request)

    def updates(self, answer: Answer | None) -> NamedUpdates:
        """The viewer, with the record that is being written."""
        partial = None
        if answer is not None:
            self._viewer.newest = answer.to_dict()
            partial = self._partial(answer)
        return {"viewer": self._viewer.view(self._viewer.newest, "running", partial=partial)}

    def finished(self, answer: Answer | None, is_whole: bool) -> NamedUpdates:
        """The viewer, the JSON in its drawer, and what is cached now."""
        if answer is None:
            return self._over(self._viewer.view(None, "stopped"), None) | self._cached()
        if answer.finish is None:
            answer = replace(answer, finish="cancelled", partial=None)
        found = answer.to_dict()
        state = "stopped" if answer.finish == "cancelled" else "done"
        return self._over(self._viewer.view(found, state), found) | self._cached()

    def failed(self, sentence: str, answer: Answer | None) -> NamedUpdates:
        """The sentence under what was drawn so far; no crops."""
        view = self._viewer.view(self._viewer.newest, "error", notes=[sentence])
        return self._over(view, None) | {"crops": crops_value(None, self._viewer)}

    def _partial(self, answer: Answer) -> JSON | None:
        return partial_value(
            answer.partial,
            answer.image.size,
            answer.policy,
            self._pipeline.decoder,
            is_open=any(instance.mask is not None for instance in answer.instances),
        )

    def _over(self, view: JSON, answer: JSON | None) -> JSON:
        return {"viewer": view, "drawer": gr.update(visible=answer is not None), "json": answer}

    def _cached(self) -> JSON:
        status = cache_status(self._pipeline)
        return {} if status is None else {"cache_status": status}
