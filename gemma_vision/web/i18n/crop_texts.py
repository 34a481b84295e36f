"""Crop texts: what of a picture the model looked at, and what it has cached, in both languages."""

from __future__ import annotations

CROPS: dict[str, dict[str, str]] = {
    "crops_some": {
        "en": "The model looked at the whole picture and at {n} crops of it",
        "ja": "モデルは全体と {n} 個の切り抜きを見ました",
    },
    "crops_none": {
        "en": "No crops: this picture is nearly square, or small. The model looked at it whole.",
        "ja": "切り抜きなし: 正方形に近いか小さいため、全体だけを見ました。",
    },
    "crops_whole": {"en": "whole", "ja": "全体"},
    "remembered": {
        "en": "Picture memory: {kept} kept ({size}), hits {hits}, misses {misses}.",
        "ja": "画像の記憶: {kept} 枚({size})、再利用 {hits} 回、新規 {misses} 回。",
    },
    "remembered_prefixes": {
        "en": "Prompts that went on behind a known picture: {hits} of {all}.",
        "ja": "既知の画像の続きから答えた回数: {all} 回中 {hits} 回。",
    },
}
