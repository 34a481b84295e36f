"""Arguments: what can be typed, and what it means. Loads nothing."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import gemma_vision
from gemma_vision.cli.finetune.arguments import add_finetune, add_merge
from gemma_vision.cli.option_arguments import add_options
from gemma_vision.registry.engines import ABOUT, LOCAL
from gemma_vision.requests.tasks import FORM_TASKS, PARSE, TASKS, Task, TaskSpec
from postprocess.command_parser import CommandParser, folder_name

APP = "app"
COMMANDS: dict[str, str] = {spec.name.value: spec.command for spec in TASKS.values()} | {
    "annotate": "make a data set of a folder full of pictures; interrupted, it goes on",
    "video": "look at every n-th frame of a video and write it with what was found",
    "parse": "read an answer that a model wrote elsewhere; no model is loaded",
    "eval": "score a checkpoint on a COCO folder",
    "finetune": "teach a checkpoint the things of your pictures",
    "merge": "make one whole model of an adapter and the model under it",
    "models": "list the checkpoints",
    APP: "open the web app",
}
FRAME_TASKS = FORM_TASKS  # what can be asked of many pictures, such as the frames of a video
EXAMPLES = """examples:
  gemma-vision detect photo.jpg "cat ; dog"
  gemma-vision segment a.jpg b.jpg "cat" --save out --as overlay,coco,masks
  gemma-vision caption photo.jpg --language ja
  gemma-vision annotate photos/ --task segment --text "cat ; dog" --as coco --save cats/
  gemma-vision video walk.mp4 seen.mp4 "cat ; dog" --every 15 > timeline.json
  gemma-vision parse "<loc0102><loc0102><loc0512><loc0460> cat" --size 640x480
  gemma-vision eval scenes/
  gemma-vision finetune cups/ --name cups --out cups-model

