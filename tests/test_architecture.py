"""Imports go one way, packages stay where they belong, files stay readable. Read with `ast`."""

from __future__ import annotations

import ast
import re
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("gemma_vision", "postprocess", "training", "benchmarks", "serving")

DOCUMENT = ROOT / "docs" / "architecture.md"
PUBLIC = ("gemma_vision", "postprocess")  # their __init__ only hands out names, when asked

HALLS = {"gemma_vision.web"}  # a folder of rooms, itself none


def read_ranks(text: str) -> list[list[str]]:
    """The rooms of each rank, from the page's block of ranks: a number and its rooms."""
    block = text.split("## Ranks")[1].split("```text\n")[1].split("```")[0]
    lines = re.split(r"^ *\d+  ", block, flags=re.MULTILINE)[1:]
    return [[room.strip() for room in line.replace("\n", " ").split(",")] for line in lines]


def read_homes(text: str) -> dict[str, list[str]]:
    """Where each package may be imported, from the page's table; no places mean anywhere."""
    table = text.split("## Where packages are imported")[1].split("\n\n")[1]
    homes = {}
    for row in table.splitlines()[2:]:
        packages, places = (cell.strip() for cell in row.strip("|").split("|"))
        for package in packages.split(", "):
            homes[package] = [] if places == "anywhere" else places.split(", ")
    return homes


RANKS = read_ranks(DOCUMENT.read_text(encoding="utf-8"))
HOMES = read_homes(DOCUMENT.read_text(encoding="utf-8"))

# What a program that never runs a model needs: none of it may bring torch in.
LIGHT = """
answers checkpoints cli errors images model.config pipeline registry.loading requests runtime.engine
"""

MAX_LINES = 260
MAX_FILES = 16  # of one folder
PARTS = {".py", ".js", ".css", ".html"}
MAX_FUNCTION = 40
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "factory", "misc"}


@cache
def modules() -> dict[str, Path]:
    """Every module of the project by its dotted name."""
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    paths += [path for path in [ROOT / "app.py"] if path.is_file()]
    return {dotted(path): path for path in paths}


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports(module: str) -> frozenset[str]:
    """What a module imports, at its top, inside functions and for its types; our own as modules."""
    tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            source = absolute(module, node)
            found |= {home(source, alias.name) for alias in node.names}
    return frozenset(found)


def absolute(module: str, node: ast.ImportFrom) -> str:
    """The module that `from` names, with its dots worked out."""
    if not node.level:
        return node.module or ""
    is_folder = modules()[module].name == "__init__.py"
    parts = module.split(".")
    kept = parts[: len(parts) - node.level + is_folder]
    return ".".join([*kept, *([node.module] if node.module else [])])


def home(source: str, name: str) -> str:
    """`from gemma_vision import pipeline` means a module, `... import load` the one it lives in."""
    if f"{source}.{name}" in modules():
        return f"{source}.{name}"
    if source in PUBLIC:
        package = __import__(source)
        homes = getattr(package, "HOMES", None) or package._HOMES
        return f"{source}.{homes[name]}"
    return source


def rank(module: str) -> tuple[int, str]:
    """The rank of a module and the room of RANKS that it belongs to."""
    for number, rooms in enumerate(RANKS):
        for entry in rooms:
            if module == entry or module.startswith(f"{entry}."):
                return number, entry
    raise AssertionError(f"{module} has no rank; give its room one in {DOCUMENT.name}")


def ours() -> list[str]:
    return sorted(set(modules()) - set(PUBLIC) - HALLS)


@pytest.mark.parametrize("module", ours())
def test_a_module_imports_only_from_lower_ranks(module):
    own, entry = rank(module)
    for used in imports(module) & modules().keys() - set(PUBLIC):
        other, other_entry = rank(used)
        assert other_entry == entry or other < own, f"{module} (rank {own}) uses {used} ({other})"


