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
from gemma_vision.web.i18n.gradio_texts import GRADIO, with_lacking
from gemma_vision.web.i18n.guidance_texts import GUIDANCE, MODEL
from gemma_vision.web.i18n.live_texts import LIVE
from gemma_vision.web.i18n.note_texts import NOTES
from gemma_vision.web.i18n.option_texts import OPTION_TEXTS
from gemma_vision.web.i18n.prompt_texts import PROMPTS
from gemma_vision.web.i18n.sentence_texts import SENTENCES
from gemma_vision.web.i18n.stage_texts import STAGES
from gemma_vision.web.i18n.viewer_texts import VIEWER

TEXTS: Table = {
    "language_tag": {"en": "en", "ja": "ja"},  # by which scripts know the page's language
    "tagline": {
        "en": "Give it a picture and a wish: boxes, masks and words appear while the model speaks.",
        "ja": "画像と願いを渡すと、モデルが話すそばから枠・マスク・言葉が現れます。",
    },
    "demo_name": {"en": "Demo model", "ja": "デモモデル"},
    "tab_image": {"en": "Image", "ja": "画像"},
    "tab_live": {"en": "Camera", "ja": "カメラ"},
    "tab_paste": {"en": "Paste", "ja": "貼り付け"},
    "tab_batch": {"en": "Batch", "ja": "一括"},
    "tab_video": {"en": "Video", "ja": "動画"},
    "video": {"en": "Video", "ja": "動画"},
    "every": {"en": "Look at every n-th frame", "ja": "n フレームごとに見る"},
    "looked": {"en": "Look at no more frames than", "ja": "見るフレーム数の上限"},
    "may_cut": {
        "en": "End the video there, even if it goes on",
        "ja": "続きがあってもそこで動画を終える",
    },
    "timeline": {"en": "Download the timeline (JSON)", "ja": "タイムラインを保存(JSON)"},
    "tab_inside": {"en": "Inside the model", "ja": "モデルの中"},
    "tab_chat": {"en": "Chat", "ja": "会話"},
    "chat": {"en": "Chat", "ja": "会話"},
    "thought": {
        "en": "What the model thought, no part of the answer",
        "ja": "モデルの思考(答えには含みません)",
    },
    "chat_empty": {
        "en": "Add one picture or several, and ask about them.",
        "ja": "画像を 1 枚以上加えて、質問してください。",
    },
    "chat_hint": {"en": "Say something about the pictures", "ja": "画像について話してください"},
    "chat_crops": {
        "en": "Holds for a whole conversation; begin a new one to change it.",
        "ja": "会話全体に適用されます。変えるには新しい会話を始めてください。",
    },
    "anew": {"en": "New conversation", "ja": "新しい会話"},
    "tab_compare": {"en": "Compare", "ja": "比較"},
    "compare": {"en": "Compare", "ja": "比べる"},
    "model_left": {"en": "Left: checkpoint", "ja": "左: チェックポイント"},
    "model_right": {"en": "Right: checkpoint", "ja": "右: チェックポイント"},
    "follow": {"en": "Follow it", "ja": "たどる"},
    "picture": {"en": "Picture", "ja": "画像"},
    "task": {"en": "Task", "ja": "タスク"},
    "detect": {
        "en": "Detect",
        "ja": "検出",
        "de": "Erkennen",
        "es": "Detectar",
        "fr": "Détecter",
        "ko": "탐지",
        "pt": "Detectar",
        "zh": "检测",
    },
    "segment": {
        "en": "Segment",
        "ja": "切り抜き",
        "de": "Freistellen",
        "es": "Recortar",
        "fr": "Détourer",
        "ko": "분할",
        "pt": "Recortar",
        "zh": "分割",
    },
    "point": {
        "en": "Point",
        "ja": "指し示す",
        "de": "Zeigen",
        "es": "Señalar",
        "fr": "Pointer",
        "ko": "가리키기",
        "pt": "Apontar",
        "zh": "指点",
    },
    "caption": {
        "en": "Caption",
        "ja": "説明",
        "de": "Beschreiben",
        "es": "Describir",
        "fr": "Décrire",
        "ko": "설명",
        "pt": "Descrever",
        "zh": "描述",
    },
    "ask": {
        "en": "Ask",
        "ja": "質問",
        "de": "Fragen",
        "es": "Preguntar",
        "fr": "Demander",
        "ko": "질문",
        "pt": "Perguntar",
        "zh": "提问",
    },
    "ocr": {
        "en": "Read text",
        "ja": "文字認識",
        "de": "Text lesen",
        "es": "Leer texto",
        "fr": "Lire le texte",
        "ko": "글자 읽기",
        "pt": "Ler texto",
        "zh": "识别文字",
    },
    "free": {
        "en": "Free prompt",
        "ja": "自由入力",
        "de": "Freier Prompt",
        "es": "Prompt libre",
        "fr": "Prompt libre",
        "ko": "자유 프롬프트",
        "pt": "Prompt livre",
        "zh": "自由提示词",
    },
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
    "parse": {"en": "Boxes and masks", "ja": "枠とマスク"},
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
    "pictures": {"en": "Pictures, or a zip of them", "ja": "画像、または画像の zip"},
    "add_files": {"en": "Add more files", "ja": "ファイルを追加"},
    "results": {"en": "Results", "ja": "結果"},
    "gallery": {"en": "Results: choose one to look at it", "ja": "結果: 選ぶと表示します"},
    "gallery_frames": {
        "en": "Frames that were looked at: choose one",
        "ja": "見たフレーム: 選ぶと表示します",
    },
    "download": {
        "en": "Download all (COCO, masks, overlays)",
        "ja": "すべて保存(COCO・マスク・描画)",
    },
    "json": {"en": "The answer as JSON", "ja": "答えの JSON"},
    "timeline_json": {"en": "The timeline as JSON", "ja": "タイムラインの JSON"},
    "examples": {"en": "Try one of these", "ja": "例を試す"},
    "known_things": {"en": "What it knows: {n} things", "ja": "知っているもの: {n} 種類"},
    "duplicate": {"en": "Duplicate this Space", "ja": "この Space を複製"},
    "login": {"en": "Log in with Hugging Face", "ja": "Hugging Face でログイン"},
}

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
    "notes": NOTES,
    "sentences": SENTENCES,
    "live": LIVE,
    "gradio": GRADIO,
}
FOR_COMPONENTS = ("texts", "prompts", "options")  # whose keys `translate` takes
BETWEEN = ":"  # a table and a key, where they are looked up


def all_texts(language: str) -> dict[str, str]:
    """Every text: those of components by their key, and all as the page has them."""
    columns = [in_language(name, TABLES[name], language) for name in FOR_COMPONENTS]
    texts = {key: text for column in columns for key, text in column.items()}
    return texts | page_texts(language)


def page_texts(language: str) -> dict[str, str]:
    """Every text by table and key: "texts:run".

    Never by a key alone: Gradio translates whatever is one, the word that somebody typed as well.
    """
    columns = {name: in_language(name, table, language) for name, table in TABLES.items()}
    return {
        f"{name}{BETWEEN}{key}": text
        for name, column in columns.items()
        for key, text in column.items()
    }


translations = gr.I18n(**{one: with_lacking(page_texts(one)) for one in LANGUAGES})


def translate(key: str) -> Any:
    """The text of that key, in the language of whoever looks: Gradio's I18nData.

    Not all of Gradio's hints know that it is taken wherever a text is.
    """
    table = next((name for name in FOR_COMPONENTS if key in TABLES[name]), None)
    assert table, f"no text {key}"
    return translations(f"{table}{BETWEEN}{key}")


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
    return ["choice", "model", "texts", "gradio"]
