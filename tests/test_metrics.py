"""Overlap, average precision, confusion, and the reference mIoU to the letter."""

from pathlib import Path

import numpy as np
import pytest
from noise_decoder import write_noise

from postprocess.instances import Instance
from postprocess.mask_decoder import MaskDecoder
from postprocess.metrics import average_precision, box_iou, confusion, mask_iou, match
from postprocess.referring import ReferringScore, score_referring, summarise, token_numbers

CASES = dict(np.load(Path(__file__).parent / "data" / "miou_cases.npz", allow_pickle=False))


@pytest.fixture(scope="module")
def decoder(tmp_path_factory):
    path = tmp_path_factory.mktemp("decoder") / "noise.npz"
    return MaskDecoder.load(write_noise(path, int(CASES["vqvae_seed"])))


def score(case, decoder):
    return score_referring(
        CASES["tokens"][case].tolist(), CASES["gt_boxes"][case], CASES["gt_masks"][case], decoder
    )


@pytest.mark.parametrize("case", range(13), ids=[str(name) for name in CASES["name"]])
def test_an_answer_scores_as_the_public_evaluator_scores_it(case, decoder):
    found = score(case, decoder)
    assert found.box_iou == pytest.approx(CASES["box_iou"][case], abs=1e-6)
    assert found.mask_iou == pytest.approx(CASES["mask_iou"][case], abs=1e-6)
    assert found.invalid == CASES["invalid"][case]


def test_the_table_is_the_mean_of_the_answers(decoder):
    table = summarise(score(case, decoder) for case in range(13))
    assert table.miou == pytest.approx(CASES["mask_iou"].mean(), abs=1e-6)
    assert table.box_accuracy50 == pytest.approx((CASES["box_iou"] >= 0.5).mean())
    assert table.box_accuracy75 == pytest.approx((CASES["box_iou"] >= 0.75).mean())
    assert table.invalid == pytest.approx(CASES["invalid"].mean())
    assert summarise([]).miou == 0


def test_the_numbers_of_an_answer_come_from_its_text():
    text = "<loc0001><loc0002><loc0003><loc0004>" + "<seg005>" * 16 + "<seg006> cat"
    assert token_numbers(text) == [1, 2, 3, 4, *[5] * 16]
    assert token_numbers("<loc0001><loc0002> cat") == [1, 2]
    assert token_numbers("<loc0001><seg002>") == [1, 1024]
    assert token_numbers("") == []


def test_an_answer_of_the_wrong_kind_is_invalid(decoder):
    truth = CASES["gt_boxes"][0], CASES["gt_masks"][0]
    for text in ("a cat", "<seg001>" * 20, "<loc0100>" * 20):
        found = score_referring(token_numbers(text), *truth, decoder)
        assert found == ReferringScore(0.0, 0.0, invalid=True)


@pytest.mark.parametrize("number, is_known", [(127, True), (128, False), (-1, False)])
def test_a_code_is_one_of_128(decoder, number, is_known):
    truth = CASES["gt_boxes"][0], CASES["gt_masks"][0]
    found = score_referring([100, 100, 900, 900, *[number] * 16], *truth, decoder)
    assert found.invalid is not is_known


def test_numbers_out_of_their_place_are_none():
    """Each kind where it belongs, and so many of them that none is too few."""
    assert token_numbers("a cat") == []
    assert token_numbers("<seg001>" * 20)[:4] == [1024] * 4
    assert token_numbers("<loc0100>" * 20) == [100] * 4 + [1024] * 16
    right = "<loc0100>" * 2 + "<loc0900>" * 2 + "<seg001>" * 16
    assert token_numbers(right) == [100, 100, 900, 900] + [1] * 16


@pytest.mark.parametrize("iou, shares", [(0.5, (1, 0)), (0.75, (1, 1)), (0.4999, (0, 0))])
def test_a_box_that_overlaps_by_exactly_the_least_counts(iou, shares):
    table = summarise([ReferringScore(iou, 0.0, invalid=False)])
    assert (table.box_accuracy50, table.box_accuracy75) == shares


def test_a_match_overlaps_by_more_than_the_least():
    truth, found = [thing("a", 0, 0, 10, 10)], [thing("a", 0, 0, 10, 5)]
    assert match(truth, found, least=0.5) == []
    assert match(truth, found, least=0.49) == [(0, 0, 0.5)]
    assert confusion([truth], [found]) == {("a", None): 1, (None, "a"): 1}


