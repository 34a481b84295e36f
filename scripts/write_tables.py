"""Write the tables of the docs that are made from the library's own: tasks, options, commands.

python scripts/write_tables.py            writes them where they stand, between their marks
python scripts/write_tables.py --check    writes nothing; exit code 1 where one is stale
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from gemma_vision.answers.saving import FILES, kind_of  # noqa: E402  the tree's own
from gemma_vision.cli.arguments import COMMANDS  # noqa: E402
from gemma_vision.cli.option_arguments import flag_of  # noqa: E402
from gemma_vision.finetuning.plan import OPTIONS as PLAN_OPTIONS  # noqa: E402
from gemma_vision.finetuning.plan import default_text  # noqa: E402
from gemma_vision.images.file_formats import EXTRA, FORMATS, HEIC, FileFormat  # noqa: E402
from gemma_vision.requests.option import Option  # noqa: E402
from gemma_vision.requests.options import OPTIONS  # noqa: E402
from gemma_vision.requests.tasks import FORM_TASKS, PARSE, TASKS  # noqa: E402


def options_table() -> str:
    """Every option: where it is offered, what it takes, what it does."""
    rows = [
        f"| `{one.name}` | {offered(one)} | {values(one)} | {default(one)} | {about(one)} |"
        for one in OPTIONS.values()
    ]
    return "\n".join(["| option | of | takes | default | |", "|---|---|---|---|---|", *rows])


def endpoints_table() -> str:
    """The endpoints of the tasks and what they take first."""
    rows = []
    for task in FORM_TASKS:
        spec = TASKS[task]
        first = [one.name for one in OPTIONS.values() if one.first and task in one.tasks]
        taken = ["image", *([spec.words.name] if spec.words else []), *first]
        rows.append(f"| `/{task}` | {', '.join(f'`{name}`' for name in taken)} | {spec.about} |")
    return "\n".join(["| endpoint | takes | |", "|---|---|---|", *rows])


def commands_table() -> str:
    """Every command in a line."""
    rows = [f"| `{name}` | {about} |" for name, about in COMMANDS.items()]
    return "\n".join(["| command | |", "|---|---|", *rows])


def finetune_table() -> str:
    """The options of fine-tuning, by their groups."""
    rows = []
    for name, row in PLAN_OPTIONS.items():
        flag = f"--{name.replace('_', '-')}"
        shown = f"--no-{name}" if row.default is True else flag
        about = row.metadata["about"]
        rows.append(f"| `{shown}` | {row.metadata['group']} | {default_text(name)} | {about} |")
    return "\n".join(["| option | of | default | |", "|---|---|---|---|", *rows])


def formats_table() -> str:
    """The picture files that are read."""
    plain = [f"| {one.name} | {suffixes(one)} | |" for one in FORMATS]
    heic = f"| HEIC | {suffixes(HEIC)} | with `{EXTRA}` |"
    return "\n".join(["| format | files | |", "|---|---|---|", *plain, heic])


def suffixes_table() -> str:
    """What an answer is saved as, by the suffix of its file."""
    rows = []
    for kind, ends in FILES.items():
        means = [f"`{suffix}`" for suffix in ends if kind_of(Path(f"a{suffix}")) == kind]
        rows.append(f"| `{kind}` | {', '.join(f'`{one}`' for one in ends)} | {', '.join(means)} |")
    return "\n".join(["| kind | in a file | what these mean alone |", "|---|---|---|", *rows])


def suffixes(one: FileFormat) -> str:
    """How files of a format end."""
    return ", ".join(f"`{suffix}`" for suffix in one.suffixes)


def offered(option: Option) -> str:
    """The tasks that have it, in their order."""
    if set(TASKS) <= option.tasks:
        return "every task"
    return ", ".join(f"`{task}`" for task in (*TASKS, PARSE) if task in option.tasks)


def values(option: Option) -> str:
    """What it may be."""
    if option.type is bool:
        return "true or false"
    if option.type is tuple:
        return "four numbers, 0 to 1"
    if option.choices:
        shown = option.choices if len(option.choices) < 9 else (*option.choices[:3], "...")
        return ", ".join(one if one == "..." else json.dumps(one) for one in shown)
    if option.name == "seed":
        return "a whole number from 0"
    return f"{option.low:g} to {option.high:g}"


def default(option: Option) -> str:
    """As JSON."""
    return f"`{json.dumps(option.default)}`"


def about(option: Option) -> str:
    """Its sentence, and what a command calls it."""
    return f"{option.describe()} (`{flag_of(option.name)}`)"


TABLES: Mapping[str, tuple[str, Callable[[], str]]] = {
    "options": ("docs/api.md", options_table),
    "endpoints": ("docs/api.md", endpoints_table),
    "commands": ("docs/cli.md", commands_table),
    "finetune": ("docs/fine_tuning.md", finetune_table),
    "formats": ("docs/library.md", formats_table),
    "suffixes": ("docs/library.md", suffixes_table),
}


def written(text: str, name: str, table: str) -> str:
    """The page with a table between its marks, `<!-- table: NAME -->` and `<!-- end -->`."""
    marks = re.compile(rf"(<!-- table: {name} -->\n).*?(\n<!-- end -->)", re.DOTALL)
    assert marks.search(text), f"no place for the table {name}"
    return marks.sub(lambda found: f"{found[1]}{table}{found[2]}", text)


def main(arguments: list[str]) -> int:
    """Write or check every table."""
    stale = []
    for name, (page, make) in TABLES.items():
        path = ROOT / page
        text = path.read_text(encoding="utf-8")
        if (new := written(text, name, make())) != text:
            stale.append(name)
            if "--check" not in arguments:
                path.write_text(new, encoding="utf-8")
    print(f"changed: {', '.join(stale)}" if stale else "all tables are as they should be")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
