"""What a folder may say that it knows, by what was asked before and after."""

from gemma_vision.finetuning.data.lines import kinds_asked
from gemma_vision.finetuning.data.old_knowledge import PastRun, seen_from
from gemma_vision.finetuning.preparation import Prepared
from gemma_vision.finetuning.results.scoring import Scores, forgotten_names
from gemma_vision.finetuning.results.writing import Knowledge


def knowledge_of(prepared: Prepared, before: Scores, after: Scores) -> Knowledge:
    """The names that are found, those that were forgotten, and those nobody could ask about."""
    plan, data, old = prepared.plan, prepared.data, prepared.old
    learned = [name for name in data.names if has_things(name, prepared)]
    forgotten = [name for name in forgotten_names(before, after) if name not in learned]
    unchecked = [name for name in old.lost if name not in learned]
    known = [*prepared.base.notes.get("names", data.drawings), *data.old_names, *learned]
    lost = {*forgotten, *unchecked}
    names = tuple(name for name in dict.fromkeys(known) if name not in lost)
    title = plan.data.resolve().name
    lesson = PastRun(
        tuple(learned),
        seen_from(plan.out, plan.data),
        prepared.beginning.data[title],
        plan.seed,
        plan.held_out,
        len(data.learned.scenes),
    )
    same = lesson.fingerprint
    kept = tuple(one for one in old.lessons if one.fingerprint != same)
    kinds, languages = kinds_asked(data.learned.scenes)
    return Knowledge(
        names,
        tuple(forgotten),
        tuple(unchecked),
        (*kept, lesson),
        tuple(kinds),
        tuple(languages),
    )


def has_things(name: str, prepared: Prepared) -> bool:
    """Whether there was anything of that name to learn."""
    scenes = prepared.data.learned.scenes
    return any(thing.name == name for scene in scenes for thing in scene.things)