@pytest.mark.parametrize("package", PUBLIC)
def test_the_front_door_imports_nothing_at_once(package):
    tree = ast.parse(modules()[package].read_text(encoding="utf-8"))
    at_once = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    for node in at_once:
        names = [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        assert all((name or "").split(".")[0] in sys.stdlib_module_names for name in names)


def test_postprocess_is_a_leaf():
    for module in modules():
        if module.startswith("postprocess"):
            foreign = {used for used in imports(module) if used.split(".")[0] in PACKAGES}
            assert all(used.startswith("postprocess") for used in foreign), module


def test_the_library_never_imports_training_or_the_app():
    for module in modules():
        if module.startswith(("gemma_vision", "postprocess")):
            heads = {used.split(".")[0] for used in imports(module)}
            assert not heads & {"training", "app", "benchmarks"}, module


def test_of_the_library_only_the_command_imports_fine_tuning():
    room = "gemma_vision.finetuning"
    users = {
        module
        for module in modules()
        if module.startswith("gemma_vision") and not module.startswith(room)
        if any(used.startswith(room) for used in imports(module))
    }
    users.discard("gemma_vision")  # the front door, which imports nothing at once
    verbs = "gemma_vision.cli.finetune"
    assert users and all(module.startswith(f"{verbs}.") for module in users)
    for module in users:
        tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
        at_once = {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}
        ours = {name for name in at_once if (name or "").startswith(room)}
        assert ours <= {f"{room}.plan"}, module  # the table of options alone: --help stays quick


def test_nothing_imports_itself_in_a_circle():
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join([*path, module])
        if module in done:
            return
        for used in sorted(imports(module) & modules().keys() - set(PUBLIC)):
            if used != module:
                visit(used, (*path, module))
        done.add(module)

    for module in ours():
        visit(module, ())


@pytest.mark.parametrize("module", sorted(modules()))
def test_packages_are_imported_where_they_belong(module):
    for used in imports(module):
        package = used.split(".")[0]
        if package in sys.stdlib_module_names or package in (*PACKAGES, "app"):
            continue
        assert package in HOMES, f"{module} brings in {package}, which no requirement names"
        homes = HOMES[package]
        if homes:
            assert any(module == one or module.startswith(f"{one}.") for one in homes), (
                f"{module} imports {package}; it stays in {', '.join(homes)}"
            )


@pytest.mark.parametrize("name", LIGHT.split())
def test_what_runs_no_model_imports_no_torch(name):
    for module in modules():
        if module == f"gemma_vision.{name}" or module.startswith(f"gemma_vision.{name}."):
            heads = {used.split(".")[0] for used in imports(module)}
            assert not heads & {"torch", "tokenizers", "safetensors"}, module


@pytest.mark.parametrize("module", sorted(modules()))
def test_a_file_can_be_read_in_one_go(module):
    path = modules()[module]
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= MAX_LINES, f"{path} has {len(lines)} lines"
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, FUNCTIONS):
            assert own_lines(node) <= MAX_FUNCTION, f"{node.name} has {own_lines(node)} lines"


def own_lines(function: ast.AST) -> int:
    """The lines of a function without those of the functions defined in it."""
    inner = [node for node in ast.iter_child_nodes(function) if isinstance(node, FUNCTIONS)]
    return span(function) - sum(map(span, inner))


def span(node: ast.AST) -> int:
    return (node.end_lineno or 0) - node.lineno + 1


@pytest.mark.parametrize("module", sorted(modules()))
def test_a_file_has_a_subject(module):
    assert not EMPTY_NAMES & set(module.replace("_", ".").split("."))
    tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), f"{module} does not say what it is about"


def test_every_rank_stands_for_something():
    entries = {entry for rooms in RANKS for entry in rooms}
    used = {rank(module)[1] for module in ours()}
    assert entries == used, "take out of the page what is no longer there"


def test_a_room_has_few_files():
    """Scripts, styles and templates of a component count with it: viewer.py, viewer_paint.js."""
    for folder in sorted({path.parent for path in modules().values()}):
        if folder.is_relative_to(ROOT / "gemma_vision"):
            parts = {path.name.split(".")[0] for path in folder.iterdir() if path.suffix in PARTS}
            rooms = [part for part in parts if not any(belongs(part, one) for one in parts)]
            assert len(rooms) <= MAX_FILES, f"{folder} has {len(rooms)} files: {sorted(rooms)}"


def belongs(part: str, owner: str) -> bool:
    """Whether a script without a module of its own is part of another component."""
    is_module = any((ROOT / "gemma_vision").rglob(f"{part}.py"))
    return part.startswith(f"{owner}_") and not is_module


ROOTS = {"UserError", "CheckpointError", "ImageError", "TaskError"}  # the last three inherit it

# The rows of the families, and the formats and models of others that bear such a name.
NAMING = {
    "gemma_vision.checkpoints.config_defaults",
    "gemma_vision.checkpoints.gemma4.config",
    "gemma_vision.cli.saving",  # a file format
    "gemma_vision.finetuning.data.dataset_layouts",  # the same
    "gemma_vision.model.architecture",
    "gemma_vision.registry.published",
    "gemma_vision.requests.prompts",
}


@pytest.mark.parametrize("module", sorted(modules()))
def test_only_the_rows_name_a_family(module):
    if not module.startswith("gemma_vision") or module in NAMING:
        return
    tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
    named = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert not named & {"paligemma2", "gemma3", "gemma4", "gemma4e"}, module
    compared = [node for node in ast.walk(tree) if isinstance(node, ast.Compare)]
    for node in compared:
        words = {part.value for part in ast.walk(node) if isinstance(part, ast.Constant)}
        assert not words & {"paligemma", "gemma", "gemma2"}, f"{module}, line {node.lineno}"


def test_every_error_of_a_person_has_one_root():
    for module, path in modules().items():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.name.endswith("Error"):
                bases = {ast.unparse(base) for base in node.bases}
                is_root = module == "postprocess.errors"
                assert is_root or bases & ROOTS or bases <= {"gr.Error"}, f"{module}.{node.name}"
