"""The program: stages in order, minutes in chunks, presets of a size, and errors in words."""

import dataclasses
import json
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from torch import nn

from gemma_vision.checkpoints.file_names import CHECKPOINTS
from gemma_vision.optimization.clock import Clock, TimeUp
from gemma_vision.optimization.metrics_log import MetricsLog
from gemma_vision.optimization.stage import adamw, state_file
from gemma_vision.optimization.training_state import StageProgress, read_progress, save_state
from gemma_vision.synthetic.poses import EVALUATION_SEEDS
from postprocess.vqvae import NUM_CODES, MaskVQVAE
from training import train as program
from training.curves import main as draw_curves
from training.curves import write_curves
from training.data import masks
from training.evaluation import REPORT, evaluate_checkpoint
from training.model.tiny import build_model
from training.model.tokenizer import build_tokenizer
from training.presets import PARTS, PRESETS, STAGES
from training.run import Pace, TrainingRun
from training.train import OrderError, check_order, main, open_run, parse_arguments

SMOKE = PRESETS["smoke"]


def finish(folder, *parts: str, seconds: float = 1e6) -> None:
    """Leave a state behind, as if these goes had been trained."""
    layer = nn.Linear(1, 1)
    opt = adamw([(list(layer.parameters()), 1.0)], 0.0)
    for part in parts:
        save_state(state_file(folder, part), layer, opt, StageProgress(seconds, 9))


class TestPresets:
    @pytest.mark.parametrize("name", PRESETS)
    def test_minutes_are_for_stages_there_are(self, name):
        preset = PRESETS[name]
        known = {part for stage in STAGES for part in PARTS.get(stage, (stage,))}
        assert {"vq", "polish", "vision", "decoder"} <= set(preset.paces) <= known
        assert [part for stage in STAGES for part in preset.parts(stage)] == list(preset.paces)

    def test_the_gpu_trains_forty_names_in_a_file_of_ten_megabytes(self):
        preset = PRESETS["gpu"]
        model = build_model(preset.sizes, build_tokenizer(), seed=1)
        num_parameters = sum(parameter.numel() for parameter in model.parameters())
        assert preset.num_names == 40
        assert (preset.sizes.side, preset.sizes.patch) == (224, 16)
        assert 4_000_000 < num_parameters <= 4_600_000

    def test_the_gpu_is_done_within_half_an_hour(self):
        assert sum(pace.minutes for pace in PRESETS["gpu"].paces.values()) <= 27

    def test_masks_are_of_all_names_that_are_asked_for(self, monkeypatch):
        sample, asked = masks.sample_scene, []

        def watched(rng, num_names):
            asked.append(num_names)
            return sample(rng, num_names=num_names)

        monkeypatch.setattr(masks, "sample_scene", watched)
        masks.draw_masks(np.random.default_rng(1), 4, names=40)
        assert set(asked) == {40}


class TestOrder:
    @pytest.mark.parametrize(
        "done, stage, wanted",
        [
            pytest.param((), "vision", "vq", id="nothing is there"),
            pytest.param(("vq",), "vision", "vq", id="the polish is not done"),
            pytest.param(("vq", "polish"), "decoder", "vision", id="a stage is left out"),
            pytest.param(("vq", "polish"), "export", "vision", id="nothing to export"),
        ],
    )
    def test_a_stage_wants_what_it_builds_on(self, tmp_path, done, stage, wanted):
        finish(tmp_path, *done)
        with pytest.raises(OrderError, match=f"builds on {wanted}; run --stage {wanted} first"):
            check_order(SMOKE, tmp_path, stage, tmp_path / "out")

    def test_half_a_stage_is_not_enough_to_build_on_but_enough_to_export(self, tmp_path):
        finish(tmp_path, "vq", "polish", "vision", "decoder", seconds=0.1)
        check_order(SMOKE, tmp_path, "export", tmp_path / "out")
        with pytest.raises(OrderError):
            check_order(SMOKE, tmp_path, "decoder", tmp_path / "out")

    def test_the_first_stage_wants_nothing(self, tmp_path):
        check_order(SMOKE, tmp_path, "vq", tmp_path / "out")

    def test_a_stage_without_minutes_is_named(self, tmp_path):
        with pytest.raises(OrderError, match="gives stage joint no minutes"):
            check_order(PRESETS["cpu"], tmp_path, "joint", tmp_path / "out")

    def test_there_is_nothing_to_evaluate_before_the_export(self, tmp_path):
        with pytest.raises(OrderError, match="run --stage export first"):
            check_order(SMOKE, tmp_path, "eval", tmp_path / "out")


