"""Program: the whole of a fine-tune, from a folder of pictures to a folder that loads."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

import gemma_vision
from gemma_vision.evaluate import Dataset
from gemma_vision.finetuning.data.rehearsal import write_scenes
from gemma_vision.finetuning.learning.interrupts import Interrupted
from gemma_vision.finetuning.learning.learn import Learned, learn
from gemma_vision.finetuning.learning.processes import Processes, started_processes
from gemma_vision.finetuning.plan import FinetuneError, FinetunePlan
from gemma_vision.finetuning.plan_checks import check_plan
from gemma_vision.finetuning.preparation import Prepared, prepare
from gemma_vision.finetuning.results.facts import facts_of
from gemma_vision.finetuning.results.knowledge import knowledge_of
from gemma_vision.finetuning.results.model_card import write_card
from gemma_vision.finetuning.results.progress_page import DONE, STOPPED
from gemma_vision.finetuning.results.publishing import push
from gemma_vision.finetuning.results.reporting import Reporter, print_sentence
from gemma_vision.finetuning.results.scoring import NEW, OLD, Scores, Subject, score
from gemma_vision.finetuning.results.writing import write_notes
from gemma_vision.finetuning.run_folder import only_run
from gemma_vision.optimization.atomic_write import write_atomically
from gemma_vision.weights.checkpoint import pick_device
from gemma_vision.weights.memory import LARGE

if TYPE_CHECKING:
    from gemma_vision.pipeline import Pipeline

Tell = Callable[[str], None]
WORST = "worst"  # the folder of the worst cases, beside the card


@dataclass(frozen=True)
class FinetuneResult:
    """What came of a fine-tune.

    out: the folder. before, after: the table of `eval` for "new", "old" and what was learned
    earlier. forgotten: names that are hardly found any more. address: where it was pushed to.
    """

    out: Path
    before: Scores
    after: Scores
    steps: int
    forgotten: tuple[str, ...] = ()
    address: str | None = None

    def load(self, device: str | None = None) -> Pipeline:
        """The checkpoint that came out, ready to be asked."""
        return gemma_vision.load(str(self.out), device=device)


def finetune_plan(
    plan: FinetunePlan,
    *,
    device: str | None = None,
    resume: bool = False,
    threads: int | None = None,
    tell: Tell = print_sentence,
) -> FinetuneResult:
    """Score, learn, write, score again; a card in the folder tells all of it.

    threads: of the processor, from here on; None leaves them as they are.
    """
    if threads is not None:
        set_threads(threads)
    check_plan(plan, resume=resume)
    processes, device = started_processes(device)
    where = pick_device(device)
    with only_run(plan) if processes.is_first else nullcontext():
        return carry_out(plan, where, processes, resume=resume, tell=tell)


def carry_out(
    plan: FinetunePlan, where: torch.device, processes: Processes, *, resume: bool, tell: Tell
) -> FinetuneResult:
    """A plan that was checked, in folders that are nobody else's."""
    prepared = prepare_in_turn(plan, processes, resume=resume, tell=tell)
    datasets = asked_about(prepared)
    reporter = Reporter(prepared, tell) if processes.is_first else None
    before: Scores = {}
    if reporter is not None:
        subject = base_subject(prepared, where)
        before = score(subject, datasets, plan.state / "before.json", reporter)
    processes.wait()
    learned = learn_reporting(prepared, where, processes, reporter)
    if reporter is None:
        return FinetuneResult(plan.out, {}, {}, learned.steps)
    return conclude(prepared, learned, datasets, before, where, reporter)


def prepare_in_turn(
    plan: FinetunePlan, processes: Processes, *, resume: bool, tell: Tell
) -> Prepared:
    """Prepare, the first of several processes first: it notes what the run begins with."""
    if processes.is_first:
        prepared = prepare(plan, resume=resume, tell=tell)
        processes.wait()
        return prepared
    processes.wait()
    return prepare(plan, resume=True, tell=lambda sentence: None)


