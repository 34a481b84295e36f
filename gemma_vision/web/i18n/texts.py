"""Texts: every sentence of the interface, in English and Japanese; `languages` has the others.

A component gets `translate(key)`, which Gradio replaces on the page by the text of its locale;
scripts look their texts up in the same translations.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from gemma_vision.web.i18n.choice_texts import CHOICE
from gemma_vision.web.i18n.columns import LANGUAGES, Table, in_language
from gemma_vision.web.i18n.crop_texts import CROPS
from gemma_vision.web.i18n.export_texts import EXPORTS
from gemma_vision.web.i18n.guidance_texts import GUIDANCE, MODEL
from gemma_vision.web.i18n.option_texts import OPTION_TEXTS
from gemma_vision.web.i18n.prompt_texts import PROMPTS
from gemma_vision.web.i18n.stage_texts import STAGES

TEXTS: Table = {
    "language_tag": {"en": "en", "ja": "ja"},  # by which scripts know the page's language
    "tagline": {
        "en": "Give it a picture and a wish: boxes, masks and words appear while the model speaks.",
        "ja": "画像と願いを渡すと、モデルが話すそばから枠・マスク・言葉が現れます。",
    },
    "tab_image": {"en": "Image", "ja": "画像"},
    "tab_paste": {"en": "Paste", "ja": "貼り付け"},
    "tab_batch": {"en": "Batch", "ja": "一括"},
    "tab_video": {"en": "Video", "ja": "動画"},
    "video": {"en": "Video", "ja": "動画"},
    "every": {"en": "Look at every n-th frame", "ja": "n フレームごとに見る"},
    "looked": {"en": "Look at no more frames than", "ja": "見るフレーム数の上限"},
    "newest": {"en": "The frame that was just looked at", "ja": "いま見たフレーム"},
    "timeline": {"en": "Download the timeline (JSON)", "ja": "タイムラインを保存(JSON)"},
    "tab_inside": {"en": "Inside the model", "ja": "モデルの中"},
    "tab_chat": {"en": "Chat", "ja": "会話"},
    "chat": {"en": "Chat", "ja": "会話"},
    "chat_empty": {
        "en": "Add one picture or several, and ask about them.",
        "ja": "画像を 1 枚以上加えて、質問してください。",
    },
    "chat_hint": {"en": "Say something about the pictures", "ja": "画像について話してください"},
    "chat_crops": {
        "en": "Holds for a whole conversation; begin a new one to change it.",
        "ja": "会話全体に適用されます。変えるには新しい会話を始めてください。",
    },
    "note": {"en": "That did not work", "ja": "うまくいきませんでした"},
    "anew": {"en": "New conversation", "ja": "新しい会話"},
    "tab_compare": {"en": "Compare", "ja": "比較"},
    "compare": {"en": "Compare", "ja": "比べる"},
    "model_left": {"en": "Left: checkpoint", "ja": "左: チェックポイント"},
    "model_right": {"en": "Right: checkpoint", "ja": "右: チェックポイント"},
    "follow": {"en": "Follow it", "ja": "たどる"},
    "picture": {"en": "Picture", "ja": "画像"},
    "task": {"en": "Task", "ja": "タスク"},
    "detect": {"en": "Detect", "ja": "検出"},
    "segment": {"en": "Segment", "ja": "切り抜き"},
    "caption": {"en": "Caption", "ja": "説明"},
    "ask": {"en": "Ask", "ja": "質問"},
    "ocr": {"en": "Read text", "ja": "文字認識"},
    "free": {"en": "Free prompt", "ja": "自由入力"},
    "names": {"en": "What to find", "ja": "探すもの"},
    "names_hint": {"en": "cat ; dog", "ja": "cat ; dog"},
    "question": {"en": "Your question", "ja": "質問"},
    "question_hint": {"en": "how many dogs are there?", "ja": "how many dogs are there?"},
    "prompt": {"en": "Prompt, word for word", "ja": "プロンプト(そのまま渡します)"},
    "prompt_hint": {"en": "detect cat", "ja": "detect cat"},
    "run": {"en": "Run", "ja": "実行"},
    "stop": {"en": "Stop", "ja": "停止"},
    "settings": {"en": "Settings", "ja": "設定"},
    "answer": {"en": "The answer", "ja": "モデルの答え"},
    "answer_hint": {
        "en": "<loc0102><loc0102><loc0512><loc0460> cat ; ...  or box_2d JSON",
        "ja": "<loc0102><loc0102><loc0512><loc0460> cat ; ...  または box_2d JSON",
    },
    "picture_maybe": {"en": "Its picture, if you have it", "ja": "元の画像(あれば)"},
    "width": {"en": "Width without a picture", "ja": "幅(画像がないとき)"},
    "height": {"en": "Height without a picture", "ja": "高さ(画像がないとき)"},
    "decoder": {"en": "Whose mask codes", "ja": "マスク符号の種類"},
    "decoder_embedded": {"en": "Embedded checkpoint", "ja": "内蔵チェックポイント"},
    "decoder_published": {"en": "Google's checkpoints", "ja": "Google のチェックポイント"},
    "decoder_none": {"en": "Boxes only", "ja": "枠だけ"},
    "read": {"en": "Show it", "ja": "表示"},
    "try_one": {"en": "Try an example", "ja": "例を試す"},
    "pictures": {"en": "Pictures, or a zip of them", "ja": "画像、または画像の zip"},
    "add_files": {"en": "Add more files", "ja": "ファイルを追加"},
    "results": {"en": "Results", "ja": "結果"},
    "download": {
        "en": "Download all (COCO, masks, overlays)",
        "ja": "すべて保存(COCO・マスク・描画)",
    },
    "json": {"en": "The answer as JSON", "ja": "答えの JSON"},
    "examples": {"en": "Try one of these", "ja": "例を試す"},
}

VIEWER: Table = {
    "empty": {
        "en": "Choose a picture, say what to look for, press Run.",
        "ja": "画像を選び、探すものを書いて「実行」を押してください。",
    },
    "paste_empty": {
        "en": "Paste what a model wrote, add its picture if you have it, press Show it.",
        "ja": "モデルの答えを貼り付け、元の画像があれば加えて「表示」を押してください。",
    },
    "batch_empty": {
        "en": "Choose up to 32 pictures, say what to look for, press Run.",
        "ja": "画像を 32 枚まで選び、探すものを書いて「実行」を押してください。",
    },
    "batch_facts": {
        "en": "{done} of {total} pictures · {objects} objects",
        "ja": "{total} 枚中 {done} 枚 · {objects} 個",
    },
    "video_empty": {
        "en": "Choose or record a video, say what to look for, press Run.",
        "ja": "動画を選ぶか録画し、探すものを書いて「実行」を押してください。",
    },
    "video_facts": {
        "en": "{done} of {total} frames looked at · {objects} objects",
        "ja": "{total} フレーム中 {done} · {objects} 個",
    },
    "video_facts_left": {
        "en": "{done} of {total} frames looked at · {objects} objects · about {left} s left",
        "ja": "{total} フレーム中 {done} · {objects} 個 · 残り約 {left} 秒",
    },
    "video_limit": {
        "en": "the first {seconds} s; for more, raise the number of frames or look less often",
        "ja": "最初の {seconds} 秒まで(続きはフレーム数を増やすか間隔を広げてください)",
    },
    "lanes": {"en": "When each object was seen", "ja": "それぞれが見えた時間"},
    "lane": {"en": "{name}: {from} to {to} s", "ja": "{name}: {from}〜{to} 秒"},
    "lanes_more": {
        "en": "and {n} more in the timeline file",
        "ja": "ほか {n} 個はファイルにあります",
    },
    "compare_empty": {
        "en": "One picture, two sides: another checkpoint, other words or another temperature. "
        "What only one side finds is dashed.",
        "ja": "1 枚の画像を 2 通りに試します(チェックポイント・言葉・温度)。"
        "片方だけが見つけたものは破線になります。",
    },
    "only_here": {"en": "only here", "ja": "こちらだけ"},
    "compare_same": {"en": "Both said the very same", "ja": "両方とも全く同じ答えです"},
    "compare_words": {"en": "Both answered in other words", "ja": "答えの言葉が異なります"},
    "compare_both": {"en": "{both} found by both", "ja": "両方: {both}"},
    "compare_left": {"en": "{left} only on the left", "ja": "左だけ: {left}"},
    "compare_right": {"en": "{right} only on the right", "ja": "右だけ: {right}"},
    "compare_overlap": {"en": "boxes overlap by {n}", "ja": "枠の重なり {n}"},
    "state_running": {"en": "Looking", "ja": "処理中"},
    "state_done": {"en": "Done", "ja": "完了"},
    "state_stopped": {"en": "Stopped", "ja": "停止しました"},
    "state_error": {"en": "That did not work", "ja": "うまくいきませんでした"},
    "objects": {"en": "{n} objects", "ja": "{n} 個"},
    "objects_one": {"en": "1 object", "ja": "1 個"},
    "tokens": {"en": "{n} tokens", "ja": "{n} トークン"},
    "tokens_one": {"en": "1 token", "ja": "1 トークン"},
    "tokens_of": {"en": "{n} of {limit} tokens", "ja": "{limit} 中 {n} トークン"},
    "room_detect": {"en": "room for {n} more boxes", "ja": "あと {n} 個の枠"},
    "room_segment": {"en": "room for {n} more masks", "ja": "あと {n} 個のマスク"},
    "finish_length": {
        "en": "cut at the token limit; raise it in Settings",
        "ja": "トークン数の上限で終わりました(設定で増やせます)",
    },
    "finish_repeat": {
        "en": "ended because the model repeated itself",
        "ja": "モデルが同じ答えを繰り返したため終わりました",
    },
    "picture": {"en": "The picture; nothing is marked on it", "ja": "画像(印はありません)"},
    "picture_with": {"en": "The picture with {list}", "ja": "画像: {list}"},
    "boxes": {"en": "Boxes", "ja": "枠"},
    "masks": {"en": "Masks", "ja": "マスク"},
    "labels": {"en": "Labels", "ja": "名前"},
    "more": {"en": "More", "ja": "その他"},
    "show_thing": {"en": "Show {n} {name}", "ja": "{n} {name} を表示"},
    "show": {"en": "What to show", "ja": "表示するもの"},
    "legend": {"en": "Labels: press to hide or show", "ja": "名前: 押すと表示を切り替えます"},
    "opacity": {"en": "Mask", "ja": "濃さ"},
    "score": {"en": "Score ≥", "ja": "スコア ≥"},
    "score_column": {"en": "Score", "ja": "スコア"},
    "ground": {"en": "Background", "ja": "背景"},
    "ground_whole": {"en": "shown", "ja": "そのまま"},
    "ground_dim": {"en": "dimmed", "ja": "暗く"},
    "ground_blur": {"en": "blurred", "ja": "ぼかす"},
    "ground_cut": {"en": "cut away", "ja": "切り抜く"},
    "line": {"en": "Line", "ja": "線"},
    "wipe": {"en": "Before / after", "ja": "前 / 後"},
    "save": {"en": "Save PNG", "ja": "PNG 保存"},
    "instances": {"en": "Objects in the picture", "ja": "画像の中のもの"},
    "label": {"en": "Label", "ja": "名前"},
    "box": {"en": "Box: x0, y0, x1, y1 (px)", "ja": "枠: x0, y0, x1, y1(px)"},
    "tokens_title": {"en": "What the model wrote", "ja": "モデルの出力"},
    "copy": {"en": "Copy", "ja": "コピー"},
    "copied": {"en": "Copied", "ja": "コピー済み"},
    "copy_failed": {"en": "Not copied", "ja": "できません"},
    "zoom_in": {"en": "Zoom in", "ja": "拡大"},
    "zoom_out": {"en": "Zoom out", "ja": "縮小"},
    "zoom_fit": {"en": "Whole picture", "ja": "全体"},
}

TASKS = ("detect", "segment", "caption", "ask", "ocr", "free", "chat")
TABLES: dict[str, Table] = {  # by the name under which the languages' files have them
    "texts": TEXTS,
    "prompts": PROMPTS,
    "options": OPTION_TEXTS,
    "viewer": VIEWER,
    "stages": STAGES,
    "crops": CROPS,
    "choice": CHOICE,
    "model": MODEL,
    "guidance": GUIDANCE,
    "exports": EXPORTS,
}
FOR_COMPONENTS = ("texts", "prompts", "options")  # whose keys `translate` takes
BETWEEN = ":"  # a table and a key, where scripts look them up


def all_texts(language: str) -> dict[str, str]:
    """Every text: by its key for Gradio's components, by table and key for the page's scripts."""
    columns = {name: in_language(name, table, language) for name, table in TABLES.items()}
    texts = {key: text for name in FOR_COMPONENTS for key, text in columns[name].items()}
    return texts | {
        f"{name}{BETWEEN}{key}": text
        for name, column in columns.items()
        for key, text in column.items()
    }


translations = gr.I18n(**{language: all_texts(language) for language in LANGUAGES})


def translate(key: str) -> Any:
    """The text of that key, in the language of whoever looks: Gradio's I18nData.

    Not all of Gradio's hints know that it is taken wherever a text is.
    """
    assert any(key in TABLES[name] for name in FOR_COMPONENTS), f"no text {key}"
    return translations(key)


# What a script is given: the tables it looks into, the first that has a key first. The texts
# themselves are on the page once, with Gradio's.


def script_words() -> list[str]:
    """The tables of most of the page's scripts."""
    return ["stages", "viewer", "texts"]


def export_words() -> list[str]:
    """The tables of what a result can be taken home as."""
    return ["exports", "viewer"]


def crop_words() -> list[str]:
    """The tables of what the model looked at."""
    return ["crops"]


def choice_words() -> list[str]:
    """The tables of the header's scripts; tasks are called as on the tabs."""
    return ["choice", "model", "texts"]
