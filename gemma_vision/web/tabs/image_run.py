"""Image run: one visitor's picture asked about, as the page's values. Knows no layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import gradio as gr

from gemma_vision.answers.answer import Answer
from gemma_vision.checkpoints.hub import embedded
from gemma_vision.images.opening import open_image
from gemma_vision.pipeline import Pipeline
from gemma_vision.requests.names import ParsedNames, UnknownNameError
from gemma_vision.requests.options import options_of
from gemma_vision.requests.request import Request
from gemma_vision.requests.tasks import Task
from gemma_vision.web.components.cache_status import cache_status
from gemma_vision.web.components.crops import crops_value
from gemma_vision.web.components.take_home import take_home_value
from gemma_vision.web.forms.form_values import FormValues
from gemma_vision.web.forms.options import read_option_fields
from gemma_vision.web.jobs.events import NamedUpdates
from gemma_vision.web.jobs.guidance import Asked
from gemma_vision.web.jobs.partials import partial_value
from gemma_vision.web.jobs.viewer_value import ViewerState
from gemma_vision.web.jobs.visitor_answers import VisitorAnswer, picture_name
from gemma_vision.web.server.uploads import resolve_upload
from postprocess.filters import Filters

JSON = dict[str, Any]


class Divided:
    """An answer, and what is `kept` of it: without things that were not asked for, where it drops.

    `hidden`: which of the whole answer's instances are not among those that are kept.
    """

    def __init__(self, whole: Answer, *, drops: bool) -> None:
        self.whole = self.kept = whole
        names = whole.request.names if whole.request else ()
        if drops:
            filters = Filters(drop_unasked=frozenset(names))
            found = filters.apply(whole.mentions, whole.instances, whole.size)
            warnings = [*whole.warnings, *found.notices]
            self.kept = replace(
                whole, mentions=found.mentions, instances=found.instances, warnings=warnings
            )
        kept = {id(instance) for instance in self.kept.instances}
        places = enumerate(whole.instances)
        self.hidden = frozenset(place for place, one in places if id(one) not in kept)


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
        self._request: Request | None = None  # none while the names are not known
        self._drops = False
        self._latest: Divided | None = None

    def begin(self) -> NamedUpdates:
        """The picture, and what of it is looked at; at once what is wrong with the names."""
        form, viewer = self._form, self._viewer
        viewer.original = resolve_upload(form.upload)
        viewer.image = open_image(viewer.original)
        options = read_option_fields(self._pipeline.family, form.task, form.options)
        self._wanted = request = Request(viewer.image, form.task, form.text, **options)
        viewer.limit = request.max_tokens
        self._store(None)
        crops: JSON = {"crops": crops_value(None, viewer), "take_home": None}
        try:
            self._request = self._interpret(request)
        except UnknownNameError as error:
            viewer.asked = self._asked(request, error.reading)
            return {**crops, "viewer": viewer.view(None, "empty")}
        viewer.asked = self._asked(request, self._request.reading)
        crops["crops"] = crops_value(request, viewer)
        return {**crops, "viewer": viewer.view(None, "running")}

    def stream(self) -> Iterator[Answer]:
        """The answer while it grows; nothing where the model knows none of the names."""
        if self._request is not None:
            yield from self._pipeline.stream(self._request)

    def updates(self, answer: Answer | None) -> NamedUpdates:
        """The viewer, with the record that is being written."""
        if self._request is None:
            return {}
        if answer is None:
            return {"viewer": self._viewer.view(None, "running")}
        self._latest = Divided(answer, drops=self._drops)
        return {"viewer": self._view("running", partial=self._partial(answer))}

    def finished(self, answer: Answer | None, is_whole: bool) -> NamedUpdates:
        """The viewer, the JSON in its drawer, and what is cached now."""
        if self._request is None:
            return self._over(self._viewer.view(None, "empty"), None)
        if answer is None:
            return self._over(self._viewer.view(None, "stopped"), None) | self._cached()
        if answer.finish is None:
            answer = replace(answer, finish="cancelled", partial=None)
        self._latest = Divided(answer, drops=self._drops)
        state = "stopped" if answer.finish == "cancelled" else "done"
        return self._over(self._view(state), self._latest.kept.to_dict()) | self._cached()

    def failed(self, sentence: str, answer: Answer | None) -> NamedUpdates:
        """The sentence under what was drawn so far; no crops."""
        view = self._view("error", notes=[sentence])
        return self._over(view, None) | {"crops": crops_value(None, self._viewer)}

    def _interpret(self, request: Request) -> Request:
        """The request with its names read. What was not asked for is left out here, not on the
        way, so that it can be brought back.
        """
        read = self._pipeline.interpret(request)
        self._drops = bool(read.drop_unasked)
        return replace(read, drop_unasked=False) if read.spec.names_things else read

    def _asked(self, request: Request, reading: ParsedNames | None) -> Asked:
        return Asked(
            task=str(request.task),
            model=self._pipeline.name,
            limit=request.max_tokens,
            temperature=request.temperature,
            reading=reading,
            names=self._pipeline.names,
            is_demo=self._pipeline.name in embedded(),
        )

    def _view(self, state: str, **more: Any) -> JSON:
        """The viewer's value of the newest answer."""
        if self._latest is None:
            return self._viewer.view(None, state, **more)
        hidden = self._latest.hidden
        return self._viewer.view(self._latest.whole.to_dict(), state, hidden=hidden, **more)

    def _partial(self, answer: Answer) -> JSON | None:
        return partial_value(
            answer.partial,
            answer.image.size,
            answer.policy,
            None if self._form.task == Task.detect else self._pipeline.decoder,
            is_open=any(instance.mask is not None for instance in answer.instances),
        )

    def _over(self, view: JSON, answer: JSON | None) -> JSON:
        drawer = gr.update(visible=answer is not None)
        result = None if answer is None else self._result(answer)
        self._store(result)
        menu = take_home_value(result, self._viewer.run)
        return {"viewer": view, "drawer": drawer, "json": answer, "take_home": menu}

    def _result(self, answer: JSON) -> VisitorAnswer:
        path, request = self._viewer.original, self._wanted
        assert path is not None, "an answer is about a picture"
        return VisitorAnswer(
            answer,
            path,
            picture_name(self._form.upload, path),
            model=self._pipeline.name,
            task=str(request.task),
            text=request.text,
            options=changed_options(request),
        )

    def _cached(self) -> JSON:
        status = cache_status(self._pipeline)
        return {} if status is None else {"cache_status": status}


def changed_options(request: Request) -> JSON:
    """The options of a request that are not as always, by name."""
    values = {one.name: getattr(request, one.name) for one in options_of(request.task)}
    defaults = {one.name: one.default for one in options_of(request.task)}
    return {name: value for name, value in values.items() if value != defaults[name]}
