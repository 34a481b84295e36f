"""Guidance texts: what answers here, why nothing was found, and what can be done about it."""

from __future__ import annotations

MODEL: dict[str, dict[str, str]] = {
    "model_demo": {
        "en": "Demo model: drawings of {n} things",
        "ja": "デモモデル: {n} 種類の絵",
    },
    "model_listed": {"en": "{name}: knows {n} things", "ja": "{name}: {n} 種類を認識"},
    "model_size": {"en": "{n} parameters", "ja": "パラメーター数 {n}"},
    "demo_photos": {
        "en": "Your own photos? Load PaliGemma",
        "ja": "自分の写真には PaliGemma を読み込む",
    },
    "demo_photos_fixed": {
        "en": "Your own photos? Run this app yourself with PaliGemma",
        "ja": "自分の写真には、このアプリを手元で PaliGemma と動かす",
    },
}
