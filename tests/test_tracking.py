"""Things keep their ids from picture to picture."""

from __future__ import annotations

import pytest

from postprocess.instances import Instance
from postprocess.tracking import Tracker

Row = list[tuple[str, float]]  # label and left edge of things 10 wide


def instances(row: Row) -> list[Instance]:
    """Boxes of 10 x 10 pixels."""
    boxes = [(label, (x, 0.0, x + 10.0, 10.0)) for label, x in row]
    return [Instance(label, box, tuple(map(round, box))) for label, box in boxes]  # type: ignore[arg-type]


def ids(rows: list[Row], **options: float) -> list[tuple[int, ...]]:
    tracker = Tracker(**options)  # type: ignore[arg-type]
    return [tracker.follow(instances(row)) for row in rows]


@pytest.mark.parametrize(
    "rows, expected",
    [
        pytest.param([[], []], [(), ()], id="nothing"),
        pytest.param([[("cat", 0)]] * 3, [(1,)] * 3, id="it-stays"),
        pytest.param([[("cat", x)] for x in (0, 4, 8, 12)], [(1,)] * 4, id="it-walks"),
        pytest.param([[("cat", 0)], [("cat", 50)]], [(1,), (2,)], id="too-far-to-be-the-same"),
        pytest.param([[("cat", 0)], [("dog", 0)]], [(1,), (2,)], id="another-label-is-another"),
        pytest.param(
            [[("cat", 0), ("cat", 30)], [("cat", 31), ("cat", 1)]],
            [(1, 2), (2, 1)],
            id="the-order-of-an-answer-does-not-matter",
        ),
        pytest.param(
            # 1 walks right and 2 left, four a picture; the third finds them within each other
            [[("cat", x), ("cat", 24 - x)] for x in (0, 5, 10, 15, 20)],
            [(1, 2)] * 5,
            id="things-that-cross-keep-their-ids",
        ),
        pytest.param(
            [[("cat", 0), ("dog", 8)], [("cat", 4), ("dog", 4)], [("cat", 8), ("dog", 0)]],
            [(1, 2)] * 3,
            id="labels-that-cross-keep-their-ids",
        ),
        pytest.param(
            [[("cat", 0)], [], [], [], [("cat", 1)]],
            [(1,), (), (), (), (1,)],
            id="gone-for-three-pictures-and-back",
        ),
        pytest.param(
            [[("cat", 0)], [], [], [], [], [("cat", 1)]],
            [(1,), (), (), (), (), (2,)],
            id="gone-for-four-is-over",
        ),
        pytest.param(
            # it walks on behind something, and is where it should be
            [[("cat", 0)], [("cat", 6)], [], [], [("cat", 24)]],
            [(1,), (1,), (), (), (1,)],
            id="found-where-its-movement-leads",
        ),
        pytest.param(
            [[("cat", 0), ("cat", 0)], [("cat", 0)], [("cat", 0), ("cat", 0)]],
            [(1, 2), (1,), (1, 2)],
            id="copies-are-things-of-their-own",
        ),
        pytest.param(
            [[("cat", 0)], [("cat", 7), ("cat", 1)]],
            [(1,), (2, 1)],
            id="the-larger-overlap-has-the-id",
        ),
    ],
)
def test_ids_stay_with_things(rows: list[Row], expected: list[tuple[int, ...]]) -> None:
    assert ids(rows) == expected


def test_patience_says_how_long_a_thing_is_waited_for() -> None:
    rows: list[Row] = [[("cat", 0)], [], [("cat", 0)]]
    assert ids(rows, patience=0) == [(1,), (), (2,)]
    assert ids(rows, patience=1) == [(1,), (), (1,)]


def test_the_least_overlap_can_be_chosen() -> None:
    rows: list[Row] = [[("cat", 0)], [("cat", 5)]]  # IoU 1/3
    assert ids(rows, least=0.3) == [(1,), (1,)]
    assert ids(rows, least=0.4) == [(1,), (2,)]


def test_an_id_is_never_used_twice() -> None:
    """Twenty things one after the other, each where the last was but one long forgotten."""
    rows: list[Row] = [[("cat", 100.0 * (n % 2))] if n % 3 == 0 else [] for n in range(60)]
    given = [one for row in ids(rows, patience=1) for one in row]
    assert given == list(range(1, 21))
