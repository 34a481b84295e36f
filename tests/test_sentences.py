"""What the page says whole in each language is word for word what the library says."""

from __future__ import annotations

import re
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import pytest
from films import film
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError
from PIL import Image

import gemma_vision
from gemma_vision.checkpoints.access_token import AccessToken
from gemma_vision.checkpoints.adapter_config import check_kind
from gemma_vision.checkpoints.hub import find
from gemma_vision.checkpoints.hub_errors import describe_hub_error, refused, shut
from gemma_vision.checkpoints.progress import ProgressReporter
from gemma_vision.errors import describe, request_id
from gemma_vision.images.limits import MAX_BYTES, MAX_SIDE, check_size
from gemma_vision.images.opening import open_image, scan_file
from gemma_vision.registry.loading import check_request
from gemma_vision.registry.model_cache import ModelCache
from gemma_vision.registry.model_switcher import ModelSwitcher
from gemma_vision.registry.switch_outcome import describe_failure
from gemma_vision.requests.interpretation.names import read_names
from gemma_vision.requests.request import MAX_IMAGES, MAX_TEXT, Request, Turn
from gemma_vision.video import Source
from gemma_vision.web.components.model_choice import ANY, FIXED, LISTED, Choice
from gemma_vision.web.i18n.sentence_texts import SENTENCES
from gemma_vision.web.jobs.job import StreamRun
from gemma_vision.web.server import picture_uploads
from gemma_vision.web.server.picture_uploads import MAX_PICTURES, collect_pictures
from gemma_vision.web.server.uploads import resolve_upload
from gemma_vision.web.tabs.chat_sessions import MAX_TURNS, ChatJob, ChatSessions, ChatValues
from gemma_vision.web.tabs.paste_run import MAX_MASKS, check_length
from gemma_vision.web.tabs.paste_run import MAX_TEXT as MAX_ANSWER
from postprocess.errors import UserError
from postprocess.filters import Filters
from postprocess.instances import locate
from postprocess.tokens import Notice, parse

PICTURE = Image.new("RGB", (8, 8))
BOX = "<loc0000><loc0000><loc0512><loc0512> cat ; "
WHOLE = "<loc0000><loc0000><loc1023><loc1023> cat"
CASES: dict[str, Callable[[Path], Any]] = {
    "no_picture": lambda folder: resolve_upload(None),
    "no_video": lambda folder: resolve_upload(None, "video"),
    "no_pictures": lambda folder: collect_pictures([]),
    "nothing_to_detect": lambda folder: Request(PICTURE, "detect", ""),
    "nothing_to_segment": lambda folder: Request(PICTURE, "segment", ""),
    "no_question": lambda folder: Request(PICTURE, "ask", ""),
    "no_prompt": lambda folder: Request(PICTURE, "free", ""),
    "control_token": lambda folder: Request(PICTURE, "detect", "a <image> b"),
    "text_too_long": lambda folder: Request(PICTURE, "detect", "a" * (MAX_TEXT + 1)),
    "noted": lambda folder: 1 // 0,
    "unreadable_picture": lambda folder: open_image(written(folder / "a.png", b"hello")),
    "empty_picture": lambda folder: open_image(written(folder / "a.png", b"")),
    "unreadable_video": lambda folder: Source(written(folder / "a.mp4", b"hello")),
    "sound_only": lambda folder: opened(film(folder / "a.mp4", frames=False, has_sound=True)),
    "picture_file_large": lambda folder: scan_file(bytes(MAX_BYTES + 1), "a.png"),
    "picture_large": lambda folder: check_size((MAX_SIDE + 1, 9), "a.png"),
    "video_large": lambda folder: bare_source()._check_size(MAX_SIDE + 1, 9),
    "damaged_picture": lambda folder: open_image(cut_short(folder / "a.png")),
    "too_many_pictures": lambda folder: collect_many(folder),
    "too_many_asked": lambda folder: Request([PICTURE] * (MAX_IMAGES + 1), "chat", "hello"),
    "unknown_name_meant": lambda folder: check_request(
        "tiny", Request(PICTURE, "detect", "bootle")
    ),
    "unknown_name": lambda folder: check_request("tiny", Request(PICTURE, "detect", "zzzz")),
    "one_phrase": lambda folder: check_request(
        "google/paligemma-3b-ft-refcoco-seg-224", Request(PICTURE, "segment", "a ; b")
    ),
    "full_conversation": lambda folder: talk_on(),
    "long_answer": lambda folder: check_length("a" * (MAX_ANSWER + 1)),
    "many_masks": lambda folder: check_length("<seg000>" * 16 * (MAX_MASKS + 1)),
    "too_slow": lambda folder: list(StreamRun(slow, "", seconds=-9).follow()),
    "cut_off": lambda folder: list(StreamRun(broken, "").follow()),
    "ended_early": lambda folder: list(Unended(slow, "").follow()),
    "name_a_checkpoint": lambda folder: chosen("", ANY),
    "listed_alone": lambda folder: chosen("me/mine", LISTED),
    "no_token_taken": lambda folder: Choice(Loading(), ANY, "0.0.0.0").give_token("hf_a", {}),
    "fixed_checkpoint": lambda folder: chosen("tiny", FIXED),
    "needs_memory": lambda folder: chosen("google/paligemma-3b-mix-224", LISTED),
    "no_memory": lambda folder: raised(describe_failure("a/b", MemoryError())[1]),
    "unreadable_checkpoint": lambda folder: raised(describe_failure("a/b", KeyError("a"))[1]),
    "being_loaded": lambda folder: Loading().switch("b/c"),
    "loaded_already": lambda folder: loaded().switch("tiny"),
    "others_load": lambda folder: Loading().cancel("another"),
    "offline": lambda folder: raised(describe_hub_error("a/b", ConnectionError())),
    "licence_asked": lambda folder: raised(shut("a/b", answer(GatedRepoError, 401))),
    "licence_missing": lambda folder: raised(refused("a/b", answer(GatedRepoError, 403))),
    "token_refused": lambda folder: raised(refused("a/b", answer(HfHubHTTPError, 401))),
    "no_token": lambda folder: AccessToken.parse("a b"),
    "unknown_model": lambda folder: raised(shut("a/b", answer(HfHubHTTPError, 404))),
    "no_model": lambda folder: find("gone"),
    "adapter_merged_first": lambda folder: check_kind({"peft_type": "LOHA"}),
    "read_as": lambda folder: told(read_names("kitty", ("cat",)).notices),
    "removed_score": lambda folder: told(cleared(min_score=0.9)),
    "removed_unasked": lambda folder: told(cleared(drop_unasked=frozenset({"dog"}))),
    "removed_repeat": lambda folder: told(cleared(BOX * 2, drop_repeats=True)),
    "removed_full_frame": lambda folder: told(cleared(WHOLE, drop_full_frame=True)),
    "removed_overlap": lambda folder: told(cleared(BOX * 2, max_overlap=0.5)),
}
NEEDS = 9.0e9


