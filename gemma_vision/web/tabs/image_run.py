"""Image run: one visitor's picture asked about, as the page's values. Knows no layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from gemma_vision.answers.answer import Answer
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.request import Request
from gemma_vision.web.components.cache_status import cache_status
from gemma_vision.web.components.crops import crops_value
from gemma_vision.web.forms.answer_panel import panel_values
from gemma_vision.web.forms.form_values import FormValues
from gemma_vision.web.forms.options import read_option_fields
from gemma_vision.web.jobs.events import NamedUpdates
from gemma_vision.web.jobs.image_answer import ImageAnswer
from gemma_vision.web.jobs.viewer_value import ViewerState
from gemma_vision.web.jobs.visitor_answers import VisitorAnswer, picture_name
from gemma_vision.web.server.picture_worker import open_picture
from gemma_vision.web.server.uploads import resolve_upload

JSON = dict[str, Any]


class ImageJob:
    """One picture and one request. Updates "viewer", "crops", "drawer", "json", "take_home" and
    "cache_status".

    store: takes the result once there is one, and None while there is none.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        form: FormValues,
        store: Callable[[VisitorAnswer | None], None] = lambda result: None,
    ) -> None:
        self._pipeline = pipeline
        self._form = form
        self._store = store
        self._viewer = ViewerState(task=form.task)
        self._run: ImageAnswer | None = None  # once the form is checked

    def begin(self) -> NamedUpdates:
        """The picture, and what of it is looked at; at once what is wrong with the names."""
        form, viewer = self._form, self._viewer
        viewer.original = path = resolve_upload(form.upload)
        viewer.image = open_picture(path)
        options = read_option_fields(self._pipeline.family, form.task, form.options)
        request = Request(viewer.image, form.task, form.text, **options)
        self._store(None)
        name = picture_name(form.upload, path)
        self._run = run = ImageAnswer(self._pipeline, request, viewer, name)
        crops = crops_value(run.request, viewer)
        return {"crops": crops, "take_home": None, "viewer": run.running(None)}

    def stream(self) -> Iterator[Answer]:
        """The answer while it grows; nothing where the model knows none of the names."""
        return self._begun.stream()

    def updates(self, answer: Answer | None) -> NamedUpdates:
        """The viewer, with the record that is being written."""
        if answer is not None and self._begun.request:
            self._begun.take(answer)  # so that a failure leaves what was drawn
        return {"viewer": self._begun.running(answer)} if self._begun.request else {}

    def finished(self, answer: Answer | None, is_whole: bool) -> NamedUpdates:
        """The viewer, the JSON in its drawer, and what is cached now."""
        return {**self._over(self._begun.ended(answer)), **self._cached()}

    def failed(self, sentence: str, answer: Answer | None) -> NamedUpdates:
        """The sentence under what was drawn so far; no crops."""
        show = self._run.view if self._run else self._show_nothing
        self._run = None
        view = show("error", notes=[sentence])
        return {**self._over(view), "crops": crops_value(None, self._viewer)}

    @property
    def _begun(self) -> ImageAnswer:
        assert self._run is not None, "a job begins before anything else"
        return self._run

    def _show_nothing(self, state: str, **more: Any) -> JSON:
        return self._viewer.view(None, state, **more)

    def _over(self, view: JSON) -> NamedUpdates:
        result = self._run.result() if self._run else None
        self._store(result)
        return panel_values(view, result)

    def _cached(self) -> JSON:
        status = cache_status(self._pipeline)
        return {} if status is None else {"cache_status": status}
