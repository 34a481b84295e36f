"""SVG: shapes that scale, over the picture they name. One group for each instance."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from postprocess.datasets.annotated import Annotated, on_one_line, without_controls
from postprocess.datasets.files import write_text
from postprocess.instances import Instance
from postprocess.mask_formats import polygons
from postprocess.overlay import label_colors, line_width
from postprocess.palette import Color


def to_svg(pictures: Iterable[Annotated], folder: Path) -> list[Path]:
    """`NAME.svg` for each picture, to be kept beside it: the picture is named, not included."""
    return [write_text(folder / f"{picture.stem}.svg", describe(picture)) for picture in pictures]


def describe(picture: Annotated, *, opacity: float = 0.5) -> str:
    """The SVG of one picture: masks as paths, boxes, labels as titles that show on hovering."""
    width, height = picture.size
    colors = label_colors(instance.label for instance in picture.instances)
    link = quoteattr(quote(picture.file_name, errors="surrogateescape"))
    groups = [
        _group(number, instance, colors[instance.label], line_width(picture.size), opacity)
        for number, instance in enumerate(picture.instances, 1)
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">',
            f'<image href={link} width="{width}" height="{height}"/>',
            *groups,
            "</svg>\n",
        ]
    )


def _group(number: int, instance: Instance, color: Color, width: int, opacity: float) -> str:
    paint = "#{:02x}{:02x}{:02x}".format(*color)
    label = without_controls(on_one_line(instance.name))
    x0, y0, x1, y1 = (round(edge, 3) for edge in instance.box)
    shapes = [
        f"<title>{escape(label)}</title>",
        f'<rect x="{x0}" y="{y0}" width="{round(x1 - x0, 3)}" height="{round(y1 - y0, 3)}" '
        f'fill="none" stroke-width="{width}"/>',
    ]
    if instance.point is not None:
        x, y = (round(edge, 3) for edge in instance.point)
        shapes[1] = f'<circle cx="{x}" cy="{y}" r="{2 * width}" fill="{paint}"/>'
    if instance.mask is not None:
        rings = polygons(instance.mask, instance.pixels)
        path = " ".join(_path(ring) for ring in rings)
        shapes.append(
            f'<path d="{path}" fill="{paint}" fill-rule="evenodd" fill-opacity="{opacity}"/>'
        )
    head = f'<g id="instance-{number}" data-label={quoteattr(label)} stroke="{paint}">'
    return "\n".join([head, *shapes, "</g>"])


def _path(ring: Sequence[Sequence[int]]) -> str:
    """Through the middles of the pixels, which lie half a pixel in."""
    return "M" + " L".join(f"{x + 0.5},{y + 0.5}" for x, y in ring) + " Z"
