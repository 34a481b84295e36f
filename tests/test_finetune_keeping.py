"""Keeping: what a folder was taught is rehearsed and asked about; what is lost is said."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from tiny_models import make_model, save
from tuning import notes_of, words_of, write_data

import gemma_vision
from gemma_vision.cli import main
from gemma_vision.finetuning.data.old_knowledge import PastRun, lessons_of
from gemma_vision.finetuning.results.publishing import public_card, push, sent_files
from gemma_vision.finetuning.results.scoring import forgotten_names
from gemma_vision.weights.checkpoint import open_checkpoint

WARNS = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")  # of PEFT

pytestmark = pytest.mark.usefixtures("short_answers")


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    return save(make_model(), tmp_path_factory.mktemp("base"))


def other_things(folder: Path) -> Path:
    """The same pictures, their things called otherwise."""
    write_data(folder)
    path = folder / "annotations.json"
    path.write_text(path.read_text().replace("cone", "lamp").replace("mug", "boot"))
    return folder


@pytest.fixture(scope="module")
def twice(base, tmp_path_factory) -> Path:
    """A base that was taught cones and mugs, and then lamps and boots."""
    root = tmp_path_factory.mktemp("twice")
    first, second = write_data(root / "first-data"), other_things(root / "second-data")
    assert main(words_of(first, root / "first", "--steps", "2", model=base)) == 0
    taught = root / "first" / "out"
    assert main(words_of(second, root / "second", "--steps", "2", model=taught)) == 0
    return root


def test_a_folder_notes_what_it_was_taught_and_where_that_lay(twice) -> None:
    out = twice / "second" / "out"
    lessons = lessons_of(notes_of(out))
    assert [lesson.names for lesson in lessons] == [("cone", "mug"), ("boot", "lamp")]
    assert (out / lessons[1].data).resolve() == twice / "second-data"
    assert len(lessons[0].fingerprint) == len(lessons[1].fingerprint) == 32


def test_what_was_taught_before_is_asked_about_before_and_after(twice) -> None:
    card = (twice / "second" / "out" / "README.md").read_text()
    assert "first-data, learned before" in card and "| cone |" in card and "| lamp |" in card
    assert "first-data (cone, mug) was rehearsed." in card
    before = json.loads((twice / "second" / "runs" / "mine" / "before.json").read_text())
    assert set(before["scores"]) == {"new", "first-data"}


def test_what_is_gone_is_told_and_can_be_named_again(twice, base, tmp_path, capsys) -> None:
    third = write_data(tmp_path / "third-data")
    path = third / "annotations.json"
    path.write_text(path.read_text().replace("cone", "vase").replace("mug", "tray"))
    model = tmp_path / "model"  # beside which there is no data
    shutil.copytree(twice / "second" / "out", model)
    words = words_of(third, tmp_path / "gone", "--steps", "1", model=model)
    assert main(words) == 0
    assert "is not there any more" in capsys.readouterr().err
    notes = notes_of(tmp_path / "gone" / "out")
    assert set(notes["unchecked"]) == {"cone", "mug", "lamp", "boot"}
    assert not set(notes["unchecked"]) & set(notes["names"])
    card = (tmp_path / "gone" / "out" / "README.md").read_text()
    assert "**Not asked about: cone, mug, boot and lamp.**" in card
    named = ["--rehearse", str(twice / "first-data"), "--rehearse", str(twice / "second-data")]
    words = words_of(third, tmp_path / "named", "--steps", "1", *named, model=model)
    assert main(words) == 0
    assert "unchecked" not in notes_of(tmp_path / "named" / "out")
    lessons = lessons_of(notes_of(tmp_path / "named" / "out"))
    assert len(lessons) == 3


@pytest.mark.parametrize(
    "was, now, things, forgotten",
    [
        pytest.param(0.8, 0.1, 20, True, id="lost"),
        pytest.param(0.8, 0.7, 20, False, id="a little less"),
        pytest.param(1.0, 0.0, 1, False, id="one thing is chance"),
        pytest.param(0.0, 0.0, 20, False, id="never known"),
    ],
)
def test_a_name_is_forgotten_where_most_of_its_things_are(was, now, things, forgotten) -> None:
    def scores(recall: float) -> dict:
        return {"old": {"names": {"cat": {"things": things, "recall50": recall, "miou": None}}}}

    assert forgotten_names(scores(was), scores(now)) == ["cat"] * forgotten


def test_lessons_of_later_versions_are_read_as_far_as_they_are_known() -> None:
    row = PastRun(("cup",), "../cups", "f").to_dict() | {"later": 1}
    assert lessons_of({"taught": [row, "odd"]}) == [PastRun(("cup",), "../cups", "f")]
    assert lessons_of({"taught": None}) == [] and lessons_of({}) == []


PATHS = re.compile(r"(?<![\w.])/(tmp|home|root|usr|work)\b")


@pytest.mark.parametrize("part", ["out", "runs"])
def test_no_file_has_a_path_of_this_machine(part, twice) -> None:
    files = [p for p in (twice / "second" / part).rglob("*") if p.suffix != ".jpg" and p.is_file()]
    assert files
    for path in files:
        text = path.read_bytes().decode("latin-1")
        assert not PATHS.search(text) and str(twice) not in text, path


class Hub:
    """Takes what would be sent."""

    def __init__(self) -> None:
        self.sent: dict[str, bytes] = {}

    def create_repo(self, name: str, *, private: bool, exist_ok: bool):
        assert private and exist_ok
        return type("Repository", (), {"repo_id": f"user/{name.split('/')[-1]}"})

    def create_commit(self, name: str, operations, *, commit_message: str) -> None:
        for one in operations:
            with one.as_file() as file:
                self.sent[one.path_in_repo] = file.read()


def test_what_is_pushed_has_no_pictures_and_no_places(twice) -> None:
    hub, out = Hub(), twice / "second" / "out"
    assert push(out, "cups", api=hub) == "https://huggingface.co/user/cups"
    assert {"README.md", "gemma_vision.json", "model.safetensors"} <= hub.sent.keys()
    assert not any(name.endswith((".jpg", ".png")) for name in hub.sent)
    notes = json.loads(hub.sent["gemma_vision.json"])
    assert [row["data"] for row in notes["taught"]] == ["first-data", "second-data"]
    assert b"## Worst cases" not in hub.sent["README.md"]
    assert dict(sent_files(out)).keys() == hub.sent.keys()


def test_a_card_without_worst_cases_is_sent_as_it_is() -> None:
    assert public_card("# a\n\n## Use\n") == "# a\n\n## Use\n"
    assert public_card("# a\n## Worst cases\npictures\n## Use\n") == "# a\n## Use\n"


@WARNS
def test_an_adapter_goes_on_and_is_merged_to_the_same_answers(base, tmp_path, picture) -> None:
    pytest.importorskip("peft", reason="PEFT is not installed")
    data = write_data(tmp_path / "data")
    more = ["--lora", "--rank", "2", "--steps", "2"]
    assert main(words_of(data, tmp_path / "a", *more, model=base)) == 0
    adapter = tmp_path / "a" / "out"
    assert {path.stat().st_mode & 0o044 for path in adapter.glob("*.*")} == {0o044}  # for others
    assert main(words_of(data, tmp_path / "b", *more, model=adapter)) == 0
    went_on = tmp_path / "b" / "out"
    assert (went_on / "adapter_config.json").is_file()
    assert main(["merge", str(went_on), "--out", str(tmp_path / "whole")]) == 0
    told = [
        gemma_vision.load(str(folder), device="cpu").detect(picture, "cone", max_tokens=12).text
        for folder in (went_on, tmp_path / "whole")
    ]
    assert told[0] == told[1]
    assert open_checkpoint(tmp_path / "whole", "cpu").notes["names"] == ["cone", "mug"]
    assert "library_name: peft" not in (tmp_path / "whole" / "README.md").read_text()


def test_only_an_adapter_is_merged(base, tmp_path, capsys) -> None:
    assert main(["merge", str(base), "--out", str(tmp_path / "whole")]) == 2
    assert "is no adapter" in capsys.readouterr().err


def test_python_teaches_as_the_command_does(base, tmp_path, capsys, monkeypatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    (tmp_path / "tuning.yaml").write_text("data: data\nout: out\nruns: runs\nsteps: 7\nbatch: 2\n")
    write_data(tmp_path / "data")
    result = gemma_vision.finetune(
        config=tmp_path / "tuning.yaml",
        name="mine",
        model=str(base),
        steps=2,
        old_scenes=0,
        device="cpu",
        tell=told.append,
    )
    err = capsys.readouterr().err
    assert (
        not re.search("asking .* about", err) and "\033[K" not in err
    )  # what is told goes where it was asked to go
    assert any("asking" in sentence for sentence in told)
    assert result.out == tmp_path / "out" and result.steps == 2 and result.forgotten == ()
    assert set(result.after) == {"new"} and "recall50" in result.after["new"]
    assert result.load("cpu").card["names"] == ["cone", "mug"]
    assert any("GiB of memory" in sentence for sentence in told)


@pytest.mark.parametrize(
    "options, said",
    [
        pytest.param({"data": None}, r"needs data \(the folder", id="no data"),
        pytest.param({"name": None}, r"needs name \(what .+ --name\); give", id="no name"),
        pytest.param({"minuts": 3}, "no option minuts", id="unknown"),
        pytest.param({"minutes": "soon"}, "wanted is a number", id="no number"),
        pytest.param({"batch": 2.5}, "wanted is a whole number", id="half a picture"),
        pytest.param({"lora": "yes"}, "wanted is true or false", id="no truth"),
        pytest.param({"steps": 3, "minutes": 3}, "three ways to say one thing", id="two times"),
        pytest.param({"schedule": "sine"}, "take one of cosine", id="schedule"),
        pytest.param({"freeze": ["eyes"]}, "take one of tower", id="part"),
        pytest.param({"targets": "("}, "no regular expression", id="targets"),
        pytest.param({"mask_decoder": "gone.npz"}, "no mask decoder at gone.npz", id="decoder"),
        pytest.param({"push_to_hub": "a b"}, "wanted is a name like", id="repository"),
    ],
)
def test_wrong_options_end_in_a_sentence(options, said, base, tmp_path) -> None:
    from postprocess.errors import UserError

    given = {"data": write_data(tmp_path / "data"), "name": "n", "out": tmp_path / "out"}
    given |= {"model": str(base), "runs": tmp_path / "runs"}
    with pytest.raises(UserError, match=said):
        gemma_vision.finetune(**(given | options))


@pytest.mark.parametrize(
    "name, text, said",
    [
        pytest.param("a.yaml", "minutes: [", "cannot be read as options", id="broken"),
        pytest.param("a.toml", "minutes = ", "cannot be read as options", id="broken TOML"),
        pytest.param("a.json", "[]", "holds no options", id="a list"),
        pytest.param("a.yaml", "nonsense: 1", "no option nonsense", id="unknown"),
    ],
)
def test_a_file_of_options_that_is_none_ends_in_a_sentence(name, text, said, tmp_path, capsys):
    (tmp_path / name).write_text(text)
    words = ["finetune", "data", "--name", "n", "--out", "o", "--config", str(tmp_path / name)]
    assert main(words) == 2
    assert said in capsys.readouterr().err


def test_masks_without_a_decoder_are_refused_before_anything_is_scored(
    base, tmp_path, monkeypatch, capsys
) -> None:
    from gemma_vision.checkpoints import mask_decoder_files
    from gemma_vision.finetuning import program

    def fail(*given):
        raise mask_decoder_files.DecoderError("It could not be fetched.")

    monkeypatch.setattr(mask_decoder_files.PUBLISHED, "find", fail)
    monkeypatch.setattr(program, "score", lambda *given, **more: pytest.fail("it was scored"))
    data = write_data(tmp_path / "data", masks=True)
    assert main(words_of(data, tmp_path, "--steps", "1", model=base)) == 2
    assert "--mask-decoder" in capsys.readouterr().err


def test_a_mask_decoder_of_ones_own_goes_with_the_folder(base, tmp_path) -> None:
    from gemma_vision.checkpoints.file_names import CHECKPOINTS

    own = tmp_path / "own.npz"
    shutil.copyfile(CHECKPOINTS / "tiny" / "mask_decoder.npz", own)
    data = write_data(tmp_path / "data", masks=True)
    more = ["--steps", "1", "--mask-decoder", str(own)]
    assert main(words_of(data, tmp_path, *more, model=base)) == 0
    assert notes_of(tmp_path / "out")["mask_decoder"] == "mask_decoder.npz"
    assert gemma_vision.load(str(tmp_path / "out"), device="cpu").decoder.is_at_hand
