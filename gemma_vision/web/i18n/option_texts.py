"""Option texts: what a form calls each option of a request, in both languages, a row each."""

from __future__ import annotations

OPTION_TEXTS: dict[str, dict[str, str]] = {
    "language": {"en": "Language of the answer", "ja": "答えの言語"},
    "max_tokens": {"en": "Longest answer, in tokens", "ja": "答えの最大トークン数"},
    "temperature": {"en": "Temperature (0: always the likeliest)", "ja": "温度(0 は常に最有力)"},
    "seed": {"en": "Seed", "ja": "シード"},
    "pan_and_scan": {
        "en": "Pan and scan: crops of long pictures",
        "ja": "パン&スキャン: 長い画像の切り抜き",
    },
    "drop_repeats": {"en": "exact copies", "ja": "同じ結果の重複"},
    "max_overlap": {
        "en": "Overlap of boxes of one name, at most (1: any)",
        "ja": "同じ名前の枠の重なり上限(1 は制限なし)",
    },
    "drop_full_frame": {"en": "boxes of the whole picture", "ja": "画像全体の枠"},
    "min_score": {
        "en": "Score of what is found, at least (0: any)",
        "ja": "結果のスコア下限(0 は制限なし)",
    },
    "drop_unasked": {"en": "names not asked for", "ja": "頼んでいない名前"},
    "style": {"en": "Length of the caption", "ja": "説明の長さ"},
    "region": {
        "en": "Only a part: x0, y0, x1, y1 from 0 to 1 (pt only)",
        "ja": "一部だけ: x0, y0, x1, y1(0〜1、pt のみ)",
    },
}