def learn_reporting(
    prepared: Prepared, where: torch.device, processes: Processes, reporter: Reporter | None
) -> Learned:
    """Learn; whatever ends it is told on the page too."""
    try:
        return learn(prepared, where, processes, reporter)
    except BaseException as error:
        if reporter is not None:
            with suppress(OSError):  # a full disk takes no page either
                reporter.end(STOPPED, stopped_of(error))
        raise


def stopped_of(error: BaseException) -> str:
    """Why a run is over before its time."""
    if isinstance(error, (Interrupted, KeyboardInterrupt)):
        return "Somebody stopped it; it goes on with --resume."
    return "It ended with an error; the sentence is where it was started."


def conclude(
    prepared: Prepared,
    learned: Learned,
    datasets: dict[str, Dataset],
    before: Scores,
    where: torch.device,
    reporter: Reporter,
) -> FinetuneResult:
    """Score what came out, and tell it: notes, card, page, and the Hub where it is asked for."""
    plan = prepared.plan
    worst = plan.out / WORST
    after = score(
        out_subject(prepared, learned, where),
        datasets,
        plan.state / "after.json",
        reporter,
        worst=worst,
    )
    knowledge = knowledge_of(prepared, before, after)
    write_notes(learned.trainee, plan.out, knowledge, decoder=learned.decoder)
    facts = facts_of(prepared, learned, knowledge, where, worst)
    write_atomically(plan.out / "README.md", write_card(facts, before, after))
    for sentence in figure_lines(before, after):
        reporter.tell(sentence)
    if knowledge.forgotten:
        reporter.tell(f"Forgotten: {', '.join(knowledge.forgotten)}.")
    reporter.end(DONE, f"What came out is in {plan.out.name}.")
    address = None if plan.push_to_hub is None else push(plan.out, plan.push_to_hub)
    if address is not None:
        reporter.tell(f"Pushed to {address}.")
    return FinetuneResult(plan.out, before, after, learned.steps, knowledge.forgotten, address)


def set_threads(threads: int) -> None:
    """How many threads of the processor torch computes with."""
    if type(threads) is not int or threads < 1:
        message = f"--threads is {threads!r}; it has to be a whole number, 1 or more."
        raise FinetuneError(message)
    torch.set_num_threads(threads)


def asked_about(prepared: Prepared) -> dict[str, Dataset]:
    """The data sets that are asked about before and after, by their titles."""
    plan, data = prepared.plan, prepared.data
    datasets = {NEW: data.held}
    if plan.old_scenes and data.drawings:
        datasets[OLD] = write_scenes(data.drawings, plan.old_scenes, plan.state / "old")
    for one in data.old:
        title = one.title
        while title in datasets:
            title += "'"
        datasets[title] = one.held
    return datasets


def answering_dtype(prepared: Prepared, device: torch.device) -> str:
    """The number type that the figures are computed in: what loading picks."""
    is_whole = device.type == "cpu" and prepared.base.size <= LARGE
    return "float32" if is_whole else "bfloat16"


def base_subject(prepared: Prepared, device: torch.device) -> Subject:
    """The checkpoint as it is before."""
    base = prepared.base
    key = f"{prepared.beginning.key}-{prepared.plan.old_scenes}"
    dtype = answering_dtype(prepared, device)
    return Subject(base.name, str(device), dtype, key, shown=base.shown)


def out_subject(prepared: Prepared, learned: Learned, device: torch.device) -> Subject:
    """The checkpoint that came out: figures written down earlier are its own, or none."""
    out, dtype = prepared.plan.out, answering_dtype(prepared, device)
    key = f"{prepared.beginning.key}-{learned.steps}-{learned.best_step}"
    is_adapter = learned.trainee.lora_model is not None
    base = str(prepared.base.folder) if is_adapter else None
    return Subject(str(out.resolve()), str(device), dtype, key, base, out.name)


def figure_lines(before: Scores, after: Scores) -> list[str]:
    """The figures that matter most."""
    rows = []
    for title, scores in after.items():
        was = before.get(title, {})
        pairs = (f"{key} {was.get(key)} -> {scores[key]}" for key in ("recall50", "miou"))
        rows.append(f"{title}: {', '.join(pairs)}")
    return rows