class TestArguments:
    def run(self, *arguments: str, folder="none") -> TrainingRun:
        args = parse_arguments(["--preset", "smoke", "--device", "cpu", *arguments])
        return open_run(args, folder)

    def test_all_stages_may_train_unless_one_is_named(self):
        assert self.run().stages == set(SMOKE.paces)
        assert self.run("--stage", "vq").stages == {"vq", "polish"}
        assert self.run("--stage", "eval").stages == set()

    def test_a_gpu_composes_its_own_scenes(self, monkeypatch):
        monkeypatch.setattr(program, "pick_device", torch.device)
        monkeypatch.setattr(program, "pick_dtype", lambda _: torch.bfloat16)
        args = parse_arguments(["--preset", "gpu", "--device", "cuda"])
        assert open_run(args, None).compositor == "torch"
        assert self.run().compositor == "opencv"

    @pytest.mark.parametrize(
        "arguments, said",
        [
            pytest.param(["--seed", "900000"], "others are for evaluation", id="seed"),
            pytest.param(["--seed", "-1"], "--seed is -1", id="negative seed"),
            pytest.param(["--minutes", "0"], "has to be more than 0", id="minutes"),
            pytest.param(["--stage", "vision"], "run --stage vq first", id="order"),
        ],
    )
    def test_what_cannot_be_meant_is_answered_with_a_sentence(self, tmp_path, arguments, said):
        with pytest.raises(SystemExit, match=said):
            main(["--preset", "smoke", "--device", "cpu", "--runs", str(tmp_path), *arguments])

    def test_a_gpu_that_is_not_here_is_answered_with_a_sentence(self, tmp_path, monkeypatch):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        with pytest.raises(SystemExit, match="no CUDA device is here"):
            main(["--preset", "smoke", "--device", "cuda", "--runs", str(tmp_path)])

    def test_an_earlier_run_is_never_written_over(self, tmp_path):
        finish(tmp_path / "smoke", "vq")
        with pytest.raises(SystemExit, match="pass --resume to go on"):
            main(["--preset", "smoke", "--device", "cpu", "--runs", str(tmp_path)])

    def test_a_state_of_another_program_is_answered_with_a_sentence(self, tmp_path):
        (tmp_path / "smoke").mkdir()
        (tmp_path / "smoke" / "vq.safetensors").write_text("nothing of the kind")
        with pytest.raises(SystemExit, match="is no state of this program"):
            main(["--preset", "smoke", "--device", "cpu", "--runs", str(tmp_path), "--resume"])


class TestChunks:
    def test_minutes_that_are_used_end_the_run_and_the_next_goes_on(
        self, tmp_path, capsys, monkeypatch
    ):
        slow = dataclasses.replace(SMOKE, paces=SMOKE.paces | {"vq": Pace(60)}, pool=16)
        monkeypatch.setitem(PRESETS, "smoke", slow)
        chunk = ["--preset", "smoke", "--device", "cpu", "--runs", str(tmp_path), "--resume"]
        chunk += ["--minutes", "0.0001", "--workers", "0", "--threads", "1"]
        for steps in (1, 2):
            main(chunk)
            said = capsys.readouterr().err
            assert "0.0001 minutes are used: stage vq is at 0%. --resume goes on." in said
            rows = MetricsLog(tmp_path / "smoke" / "vq.jsonl").rows()
            assert [row["steps"] for row in rows] == list(range(1, steps + 1))
            assert read_progress(state_file(tmp_path / "smoke", "vq")).steps == steps
        assert (tmp_path / "smoke" / "curves.html").exists()

    def test_an_evaluation_stops_and_goes_on(self, tmp_path, monkeypatch):
        monkeypatch.setattr("gemma_vision.evaluate.running.GROUP", 1)
        monkeypatch.setattr("training.evaluation.NUM_MASKS", 4)
        vae, wanted = MaskVQVAE().eval(), {"names": 16, "scenes": 2}
        with pytest.raises(TimeUp, match="stage eval is at 50%"):
            run = TrainingRun(tmp_path, frozenset(), clock=Clock(1e-9))
            evaluate_checkpoint(run, CHECKPOINTS / "tiny", vae, **wanted)
        assert not (tmp_path / REPORT).exists()
        run = TrainingRun(tmp_path, frozenset())
        report = evaluate_checkpoint(run, CHECKPOINTS / "tiny", vae, **wanted)
        assert report["n_images"] == 2 and report["seed"] > EVALUATION_SEEDS
        assert 0 <= report["vq_iou"] <= 1 and 0 < report["vq_codes"] <= NUM_CODES
        assert json.loads((tmp_path / REPORT).read_text()) == report


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


