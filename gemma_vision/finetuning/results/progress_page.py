"""Progress page: a run's curves with words beside them, one HTML file that reloads itself.

Rewritten with every row of figures, so that it is there for a run that was killed too; the page
itself tells when nothing has come for a while. Nothing is fetched from elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from gemma_vision.optimization.atomic_write import write_atomically

FILE = "progress.html"
WIDTH, HEIGHT, PAD = 640, 220, 36
RELOAD = 10  # seconds
SILENT = 180  # seconds without a row after which the page says so
MAX_POINTS = 400  # of a curve
COLOURS = ("#2563eb", "#d97706", "#059669", "#9333ea", "#dc2626")
CURVES = {  # rows' keys -> what a person is told
    "loss": ("How wrong its answers are", "falls while it learns; it never reaches nothing"),
    "place_error": ("How far its boxes are off", "as a share of the picture's sides"),
}
RUNNING, DONE, STOPPED = "running", "done", "stopped"

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
{reload}
<style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto }}
body {{ padding: 0 1rem }}
svg {{ width: 100%; height: auto; background: #8881; border-radius: 6px }}
svg text {{ font: 12px system-ui, sans-serif; fill: currentColor }}
progress {{ width: 100%; height: 1rem }}
code {{ background: #8882; padding: .1rem .3rem; border-radius: 4px }}
#silent {{ display: none; border-left: 4px solid #d97706; padding-left: 1rem }}
</style></head><body>
<h1>{title}</h1>
<p><strong>{state}</strong></p>
<progress max="1" value="{progress}">{percent}</progress>
<p id="silent">Nothing has come from this run for <span id="age"></span>. If it is not running any
more, it was ended from outside; its state is kept, and it goes on with <code>{resume}</code>.</p>
{body}
<p>Last news {when}. The numbers lie beside this page in <code>finetune.jsonl</code>.</p>
<script>
const written = {stamp}, running = {is_running};
const age = Math.round(Date.now() / 1000 - written);
if (running && age > {silent}) {{
  document.getElementById("age").textContent = Math.round(age / 60) + " minutes";
  document.getElementById("silent").style.display = "block";
}}
</script>
</body></html>
"""


def write_page(
    folder: Path,
    rows: Sequence[Mapping[str, Any]],
    *,
    name: str,
    resume: str,
    state: str = RUNNING,
    said: str = "",
) -> Path:
    """Write the page of a run -> its path.

    rows: of the metrics log. resume: the command that goes on. said: why it ended, or what came.
    """
    last = rows[-1] if rows else {}
    progress = float(last.get("progress", 0.0))
    is_running = state == RUNNING
    now = time.time()
    text = PAGE.format(
        title=escape(f"{name} is learning" if is_running else f"{name}: {state}"),
        reload=f'<meta http-equiv="refresh" content="{RELOAD}">' if is_running else "",
        state=escape(state_of(last, state, said)),
        progress=progress,
        percent=f"{progress:.0%}",
        resume=escape(resume),
        body="\n".join(parts_of(rows)),
        when=time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now)),
        stamp=int(now),
        is_running=str(is_running).lower(),
        silent=SILENT,
    )
    path = folder / FILE
    write_atomically(path, text)
    return path


def state_of(last: Mapping[str, Any], state: str, said: str) -> str:
    """One sentence about where the run is."""
    done = f"{float(last.get('progress', 0.0)):.0%} done after {int(last.get('steps', 0))} steps"
    if state == RUNNING:
        return f"{done}, {left_of(last)}."
    return f"{done}. {said}".strip()


def left_of(last: Mapping[str, Any]) -> str:
    """ "about 5 minutes left" """
    return f"about {duration(float(last.get('left', 0.0)))} left"


def duration(seconds: float) -> str:
    """45 -> "45 seconds",   300 -> "5 minutes",   7300 -> "2 hours" """
    for size, word in ((3600, "hour"), (60, "minute")):
        if seconds >= 1.5 * size:
            return f"{round(seconds / size)} {word}s"
    return f"{round(seconds)} seconds"


