"""Pictures: the verbs that look at pictures, one or a folder full of them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gemma_vision.answers.saving import find_words
from gemma_vision.cli.option_arguments import given_options
from gemma_vision.cli.saving import PictureFacts, Saved, Saver
from gemma_vision.cli.unfinished import UnfinishedRun
from gemma_vision.cli.writing import complain, print_json
from gemma_vision.images.opening import ImageError, Picture, open_image
from gemma_vision.pipeline import BATCH
from gemma_vision.registry.engines import LOCAL
from gemma_vision.requests.request import Request
from gemma_vision.requests.tasks import TASKS
from postprocess.command_parser import UsageError

if TYPE_CHECKING:
    from gemma_vision.answers.answer import Answer
    from gemma_vision.pipeline import Pipeline


@dataclass(frozen=True)
class PictureArguments:
    """What to ask of which picture files; `together` shows them all in one prompt."""

    pictures: Sequence[str]
    text: str
    together: bool


def run(options: argparse.Namespace) -> int:
    """The verb on every picture: 0, or 1 when some of them failed, or 2 when all did."""
    wish = picture_arguments(options)
    saver = Saver(options.save, options.kinds, wish.pictures)
    if len(wish.pictures) == 1 or wish.together:
        return run_one(options, wish, saver)
    check_supported(
        options, request(options, wish.text, (wish.pictures[0],))
    )  # before a model is loaded
    return run_many(options, wish, saver)


def run_one(options: argparse.Namespace, wish: PictureArguments, saver: Saver) -> int:
    """One answer, as one JSON object; whatever is wrong shows before a model is loaded."""
    asked = request(options, wish.text, tuple(map(open_image, wish.pictures)))
    check_supported(options, asked)
    pipeline = load(options)
    answer = pipeline.run(asked)
    print_json(answer.to_dict())
    saver.save_one(wish.pictures[0], facts_of(answer, pipeline))
    return 0


def facts_of(answer: Answer, pipeline: Pipeline) -> PictureFacts:
    """What is saved of an answer: its things, or the prompt and the answer where it is in words."""
    words = find_words(answer.request, answer.instances, answer.prompt, answer.plain)
    image = answer.image
    return PictureFacts(image.size, answer.instances, image, pipeline.decoder, words)


def run_many(options: argparse.Namespace, wish: PictureArguments, saver: Saver) -> int:
    """A line of JSON per picture; the ones that cannot be opened or whose files cannot be written
    are named on standard error. Those that the same command did before it was ended are not asked
    again.
    """
    unfinished = UnfinishedRun(saver.folder, asked_of_all(options, wish) if saver.folder else None)
    known = {path: unfinished.answer_to(path) for path in wish.pictures}
    for line in filter(None, known.values()):
        print_json(line, indent=None)
    wanted = [path for path in wish.pictures if known[path] is None]
    done = len(wish.pictures) - len(wanted)
    if wanted:
        done += ask_all(load(options), options, replace(wish, pictures=wanted), saver, unfinished)
    unfinished.end()
    failed = len(wish.pictures) - done
    return 0 if not failed else 1 if done else 2


def ask_all(
    pipeline: Pipeline,
    options: argparse.Namespace,
    wish: PictureArguments,
    saver: Saver,
    unfinished: UnfinishedRun,
) -> int:
    """Ask of every picture; how many of them are saved. What was answered is saved however it ends.

    A line of JSON is kept until all files of its picture are written.
    """
    lines: dict[str, dict[str, Any]] = {}
    done = 0
    try:
        for path, answer in answers(pipeline, options, wish):
            lines[path] = {"file": path} | answer.to_dict()
            print_json(lines[path], indent=None)
            done += settle(saver.save(path, facts_of(answer, pipeline)), lines, unfinished)
    finally:
        done += settle(saver.flush(), lines, unfinished)
    return done


def settle(
    written: Sequence[Saved], lines: dict[str, dict[str, Any]], unfinished: UnfinishedRun
) -> int:
    """Note the pictures that are done, and how many they are; name those that are not."""
    for saved in written:
        if saved.failed:
            complain(f"{saved.path}: {saved.failed}")
        else:
            unfinished.add(saved.path, lines[saved.path], saved.files)
    return sum(not saved.failed for saved in written)


def asked_of_all(options: argparse.Namespace, wish: PictureArguments) -> dict[str, Any]:
    """What tells this command from another: what is asked of which model, and what is written."""
    given = {name: str(value) for name, value in given_options(options.verb, options).items()}
    names = ("verb", "model", "base", "masks", "engine", "device", "dtype", "kinds")
    named = {name: str(getattr(options, name)) for name in names}
    return given | named | {"text": wish.text, "weights": fingerprint_for(options)}


def answers(
    pipeline: Pipeline, options: argparse.Namespace, wish: PictureArguments
) -> Iterator[tuple[str, Answer]]:
    """The pictures that open, with their answers, a batch at a time."""
    for start in range(0, len(wish.pictures), BATCH):
        requests: dict[int, Request] = {}
        paths = wish.pictures[start : start + BATCH]
        for index, path in enumerate(paths):
            try:
                requests[index] = request(options, wish.text, (open_image(path),))
            except ImageError as error:
                complain(f"{path}: {error}")
        found = pipeline.batch(list(requests.values()), size=BATCH)
        for index, answer in zip(requests, found, strict=True):
            yield paths[index], answer


def picture_arguments(options: argparse.Namespace) -> PictureArguments:
    """Which arguments are pictures and which one is the words."""
    together = getattr(options, "together", False)
    words = TASKS[options.verb].words
    if words is None:
        return PictureArguments(options.things, "", together)
    if options.text is not None:
        return PictureArguments(options.things, options.text, together)
    *pictures, text = options.things
    if not pictures:
        message = f"{options.verb} wants pictures and then {words.usage}"
        raise UsageError(f'{message}: gemma-vision {options.verb} photo.jpg "..."')
    return PictureArguments(pictures, text, together)


def check_supported(options: argparse.Namespace, asked: Request) -> None:
    """Refuse what the checkpoint cannot do before it is fetched or loaded."""
    from gemma_vision.registry.loading import check_request

    if not options.masks and options.engine == LOCAL:
        check_request(options.model, asked)


def load(options: argparse.Namespace) -> Pipeline:
    """The checkpoint that --model names."""
    from gemma_vision.registry.loading import load

    names = ("base", "masks", "engine")
    named = {name: getattr(options, name) for name in names}
    return load(options.model, options.device, options.dtype, **named)


def request(options: argparse.Namespace, text: str, pictures: tuple[Picture, ...]) -> Request:
    """The request for these pictures."""
    image = pictures[0] if len(pictures) == 1 else pictures
    return Request(image, options.verb, text, **given_options(options.verb, options))


def fingerprint_for(options: argparse.Namespace) -> str:
    """What tells the weights from others; of a model elsewhere its address is all that is known."""
    from gemma_vision.annotate.model_fingerprint import fingerprint_of, folders_of

    is_here = runs_named(options)
    folders = folders_of(options.model, options.base) if is_here else ()
    if options.masks:
        folders += folders_of(options.masks)
    return ("" if is_here else f"{options.engine} ") + (fingerprint_of(*folders) if folders else "")


def runs_named(options: argparse.Namespace) -> bool:
    """Whether the checkpoint that --model names is the one that runs: here, or on Ray's actors."""
    from gemma_vision.runtime.remote.ray_cluster import SCHEME

    engine: str = options.engine
    return engine == LOCAL or engine.startswith(SCHEME)
