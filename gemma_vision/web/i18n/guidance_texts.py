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

GUIDANCE: dict[str, dict[str, str]] = {
    "state_empty": {"en": "Nothing found", "ja": "見つかりません"},
    "state_blank": {"en": "No answer", "ja": "答えなし"},
    "stale": {"en": "From before: press Run", "ja": "前の結果です:「実行」を押してください"},
    "unasked": {"en": "not asked for", "ja": "頼んでいないもの"},
    "demo_subject": {"en": "The demo model", "ja": "デモモデル"},
    "say_unknown": {
        "en": "{model} does not know “{words}”.",
        "ja": "{model} は「{words}」を知りません。",
    },
    "say_did_you_mean": {"en": "Did you mean", "ja": "もしかして"},
    "say_knows": {"en": "Ask for one of these:", "ja": "探せるもの:"},
    "say_nothing_demo": {
        "en": "No “{words}” was found: this demo model has seen only drawings "
        "and 3D models, and photographs need another model.",
        "ja": "「{words}」は見つかりませんでした。"
        "このデモモデルは絵と3Dモデルしか学んでいないので、写真には別のモデルが必要です。",
    },
    "say_unsure_demo": {
        "en": "{model} is guessing here: it has seen only drawings and 3D models, "
        "and photographs need another model.",
        "ja": "{model} の当て推量です。"
        "絵と3Dモデルしか学んでいないので、写真には別のモデルが必要です。",
    },
    "say_nothing_listed": {
        "en": "{model} found no “{words}” in this picture.",
        "ja": "{model} はこの画像に「{words}」を見つけられませんでした。",
    },
    "say_nothing_open": {
        "en": "{model} found no “{words}” in this picture; a plainer word may help.",
        "ja": "{model} はこの画像に「{words}」を見つけられませんでした。"
        "もっと簡単な言葉や広い意味の言葉を試してください。",
    },
    "say_nothing_other": {
        "en": "No “{words}” was found, only things that were not asked for.",
        "ja": "「{words}」は見つからず、頼んでいないものだけがありました。",
    },
    "say_nothing_pasted": {
        "en": "This text has no box that can be read. A box looks like "
        "<loc0102><loc0102><loc0512><loc0460> cat.",
        "ja": "この文章には読み取れる枠がありません。枠は "
        "<loc0102><loc0102><loc0512><loc0460> cat のように書かれます。",
    },
    "say_blank_caption": {
        "en": "{model} had nothing to say about this picture.",
        "ja": "{model} はこの画像について何も答えませんでした。",
    },
    "say_blank_caption_demo": {
        "en": "{model} saw nothing that it knows: it has seen only drawings "
        "and 3D models, and photographs need another model.",
        "ja": "{model} の知っているものは見えませんでした。"
        "絵と3Dモデルしか学んでいないので、写真には別のモデルが必要です。",
    },
    "say_blank_ask": {
        "en": "{model} gave no answer; ask it in other words.",
        "ja": "{model} は答えませんでした。別の言い方で質問してください。",
    },
    "say_blank_ask_listed": {
        "en": "{model} gave no answer; it was taught questions like these:",
        "ja": "{model} は答えませんでした。学んだのは次のような質問です:",
    },
    "say_untaught_ask": {
        "en": "{model} was never taught such a question, so its answer means "
        "little. It was taught these:",
        "ja": "{model} はこのような質問を学んでいないので、"
        "答えはあてになりません。学んだのは次のような質問です:",
    },
    "say_untaught_free": {
        "en": "{model} was never taught such a prompt, so its answer means little. It was "
        "taught these:",
        "ja": "{model} はこのようなプロンプトを学んでいないので、"
        "答えはあてになりません。学んだのは次の形です:",
    },
    "say_blank_ocr": {
        "en": "{model} read no words in this picture.",
        "ja": "{model} はこの画像に文字を見つけられませんでした。",
    },
    "say_blank_free": {
        "en": "{model} wrote nothing to this prompt; try one that it was taught.",
        "ja": "{model} はこのプロンプトに何も書きませんでした。学んだ形のものを試してください。",
    },
    "say_cut_empty": {
        "en": "The answer reached its {limit} tokens before anything was whole.",
        "ja": "何かが出来上がる前に {limit} トークンの上限に達しました。",
    },
    "say_cut_list": {
        "en": "The list was cut at {limit} tokens; there may be more.",
        "ja": "一覧は {limit} トークンで切れました。ほかにもあるかもしれません。",
    },
    "say_cut_words": {
        "en": "The answer was cut at {limit} tokens.",
        "ja": "答えは {limit} トークンで切れました。",
    },
    "say_repeated_list": {
        "en": "The list was ended because the model named one thing again and again.",
        "ja": "モデルが同じものを繰り返したため、一覧を終わらせました。",
    },
    "say_repeated_words": {
        "en": "The answer was ended because the model repeated itself.",
        "ja": "モデルが同じ言葉を繰り返したため、答えを終わらせました。",
    },
    "say_left_out": {
        "en": "Left out, not asked for: {words}",
        "ja": "頼んでいないので省いたもの: {words}",
    },
    "say_read_as": {
        "en": "“{written}” was read as “{name}”.",
        "ja": "「{written}」を「{name}」と読みました。",
    },
    "do_models": {"en": "Choose another model", "ja": "別のモデルを選ぶ"},
    "do_show_left_out": {"en": "Show", "ja": "表示"},
    "do_more_tokens": {
        "en": "Run with {max_tokens} tokens",
        "ja": "{max_tokens} トークンで実行",
    },
    "do_drop_copies": {"en": "Run without copies", "ja": "重複を省いて実行"},
    "do_vary": {
        "en": "Run at temperature {temperature}",
        "ja": "温度 {temperature} で実行",
    },
    "do_describe": {"en": "Describe the picture instead", "ja": "代わりに画像を説明する"},
    "do_paste_example": {"en": "Show an example", "ja": "例を表示"},
}