Answers are JSON on standard output: one object for one picture, one line each for several.
Exit code 0; 1 when some pictures of several failed; 2 when nothing could be done.
"""


def parse_arguments(words: Sequence[str]) -> argparse.Namespace:
    """The command line as options; `.verb` says which. Exits for --help and --version."""
    top, verbs = build()
    if not words or words[0] not in verbs:
        top.parse_args(words or ["--help"])  # help, the version, or an error about the verb
    if words[0] == APP:  # which reads its own
        return argparse.Namespace(verb=APP, rest=list(words[1:]))
    options = verbs[words[0]].parse_intermixed_args(words[1:])
    options.verb = words[0]
    return options


def build() -> tuple[CommandParser, dict[str, CommandParser]]:
    """The parser of the program and that of each verb."""
    top = CommandParser(
        prog="gemma-vision",
        description="See with PaliGemma: boxes, masks and words from pictures.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument(
        "--version", action="version", version=f"gemma-vision {gemma_vision.__version__}"
    )
    inner = top.add_subparsers(metavar="VERB", required=True)
    verbs: dict[str, CommandParser] = {}
    for name, about in COMMANDS.items():
        verbs[name] = inner.add_parser(
            name, help=about, description=f"{about[0].upper()}{about[1:]}."
        )
    for spec in TASKS.values():
        add_pictures(verbs[spec.name], spec)
        add_model(verbs[spec.name])
        add_options(verbs[spec.name], spec.name)
        add_saving(verbs[spec.name])
    add_annotate(verbs["annotate"])
    add_video(verbs["video"])
    add_parse(verbs["parse"])
    add_eval(verbs["eval"])
    add_finetune(verbs["finetune"])
    add_merge(verbs["merge"])
    return top, verbs


def add_pictures(parser: CommandParser, spec: TaskSpec) -> None:
    """Pictures first, then the words; --text instead of the last argument."""
    if spec.words is None:
        parser.add_argument("things", nargs="+", metavar="PICTURE", help="picture files")
    else:
        usage = spec.words.usage
        parser.add_argument("things", nargs="+", metavar="PICTURE... WORDS", help=usage)
        text = "the words, where every other argument is a picture: detect *.jpg -t cat"
        parser.add_argument("-t", "--text", help=text)
    if not spec.names_things:
        together = "show all pictures in one prompt and give one answer"
        parser.add_argument("--together", action="store_true", help=together)


def add_model(parser: CommandParser) -> None:
    """Which checkpoint, where and how it computes."""
    parser.add_argument(
        "--model", default="tiny", help="tiny, a folder, or a Hub id (default: tiny)"
    )
    parser.add_argument("--engine", default=LOCAL, help=f"who runs it: {ABOUT} (default: local)")
    parser.add_argument("--base", help="the model under an adapter that names one elsewhere")
    parser.add_argument("--masks", help="a PaliGemma that outlines what this model finds")
    parser.add_argument(
        "--device", help="cpu, cuda, mps, or auto for several at once (default: the best there is)"
    )
    parser.add_argument(
        "--dtype", help="float32, bfloat16, float16, int8 or int4 (default: by device)"
    )


def add_saving(parser: CommandParser, default: str = "overlay") -> None:
    """Where files go, and which."""
    parser.add_argument(
        "--save",
        type=folder_name,
        metavar="DIR",
        help="write files into this folder; data sets in it call a picture by its file's name, or "
        "where two share it all by their paths from the folder they have in common",
    )
    parser.add_argument(
        "--as",
        dest="kinds",
        metavar="KINDS",
        help=f"what to write, for example overlay,coco,masks (default: {default})",
    )


def add_annotate(parser: CommandParser) -> None:
    """A folder of pictures, what each is asked, and where the data set goes."""
    about = "a folder, or an address as of fsspec"
    parser.add_argument("source", type=folder_name, metavar="FOLDER", help=about)
    add_task(parser, "picture")
    parser.add_argument("-t", "--text", default="", help="the words, as after its pictures")
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes side by side (default: 1)"
    )
    add_model(parser)
    add_options(parser, *FRAME_TASKS)
    add_saving(parser, "coco, of words csv")


def add_task(parser: CommandParser, what: str) -> None:
    """--task, for verbs that ask the same of many."""
    parser.add_argument(
        "--task",
        choices=[task.value for task in FRAME_TASKS],
        default=Task.detect.value,
        help=f"what to do with each {what} (default: detect)",
    )


def add_video(parser: CommandParser) -> None:
    """A video, the MP4 to write, the words, and which frames to look at."""
    parser.add_argument("source", metavar="IN", help="a video file")
    parser.add_argument("target", metavar="OUT", help="the MP4 to write")
    usage = "what each frame is asked, as after the pictures of that command"
    parser.add_argument("text", nargs="?", default="", metavar="WORDS", help=usage)
    add_task(parser, "frame")
    parser.add_argument(
        "--every", type=int, default=10, metavar="N", help="look at every N-th frame (default: 10)"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="end after N frames looked at")
    add_model(parser)
    add_options(parser, *FRAME_TASKS)


def add_parse(parser: CommandParser) -> None:
    """An answer's text and the size of its picture."""
    parser.add_argument("text", help="the answer, or - to read it from standard input")
    parser.add_argument("picture", nargs="?", help="the picture it is about")
    parser.add_argument("--size", metavar="WxH", help="the picture's size instead: 640x480")
    parser.add_argument(
        "--input-size",
        metavar="WxH",
        help="of the resized picture that the answer's pixels count in, as Qwen2.5-VL's do",
    )
    parser.add_argument(
        "--mask-decoder",
        default="none",
        metavar="NAME",
        help="published, embedded, the path of a file, or none (default: none)",
    )
    parser.add_argument("--policy", help="space or bigvision (default: as the decoder was trained)")
    add_options(parser, PARSE)
    add_saving(parser)


def add_eval(parser: CommandParser) -> None:
    """A data set and how much of it."""
    about = "a COCO folder with its pictures, or its JSON file"
    parser.add_argument("folder", type=folder_name, help=about)
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N pictures")
    parser.add_argument(
        "--results", metavar="FILE", help="keep results here as they come, and go on from there"
    )
    parser.add_argument(
        "--report",
        type=folder_name,
        metavar="DIR",
        help="write a page here with the worst cases drawn",
    )
    parser.add_argument("--split", metavar="NAME", help="of a folder with refs.json: only this one")
    parser.add_argument(
        "--prompt",
        help='of a folder with refs.json, with {text} for the phrase (default: "segment {text}")',
    )
    parser.add_argument("--batch", type=int, default=16, metavar="N", help="default: 16")
    add_model(parser)
