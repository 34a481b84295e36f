"""The viewer: from an update of the model to its pixels, against gr.AnnotatedImage in one run.

    python -m benchmarks viewer [--rounds 3] [--updates 20] [--masks 10] [--json FILE]

A paced model has an update every fifth of a second, ten masks on a picture of 1024 x 768. One of
them is new each time, as in an answer that grows; `--changing 10` renews all. Measured is the time
from there to the end of the frame in which Chromium shows it; for gr.AnnotatedImage that is when
the pictures of all its masks are loaded. Rounds alternate. The viewer leaves updates out where the
page falls behind; those that were seen are counted. `whole` is the time from the start of the model
to the pixels of its last update, over the model's own time.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from benchmarks.chromium import SIZE as WINDOW
from benchmarks.chromium import chromium
from benchmarks.viewer_page import EVERY, SIDES, ModelTimes, build_page, make_updates, name_of
from gemma_vision.web.app import launch_options

BAR = 10.0  # times as quick as gr.AnnotatedImage
WHOLE_BAR = 1.10  # of the model's own time
PATIENCE = 600_000  # milliseconds for a whole answer

JSON = dict[str, Any]

# Watches one side in every frame, and notes when the frame with a new update was painted: a
# message that is sent while a frame is made arrives when it is done.
WATCH = """side => {
  const seen = (window.seen = {});
  const panel = document.querySelector(`#${side}`);
  const found = () => /update \\d\\d/.exec(panel.textContent)?.[0];
  let last = found(); // of the answer before this one
  const isThere = (image) => image.complete && image.naturalWidth > 0;
  const isLoaded = () => [...panel.querySelectorAll('img')].every(isThere);
  const frame = () => {
    if (window.seen !== seen) return;
    const name = found();
    if (name && name !== last && isLoaded()) {
      const { port1, port2 } = new MessageChannel();
      port2.onmessage = () => { seen[name] = Date.now() / 1000; };
      port1.postMessage(0);
      last = name;
    }
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}"""


def main() -> None:
    """Print the table, and write it as JSON where asked."""
    options = read_options()
    updates = make_updates(options.updates, options.masks, options.changing)
    model_times = ModelTimes()
    with tempfile.TemporaryDirectory() as folder:
        app = build_page(updates, Path(folder), model_times)
        options_of_app = launch_options() | {"allowed_paths": [folder]}
        _, address, _ = app.launch(prevent_thread_lock=True, **options_of_app)
        with chromium() as browser:
            page = browser.new_page(viewport=WINDOW)
            page.goto(address)
            page.wait_for_selector("#annotated", timeout=PATIENCE)
            every = range(options.rounds + 1)  # the first one warms up
            rounds = [measure_round(page, model_times, options.updates) for _ in every][1:]
        app.close(verbose=False)
    report = summary(rounds, options)
    print(as_table(report))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))


def measure_round(page: Page, model_times: ModelTimes, num_updates: int) -> dict[str, JSON]:
    """One answer on each side: milliseconds of the updates that were seen, and the whole."""
    found = {}
    for side in SIDES:
        page.evaluate(WATCH, side)
        page.click(f"#run-{side}")
        last = name_of(num_updates - 1)
        page.wait_for_function("last => last in window.seen", arg=last, timeout=PATIENCE)
        visible = page.evaluate("window.seen")
        found[side] = delays(visible, model_times.times[side], model_times.began[side])
    return found


def delays(visible: dict[str, float], times: list[float], began: float) -> JSON:
    """From when the model had an update to when it was seen; the whole over the model's time."""
    pairs = [(visible.get(name_of(number)), time) for number, time in enumerate(times)]
    delays = [round(1e3 * (late - early), 1) for late, early in pairs if late is not None]
    whole = max(late for late, _ in pairs if late is not None) - began
    return {"ms": delays, "shown": len(delays), "whole": whole / (len(times) * EVERY)}


def summary(rounds: list[dict[str, JSON]], options: argparse.Namespace) -> JSON:
    """Medians over all updates of all rounds; the ratio is the median of the rounds' ratios."""
    rows = []
    for side in SIDES:
        every = sorted(ms for one in rounds for ms in one[side]["ms"])
        rows.append(
            {
                "side": side,
                "median_ms": statistics.median(every),
                "p90_ms": every[int(0.9 * (len(every) - 1))],
                "shown": statistics.mean(one[side]["shown"] for one in rounds),
                "whole": round(statistics.median(one[side]["whole"] for one in rounds), 3),
            }
        )
    medians = [[statistics.median(one[side]["ms"]) for side in SIDES] for one in rounds]
    ratio = round(statistics.median(theirs / ours for ours, theirs in medians), 1)
    requested = {
        name: getattr(options, name) for name in ("updates", "masks", "changing", "rounds")
    }
    return requested | {"rows": rows, "ratio": ratio}


def as_table(report: JSON) -> str:
    """The report as Markdown."""
    own = report["updates"] * EVERY
    lines = [
        f"{report['updates']} updates at {1 / EVERY:.0f} a second, {report['masks']} masks, "
        f"{report['changing']} of them new, 1024 x 768, {report['rounds']} rounds; "
        f"the model itself takes {own:.1f} s",
        "",
        "| shown by | yield to pixels, ms | 90 % within | updates seen | whole / model's time |",
        "|---|---|---|---|---|",
    ]
    for row in report["rows"]:
        lines.append(
            f"| {row['side']} | {row['median_ms']:.0f} | {row['p90_ms']:.0f} | "
            f"{row['shown']:.1f} | {row['whole']:.2f} |"
        )
    ours = report["rows"][0]
    lines += [
        "",
        f"{report['ratio']} times as quick; bar {BAR:.0f}: {verdict(report['ratio'] >= BAR)}. "
        f"Whole {ours['whole']:.2f} of the model's own time; "
        f"bar {WHOLE_BAR}: {verdict(ours['whole'] <= WHOLE_BAR)}.",
    ]
    return "\n".join(lines)


def verdict(is_met: bool) -> str:
    return "met" if is_met else "missed"


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m benchmarks viewer",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--updates", type=int, default=20)
    parser.add_argument("--masks", type=int, default=10)
    parser.add_argument("--changing", type=int, default=1, help="masks that are new in an update")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