@pytest.mark.parametrize(
    ("a", "b", "iou"),
    [
        pytest.param((0, 0, 2, 2), (0, 0, 2, 2), 1, id="same"),
        pytest.param((0, 0, 2, 2), (1, 0, 3, 2), 1 / 3, id="half"),
        pytest.param((0, 0, 2, 2), (2, 0, 3, 2), 0, id="touching"),
        pytest.param((0, 0, 4, 4), (1, 1, 3, 3), 1 / 4, id="inside"),
        pytest.param((1, 1, 1, 1), (1, 1, 1, 1), 0, id="empty"),
    ],
)
def test_overlap_of_boxes(a, b, iou):
    assert box_iou(a, b) == box_iou(b, a) == pytest.approx(iou)


def test_overlap_of_masks():
    a = np.zeros((4, 4), bool)
    assert mask_iou(a, a) == 0
    a[:2] = True
    assert mask_iou(a, a) == 1 and mask_iou(a, ~a) == 0 and mask_iou(a, a.T) == 4 / 12


def thing(label, *box, score=None, mask=None):
    return Instance(label, box, tuple(round(edge) for edge in box), mask, score=score)


def test_a_match_takes_the_best_pairs_first_and_each_once():
    truth = [thing("a", 0, 0, 10, 10), thing("b", 0, 0, 10, 8)]
    found = [thing("x", 0, 0, 10, 8), thing("y", 0, 0, 10, 9), thing("z", 50, 50, 60, 60)]
    assert [pair[:2] for pair in match(truth, found)] == [(1, 0), (0, 1)]
    assert [pair[:2] for pair in match(truth, found, least=0.95)] == [(1, 0)]


def test_a_match_of_labels_looks_past_better_boxes():
    truth = [thing("cat", 0, 0, 10, 10), thing("dog", 0, 0, 10, 10)]
    found = [thing("dog", 0, 0, 10, 10), thing("cat", 0, 0, 10, 5), thing("fox", 0, 0, 10, 10)]
    assert match(truth, found, same_label=True) == [(1, 0, 1.0), (0, 1, 0.5)]


def test_confusion_counts_what_was_called_what():
    truth = [[thing("cat", 0, 0, 10, 10), thing("dog", 20, 0, 30, 10)], [thing("cat", 0, 0, 5, 5)]]
    found = [[thing("dog", 0, 0, 10, 9), thing("dog", 20, 0, 30, 10)], [thing("fox", 8, 8, 9, 9)]]
    assert confusion(truth, found) == {
        ("cat", "dog"): 1,
        ("dog", "dog"): 1,
        ("cat", None): 1,
        (None, "fox"): 1,
    }


def test_names_compare_without_case_and_the_spaces_around_them():
    truth = [[thing("Black Cat", 0, 0, 10, 10)]]
    found = [[thing(" black  cat", 0, 0, 10, 10)]]
    assert match(truth[0], found[0], same_label=True) == [(0, 0, 1.0)]
    assert confusion(truth, found) == {("Black Cat", "Black Cat"): 1}
    assert average_precision(truth, found)["ap"] == pytest.approx(1)


def square(x0, y0, x1, y1):
    mask = np.zeros((100, 100), bool)
    mask[y0:y1, x0:x1] = True
    return mask


def test_perfect_answers_have_an_average_precision_of_one(capsys):
    truth = [[thing("a", 0, 0, 50, 50), thing("b", 20, 20, 90, 90)], [thing("a", 5, 5, 60, 60)], []]
    assert average_precision(truth, truth) == pytest.approx({"ap": 1, "ap50": 1, "ap75": 1})
    assert capsys.readouterr().out == ""


def test_average_precision_ranks_by_score():
    truth = [[thing("a", 0, 0, 50, 50)]]
    wrong = thing("a", 60, 60, 90, 90, score=0.9)
    right = thing("a", 0, 0, 50, 50, score=0.5)
    assert average_precision(truth, [[wrong, right]])["ap50"] == pytest.approx(0.5, abs=0.01)
    sure = thing("a", 0, 0, 50, 50, score=0.95)
    assert average_precision(truth, [[wrong, sure]])["ap50"] == pytest.approx(1)


def test_average_precision_of_masks_looks_at_the_masks():
    truth = [[thing("a", 0, 0, 50, 50, mask=square(0, 0, 50, 50))]]
    half = [[thing("a", 0, 0, 50, 50, mask=square(0, 0, 50, 32))]]
    scores = average_precision(truth, half, masks=True)
    assert scores["ap50"] == pytest.approx(1) and scores["ap75"] == 0
    assert average_precision(truth, half)["ap75"] == pytest.approx(1)


def test_answers_about_nothing_have_no_precision():
    truth = [[thing("a", 0, 0, 50, 50)]]
    assert average_precision(truth, [[]]) == {"ap": 0, "ap50": 0, "ap75": 0}
    assert average_precision([[]], [[]])["ap"] == -1
