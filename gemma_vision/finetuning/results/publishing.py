"""Publishing: what came out as a repository of the Hub. Only files that were made are sent."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gemma_vision.checkpoints.config import read_json
from gemma_vision.checkpoints.file_names import NOTES
from gemma_vision.finetuning.data.old_knowledge import TAUGHT
from gemma_vision.finetuning.plan import FinetuneError

CARD = "README.md"
KINDS = (".json", ".safetensors", ".npz")
WORST, AFTER_WORST = "## Worst cases", "## Use"  # headings of the card


def push(out: Path, repository: str, *, api: Any = None) -> str:
    """Send a folder -> its address. FinetuneError where the Hub does not take it.

    The repository is made where it is not there, for its owner alone. Pictures stay here: the worst
    cases are somebody's own. api: of huggingface_hub; its own where None.
    """
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

    api = api or HfApi()
    later = f"the folder is whole; send it later with `hf upload {repository} {out.name}`."
    try:
        name = api.create_repo(repository, private=True, exist_ok=True).repo_id
        operations = [CommitOperationAdd(path, content) for path, content in sent_files(out)]
        api.create_commit(name, operations, commit_message="Fine-tuned with gemma-vision")
    except LocalTokenNotFoundError as error:
        raise FinetuneError(
            f"{repository} could not be pushed, for nobody is logged in to the Hub: run `hf auth "
            f"login`. Nothing is lost: {later}"
        ) from error
    except (HfHubHTTPError, OSError, ValueError) as error:
        said = " ".join(str(error).split())[:200]
        raise FinetuneError(f"{repository} could not be pushed ({said}). But {later}") from error
    return f"https://huggingface.co/{name}"


def sent_files(out: Path) -> Iterator[tuple[str, Path | bytes]]:
    """The files of a repository: those of the folder, without pictures and places of data."""
    for path in sorted(out.iterdir()):
        if path.name == NOTES:
            yield path.name, json.dumps(public_notes(path), indent=2, ensure_ascii=False).encode()
        elif path.name == CARD:
            yield path.name, public_card(path.read_text("utf-8")).encode()
        elif path.suffix in KINDS and not path.name.startswith("."):
            yield path.name, path


def public_notes(path: Path) -> dict[str, Any]:
    """The notes without where the data lay: it means nothing elsewhere."""
    notes = read_json(path) or {}
    lessons = [
        {**lesson, "data": Path(str(lesson.get("data", ""))).name}
        for lesson in notes.get(TAUGHT, ())
    ]
    return notes | ({TAUGHT: lessons} if lessons else {})


def public_card(card: str) -> str:
    """The card without the pictures of worst cases, which are not sent."""
    start, end = card.find(WORST), card.find(AFTER_WORST)
    return card if start < 0 or end < start else card[:start] + card[end:]