class TestCurves:
    @pytest.fixture
    def folder(self, tmp_path):
        for part in ("vision", "vq"):
            metrics = MetricsLog(tmp_path / f"{part}.jsonl")
            for steps in range(1, 600):
                row = {"stage": part, "seconds": steps / 4, "steps": steps}
                metrics.add(row | {"loss": 9 / steps, "accuracy": 1 - 1 / steps})
        return tmp_path

    def test_every_figure_of_every_stage_has_a_chart(self, folder):
        page = Page(write_curves(folder, "Training: <smoke>").read_text())
        assert [chart["aria-label"] for chart in page.all("svg")] == [
            "Loss over steps: from 9 to 0.015",
            "Patches right over steps: from 0 to 0.998",
        ] * 2

    def test_curves_lie_within_their_charts(self, folder):
        page = Page(write_curves(folder, "Training").read_text())
        _, _, width, height = map(float, page.all("svg")[0]["viewbox"].split())
        for curve in page.all("polyline"):
            points = [tuple(map(float, point.split(","))) for point in curve["points"].split()]
            assert 2 < len(points) <= 240
            assert all(0 <= x <= width and 0 <= y <= height for x, y in points)
            assert [x for x, _ in points] == sorted(x for x, _ in points)

    def test_a_loss_that_falls_rises_nowhere_on_the_page(self, folder):
        page = Page(write_curves(folder, "Training").read_text())
        falling = page.all("polyline")[0]["points"].split()
        heights = [float(point.split(",")[1]) for point in falling]
        assert heights == sorted(heights) and heights[0] < heights[-1]

    def test_the_page_is_whole_in_itself(self, folder):
        text = write_curves(folder, "Training: <smoke>").read_text()
        assert "<smoke>" not in text and "&lt;smoke&gt;" in text
        page = Page(text)
        assert not page.all("script") and not page.all("link") and not page.all("img")
        assert "http" not in text and "url(" not in text and "@import" not in text

    def test_figures_of_the_checkpoint_stand_on_top(self, folder):
        (folder / REPORT).write_text(json.dumps({"recall50": 0.6789, "mask_in_box": None}))
        text = write_curves(folder, "Training").read_text()
        assert text.index("<dt>recall50</dt><dd>0.679</dd>") < text.index("Stage vq")
        assert "<dt>mask in box</dt><dd>\u2013</dd>" in text

    def test_what_is_no_number_is_left_out(self, folder):
        metrics = MetricsLog(folder / "joint.jsonl")
        for steps, loss in enumerate((2.0, float("nan"), 1.0, float("inf")), 1):
            metrics.add({"stage": "joint", "seconds": 1, "steps": steps, "loss": loss})
        text = write_curves(folder, "Training").read_text()
        assert "Loss over steps: from 2 to 1" in text and "nan" not in text and "inf" not in text

    def test_a_run_without_figures_is_a_page_too(self, tmp_path):
        assert "Nothing has been measured yet." in write_curves(tmp_path, "New").read_text()

    def test_the_page_is_drawn_from_the_command_line(self, folder, capsys):
        assert draw_curves([str(folder)]) == 0
        assert capsys.readouterr().out.strip() == str(folder / "curves.html")

    @pytest.mark.parametrize("words, code", [(["nodir"], 2), (["--help"], 0), ([], 2)])
    def test_a_page_of_nothing_is_never_made(self, tmp_path, monkeypatch, capsys, words, code):
        monkeypatch.chdir(tmp_path)
        try:
            ended = draw_curves(words)
        except SystemExit as left:
            ended = left.code
        assert ended == code and not list(tmp_path.iterdir())
        if words == ["nodir"]:
            assert capsys.readouterr().err == "There is no folder nodir; name that of a run.\n"
