"""Partials: the record that is being written now, in pixels, from its first edge on."""

from __future__ import annotations

from typing import Any

from gemma_vision.checkpoints.lazy_mask_decoder import LazyMaskDecoder
from gemma_vision.checkpoints.mask_decoder_files import DecoderError
from gemma_vision.web.jobs.outlines import SHARP, path_data, thin
from postprocess.coordinate_conventions import find_convention
from postprocess.instances import CodesToMask, locate
from postprocess.mask_formats import polygons
from postprocess.tokens import Partial

JSON = dict[str, Any]
Size = tuple[int, int]

EDGES = ("y0", "x0", "y1", "x1")  # in the order in which they are written


def partial_value(
    partial: Partial | None,
    size: Size,
    policy: str,
    decoder: LazyMaskDecoder | None = None,
    *,
    is_open: bool = False,
) -> JSON | None:
    """The edges known so far in pixels, None for the others, and the mask as far as it is known.

    size: (width, height). decoder: as a pipeline has it; one that may have to be
    fetched is left alone unless it `is_open` already.
    """
    if partial is None or not partial.positions:
        return None
    known = len(partial.positions)
    top, left, bottom, right, *_ = (*partial.positions, 0, 0, 0, 0)
    units = (top, left, bottom, right)
    x0, y0, x1, y1 = find_convention(policy).box(units, partial.units, size)
    edges = dict(zip(EDGES, (y0, x0, y1, x1), strict=True))
    in_pixels = {edge: round(edges[edge], 1) if i < known else None for i, edge in enumerate(EDGES)}
    ready = opened(decoder, is_open) if partial.codes and known == len(EDGES) else None
    mask = outline(partial, size, policy, ready) if ready else None
    return {"label": partial.label, "codes": len(partial.codes), "path": mask} | in_pixels


def opened(decoder: LazyMaskDecoder | None, is_open: bool) -> CodesToMask | None:
    """The decoder where it can be had at once: nothing is fetched for the sake of a preview."""
    if decoder is None or not (is_open or decoder.is_at_hand):
        return None
    try:
        return decoder.open()
    except DecoderError:
        return None


def outline(partial: Partial, size: Size, policy: str, decoder: CodesToMask) -> str:
    """The outline of a mask of which the first codes are known.

    The mean code vector stands in for codes that are still to come. Drawn in a picture no larger
    than what is shown: this is done for every frame.
    """
    assert partial.mention is not None, "four edges make a mention"
    shrink = max(1.0, max(size) / SHARP)
    small = (max(1, round(size[0] / shrink)), max(1, round(size[1] / shrink)))
    (instance,) = locate([partial.mention], small, decoder, policy)
    rings = [] if instance.mask is None else polygons(instance.mask, instance.pixels)
    grow = (size[0] / small[0], size[1] / small[1])
    return path_data([[[x * grow[0], y * grow[1]] for x, y in ring] for ring in thin(rings, small)])
