"""Prompt texts: the prompts that PaliGemma was taught, said in both languages, with examples."""

from __future__ import annotations

EXAMPLES = {  # by the first word of the prompt
    "cap": "cap en",
    "caption": "caption en",
    "describe": "describe en",
    "ocr": "ocr",
    "answer": "answer en how many cats are there?",
    "question": "question en two cats",
    "detect": "detect cat ; dog",
    "segment": "segment cat ; dog",
}

PROMPTS: dict[str, dict[str, str]] = {
    "prompts": {"en": "Prompts that PaliGemma was taught", "ja": "PaliGemma が学んだプロンプト"},
    "verb_cap": {
        "en": "cap: a few words, as web pages have them (pt only)",
        "ja": "cap: 短い言葉(pt のみ)",
    },
    "verb_caption": {"en": "caption: a sentence", "ja": "caption: 一文の説明"},
    "verb_describe": {
        "en": "describe: several sentences (pt; seen on mix)",
        "ja": "describe: 数文の説明(pt、mix でも報告あり)",
    },
    "verb_ocr": {
        "en": "ocr: the words in the picture (pt; seen on mix)",
        "ja": "ocr: 画像内の文字(pt、mix でも報告あり)",
    },
    "verb_answer": {"en": "answer: the answer to a question", "ja": "answer: 質問への答え"},
    "verb_question": {
        "en": "question: a question with this answer (pt only)",
        "ja": "question: その答えになる質問(pt のみ)",
    },
    "verb_detect": {"en": "detect: boxes", "ja": "detect: 枠"},
    "verb_segment": {"en": "segment: boxes and masks", "ja": "segment: 枠とマスク"},
    "style_cap": {"en": "a few words", "ja": "短い言葉"},
    "style_cap_pt": {"en": "a few words (pt only)", "ja": "短い言葉(pt のみ)"},
    "style_caption": {"en": "a sentence", "ja": "一文"},
    "style_describe": {"en": "several sentences", "ja": "数文"},
    "leave_out": {"en": "Leave out", "ja": "省くもの"},
}
