"""Viewer texts: what stands around an answer: its state, its things, its tools; and of progress."""

from __future__ import annotations

VIEWER: dict[str, dict[str, str]] = {
    "empty": {
        "en": "Choose a picture, say what to look for, press Run.",
        "ja": "画像を選び、探すものを書いて「実行」を押してください。",
    },
    "paste_empty": {
        "en": "Paste what a model wrote, add its picture if you have it, press Show it.",
        "ja": "モデルの答えを貼り付け、元の画像があれば加えて「表示」を押してください。",
    },
    "live_empty": {
        "en": "Write what to look for and start the camera. Its frames are looked at and not kept.",
        "ja": "探すものを書いて、カメラを始めてください。映像は見るだけで、保存しません。",
    },
    "batch_empty": {
        "en": "Choose up to 32 pictures, say what to look for, press Run.",
        "ja": "画像を 32 枚まで選び、探すものを書いて「実行」を押してください。",
    },
    "batch_facts": {
        "en": "{done} of {total} pictures · {objects} objects",
        "ja": "{total} 枚中 {done} 枚 · {objects} 個",
    },
    "batch_failed": {"en": "{failed} failed", "ja": "失敗 {failed} 枚"},
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
    "plan_whole": {
        "en": "Will look at {looks} frames, one every {gap} s, over all {seconds} s.",
        "ja": "{seconds} 秒全体から {gap} 秒ごとに {looks} フレームを見ます。",
    },
    "plan_whole_one": {
        "en": "Will look at 1 frame, the first.",
        "ja": "最初の 1 フレームを見ます。",
    },
    "plan_cut_one": {
        "en": "Will look at 1 frame, the first, and end the video after {seen} of {seconds} s.",
        "ja": "最初の 1 フレームを見て、{seconds} 秒のうち {seen} 秒で動画を終えます。",
    },
    "plan_cut": {
        "en": "Will look at {looks} frames and end the video after {seen} of {seconds} s.",
        "ja": "{looks} フレームを見て、{seconds} 秒中 {seen} 秒で動画を終えます。",
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
    "compare_nothing": {
        "en": "Neither side found anything",
        "ja": "どちらも何も見つけませんでした",
    },
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
    "masks_by": {"en": "masks by {model}", "ja": "マスク: {model}"},
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
    "unshown": {
        "en": "{name}: browsers show no picture of this kind, but it can be looked at. Press Run.",
        "ja": "{name}: ブラウザーでは表示できない形式ですが、読み取れます。"
        "「実行」を押してください。",
    },
    "no_camera": {
        "en": "No camera was found. Upload a picture or paste one.",
        "ja": "カメラが見つかりません。画像を選ぶか、貼り付けてください。",
    },
    "not_a_picture": {
        "en": "{name} is not a picture. Bring a PNG, JPEG, WEBP, AVIF, TIFF, BMP or GIF file.",
        "ja": "{name} は画像ではありません。PNG、JPEG、WEBP、AVIF、TIFF、BMP、GIF の"
        "ファイルを使ってください。",
    },
    "one_of_many": {
        "en": "Of {n} files, {name} was taken. Several pictures at once go into Batch.",
        "ja": "{n} 個のファイルのうち {name} を使います。複数の画像は「一括」へどうぞ。",
    },
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
