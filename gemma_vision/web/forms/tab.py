"""Tab: what the page asks of every tab."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import gradio as gr
from gradio.components import Component

from gemma_vision.pipeline import Pipeline
from gemma_vision.web.components.example_strip import strip_value
from gemma_vision.web.forms.carrying import CarriedFields
from gemma_vision.web.forms.task_form import TaskForm
from gemma_vision.web.jobs.events import RUN_AND_STOP, Job, JobRunner, Updates
from gemma_vision.web.jobs.job import MAX_SECONDS, model_lock
from gemma_vision.web.jobs.model_turns import ModelTurns
from gemma_vision.web.jobs.visitor_answers import VisitorAnswers


class Tab:
    """One tab of the page, over the checkpoint that answers.

    `name` is that of its text, "tab_NAME". A tab that `is_optional` is there only while the
    checkpoint has a use for it. `controls`, `lock` and `seconds` are those of its `JobRunner`.
    """

    name: ClassVar[str]
    is_optional: ClassVar[bool] = False
    controls: ClassVar[Sequence[str]] = RUN_AND_STOP
    lock: ClassVar[ModelTurns | None] = model_lock
    seconds: ClassVar[float] = MAX_SECONDS

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.results = VisitorAnswers()  # what can be taken home from here
        self.runner: JobRunner[Any] = JobRunner(
            self.make_job, self.controls, lock=self.lock, seconds=self.seconds
        )

    def build(self) -> None:
        """Lay out the tab and connect it. Called once, inside its gr.Tab."""
        raise NotImplementedError

    def make_job(self, values: Mapping[str, Any], visitor: str) -> Job[Any]:
        """The job that a form's values, by name, ask for; see `JobRunner`."""
        raise NotImplementedError

    def is_useful(self, pipeline: Pipeline) -> bool:
        """Whether the checkpoint can do what the tab is for."""
        return True

    @property
    def chosen(self) -> dict[str, Component]:
        """The fields whose values `refresh` wants to know, by name."""
        return {}

    def refresh(self, pipeline: Pipeline, chosen: Mapping[str, Any]) -> Updates:
        """What the tab's components become for a checkpoint; always the same components.

        What was chosen stays where the checkpoint can do it.
        """
        return {}

    @property
    def carried(self) -> CarriedFields:
        """What goes along from here to another tab, and may come along; asked once it is built."""
        return CarriedFields()

    def leave(self, visitor: str) -> None:
        """Nothing more is worked out for a visitor who has gone, and nothing of theirs is kept."""
        self.runner.leave(visitor)
        self.results.put(visitor, None)


class TaskTab(Tab):
    """A tab with one form for a task and a strip of examples for it, which `build` makes."""

    form: TaskForm
    strip: gr.HTML
    upload: Component | None = None  # where one picture is chosen

    @property
    def carried(self) -> CarriedFields:
        """The picture, the task and its words."""
        fields, fill = self.form.fields, self.form.fill
        words, filled = [fields["words"]], self.form.filled
        return CarriedFields(self.upload, fields["task"], words, fill, filled)

    @property
    def chosen(self) -> dict[str, Component]:
        """The task, and what hangs on it."""
        return self.form.chosen

    def refresh(self, pipeline: Pipeline, chosen: Mapping[str, Any]) -> Updates:
        """The form and the examples."""
        return self.form.refresh(pipeline, chosen) | {
            self.strip: strip_value(self.form.tasks, pipeline.names)
        }
