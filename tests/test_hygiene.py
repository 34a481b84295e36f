"""Rules against what models add by mistake: by request, in order, each removal said."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postprocess.filters import FilterError, Filters, is_full_frame, repeated, suppressed, survivors
from postprocess.instances import Instance, locate
from postprocess.metrics import box_iou
from postprocess.tokens import Mention, parse

SIZE = (1024, 1024)
RUNAWAY = " ; ".join(
    ["<loc0000><loc0428><loc0027><loc0442> person"] * 3
    + ["<loc0000><loc0429><loc0027><loc0442> person"]
    + ["<loc0000><loc0428><loc0027><loc0442> rider"]
    + ["<loc0000><loc0000><loc1022><loc1022> person"]
)


def tidy(text, *, scores=None, **rules):
    mentions = parse(text)
    instances = locate(mentions, SIZE)
    if scores:
        instances = [
            Instance(one.label, one.box, one.pixels, score=score)
            for one, score in zip(instances, scores, strict=True)
        ]
    tidied = Filters(**rules).apply(mentions, instances, SIZE)
    assert len(tidied.mentions) == len(tidied.instances)
    assert len(tidied.mentions) + len(tidied.notices) == len(mentions)
    kept = [k for k, mention in enumerate(mentions) if mention.start in starts(tidied.mentions)]
    removed = {notice.code: 0 for notice in tidied.notices}
    for notice in tidied.notices:
        assert notice.start in starts(mentions) and notice.message.endswith(".")
        removed[notice.code] += 1
    return kept, removed


def starts(mentions):
    return [mention.start for mention in mentions]


@pytest.mark.parametrize(
    ("rules", "kept", "removed"),
    [
        pytest.param({}, [0, 1, 2, 3, 4, 5], {}, id="nothing asked for"),
        pytest.param({"drop_repeats": True}, [0, 3, 4, 5], {"removed_repeat": 2}, id="copies"),
        pytest.param(
            {"max_overlap": 0.7}, [0, 4, 5], {"removed_overlap": 3}, id="overlap by label"
        ),
        pytest.param({"max_overlap": 1.0}, [0, 1, 2, 3, 4, 5], {}, id="overlap never above one"),
        pytest.param(
            {"drop_full_frame": True}, [0, 1, 2, 3, 4], {"removed_full_frame": 1}, id="frame"
        ),
        pytest.param(
            {"drop_repeats": True, "max_overlap": 0.7, "drop_full_frame": True},
            [0, 4],
            {"removed_repeat": 2, "removed_overlap": 1, "removed_full_frame": 1},
            id="all",
        ),
        pytest.param({"min_score": 0.9}, [0, 1, 2, 3, 4, 5], {}, id="no scores known"),
    ],
)
def test_each_rule_removes_what_it_says(rules, kept, removed):
    assert tidy(RUNAWAY, **rules) == (kept, removed)


def test_the_surer_of_two_boxes_stays():
    text = "<loc0000><loc0000><loc0500><loc0500> cat ; <loc0000><loc0000><loc0500><loc0510> cat"
    assert tidy(text, scores=[0.4, 0.8], max_overlap=0.7)[0] == [1]
    assert tidy(text, scores=[0.8, 0.4], max_overlap=0.7)[0] == [0]
    assert tidy(text, max_overlap=0.7)[0] == [0]


def test_what_is_removed_suppresses_nothing():
    text = "<loc0000><loc0000><loc1000><loc1000> cat ; <loc0000><loc0000><loc0900><loc1000> cat"
    assert tidy(text, scores=[0.9, 0.8], max_overlap=0.7, drop_full_frame=True)[0] == [1]


def test_unsure_instances_go():
    text = " ; ".join(f"<loc0000><loc0000><loc0{k}00><loc0500> cat" for k in (1, 2, 3))
    assert tidy(text, scores=[0.9, 0.2, None], min_score=0.5)[0] == [0, 2]


def test_a_score_at_the_threshold_stays():
    text = "<loc0000><loc0000><loc0100><loc0500> cat ; <loc0200><loc0000><loc0900><loc0500> dog"
    assert tidy(text, scores=[0.5, 0.4999], min_score=0.5)[0] == [0]


def test_an_overlap_at_the_threshold_stays():
    assert survivors(np.array([[0, 0, 10, 10], [0, 0, 10, 5]], float), 0.5).all()
    assert not survivors(np.array([[0, 0, 10, 10], [0, 0, 10, 5.1]], float), 0.5).all()


@pytest.mark.parametrize("rules", [{"max_overlap": 1.5}, {"min_score": -0.1}], ids=str)
def test_a_threshold_that_means_nothing_is_refused(rules):
    with pytest.raises(FilterError, match="between 0 and 1"):
        Filters(**rules)


def test_the_rules_can_be_asked_one_by_one():
    mentions = [
        Mention("a", (0, 0, 1, 1)),
        Mention("a", (0, 0, 1, 1), start=9),
        Mention("b", (0,) * 4),
    ]
    assert repeated(mentions) == [1]
    boxes = [(0, 0, 10, 10), (0, 0, 10, 9), (0, 0, 10, 8)]
    instances = [Instance("a", box, box) for box in boxes]
    assert suppressed(instances, [0, 1, 2], 0.85) == [1]
    assert is_full_frame(Instance("", (0, 0, 10, 9.1), (0, 0, 10, 9)), (10, 10))
    assert not is_full_frame(Instance("", (0, 0, 10, 8.9), (0, 0, 10, 8)), (10, 10))


@given(st.lists(st.tuples(*[st.integers(0, 12)] * 4), min_size=1, max_size=25), st.floats(0, 1))
@settings(max_examples=200, deadline=None)
def test_who_stays_is_what_comparing_all_pairs_says(corners, overlap):
    boxes = [(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in corners]
    kept = []
    for box in boxes:
        if not any(box_iou(box, other) > overlap for other in kept):
            kept.append(box)
    stays = survivors(np.array(boxes, float), overlap)
    assert [box for box, stay in zip(boxes, stays, strict=True) if stay] == kept