class Loading(ModelSwitcher):
    """A switcher that is at work for somebody, with little room."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._reporter, self._wanted, self._owner = ProgressReporter(), "a/b", "somebody"
        self.seen = {}

    def weigh(self, parameters: float) -> float:
        return NEEDS

    def room(self) -> float:
        return 1e9


def chosen(name: str, freedom: str) -> None:
    Choice(Loading(), freedom).choose(name, {"host": "127.0.0.1"})


def loaded() -> ModelSwitcher:
    return ModelSwitcher(ModelCache(gemma_vision.load("tiny")), threading.Lock())


def talk_on() -> None:
    sessions = ChatSessions()
    sessions.open("a").turns += [Turn("user", "hello")] * MAX_TURNS
    ChatJob(None, sessions, "a", ChatValues({"text": "hello"})).begin()


def bare_source() -> Source:
    source = object.__new__(Source)
    source.path = Path("a.mp4")
    return source


def collect_many(folder: Path) -> None:
    with (
        zipfile.ZipFile(folder / "a.zip", "w") as file,
        mock.patch.object(picture_uploads, "resolve_upload", Path),
    ):
        for n in range(MAX_PICTURES + 1):
            file.writestr(f"{n}.png", b"")
        file.close()
        collect_pictures([str(folder / "a.zip")])


def cut_short(path: Path) -> Path:
    Image.effect_noise((64, 64), 50).save(path)
    return written(path, path.read_bytes()[:500])


def broken() -> Iterator[str]:
    raise SystemExit


def slow() -> Iterator[str]:
    yield "a"


class Unended(StreamRun[str, str]):
    def _read(self) -> None:
        """Nothing is read to its end."""


def answer(kind: type[HfHubHTTPError], status: int) -> HfHubHTTPError:
    request = httpx.Request("GET", "http://hub")
    return kind("", response=httpx.Response(status, request=request))


def raised(error: Exception | str) -> None:
    raise UserError(error) if isinstance(error, str) else error


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def opened(path: Path) -> None:
    with Source(path) as source:
        list(source.frames())


def told(notices: Sequence[Notice]) -> None:
    (notice,) = notices
    raise UserError(notice.message)


def cleared(text: str = BOX, **filters: Any) -> Sequence[Notice]:
    """What is said of the things in a text, by filters of that kind."""
    mentions = parse(text)
    found = [replace(one, score=0.5) for one in locate(mentions, (8, 8))]
    return Filters(**filters).apply(mentions, found, (8, 8)).notices


def pattern(template: str) -> str:
    """A template as what fits it.   "{name} is gone."  ->  ".+ is gone\\." """
    return "".join(".+" if part[:1] == "{" else re.escape(part) for part in pieces(template))


def pieces(template: str) -> Iterator[str]:
    yield from re.split(r"(\{\w+\})", template)


def test_a_sentence_is_read_as_none_before_it() -> None:
    """The page takes the first that fits."""
    for key, row in SENTENCES.items():
        fits = [other for other, one in SENTENCES.items() if matches(one["en"], row["en"])]
        assert fits[0] == key


def matches(template: str, sentence: str) -> bool:
    return re.fullmatch(pattern(template), sentence) is not None


def test_each_is_tried() -> None:
    assert CASES.keys() == SENTENCES.keys()


@pytest.mark.parametrize("key", CASES)
def test_a_sentence_is_the_librarys_own(key: str, tmp_path: Path) -> None:
    token = request_id.set("8c2f")
    try:
        with pytest.raises(Exception) as caught:
            CASES[key](tmp_path)
        _, sentence = describe(caught.value)
    finally:
        request_id.reset(token)
    assert re.fullmatch(pattern(SENTENCES[key]["en"]), sentence)