def parts_of(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Words and curves, what matters most first."""
    scored = [row for row in rows if "held_score" in row]
    titles = [key[5:-3] for key in (scored[-1] if scored else {}) if key.endswith("_of")]
    if scored:
        yield "<h2>What it finds on pictures that it is not shown</h2>"
        yield "".join(f"<p>{escape(found_of(scored[-1], title))}</p>" for title in titles)
        yield chart(
            {title_of(title): found_points(scored, title) for title in titles}, is_share=True
        )
    else:
        yield "<p>The pictures put aside have not been asked about yet.</p>"
    for key, (said, more) in CURVES.items():
        points = [(row["steps"], row[key]) for row in rows if key in row]
        if len(points) > 1:
            yield (
                f"<h2>{said}</h2><p>It {more}.</p>"
                if key == "loss"
                else f"<h2>{said}</h2><p>{more.capitalize()}.</p>"
            )
            yield chart({said: points})


def title_of(title: str) -> str:
    """What a data set is called on the page."""
    return {"new": "what it is to learn", "old": "the drawings that it knew"}.get(title, title)


def found_of(row: Mapping[str, Any], title: str) -> str:
    """ "Of what it is to learn it finds 31 of 45 things, and sees 4 that are not there." """
    found, total = int(row[f"held_{title}_found"]), int(row[f"held_{title}_of"])
    invented = int(row.get(f"held_{title}_invented", 0))
    more = f", and sees {invented} that are not there or elsewhere" if invented else ""
    return f"Of {title_of(title)} it finds {found} of {total} things{more}."


def found_points(rows: Sequence[Mapping[str, Any]], title: str) -> list[tuple[float, float]]:
    """(steps, share found) of each scoring."""
    key = f"held_{title}"
    return [
        (row["steps"], row[f"{key}_found"] / max(row[f"{key}_of"], 1))
        for row in rows
        if f"{key}_of" in row
    ]


def chart(curves: Mapping[str, Sequence[tuple[float, float]]], *, is_share: bool = False) -> str:
    """Curves over steps as an SVG, the latest value of each written beside its name."""
    points = [point for curve in curves.values() for point in curve]
    if not points:
        return ""
    right = max(x for x, _ in points) or 1
    high = 1.0 if is_share else max(y for _, y in points) or 1.0
    lines = []
    for index, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[index % len(COLOURS)]
        told = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed(thinned(curve), right, high))
        lines.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{told}"/>')
        last = f"{curve[-1][1]:.0%}" if is_share else f"{curve[-1][1]:.3g}"
        y = PAD / 2 + 14 * index + 4
        lines.append(
            f'<text x="{PAD + 8}" y="{y}" style="fill:{colour}">{escape(name)}: {last}</text>'
        )
    top = f"{high:.0%}" if is_share else f"{high:.2g}"
    lines.append(f'<text x="4" y="{PAD}">{top}</text><text x="4" y="{HEIGHT - PAD}">0</text>')
    lines.append(
        f'<text x="{WIDTH - PAD}" y="{HEIGHT - 8}" text-anchor="end">step {right:g}</text>'
    )
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(lines)}</svg>'


def placed(
    curve: Sequence[tuple[float, float]], right: float, high: float
) -> Iterator[tuple[float, float]]:
    """Points in the pixels of the chart."""
    for x, y in curve:
        yield (
            PAD + (WIDTH - 2 * PAD) * x / right,
            HEIGHT - PAD - (HEIGHT - 2 * PAD) * min(y / high, 1.0),
        )


def thinned(curve: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """At most MAX_POINTS of a curve, the last one among them."""
    stride = max(1, -(-len(curve) // MAX_POINTS))
    return [*curve[:-1:stride], curve[-1]]
