"""Dialects: what other models answer, as the same records. Each is told by its own marks.

`objects` reads JSON about things (PaliGemma's and Gemini's `box_2d`, Qwen's `bbox_2d`, Moondream,
Florence-2), `markup` reads tags (DeepSeek-VL2, Kosmos-2, Molmo, LocateAnything, Qwen2-VL,
InternVL), `florence` reads tokens behind words, `kosmos` reads what Kosmos-2's processor gives.
They know nothing of the text around them: `postprocess.tokens.prose` finds them in it.
"""

from postprocess.tokens.dialects.things import Sizes

__all__ = ["Sizes"]
