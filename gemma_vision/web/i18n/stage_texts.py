"""Stage texts: what the page says about each stop inside the model, in English and Japanese."""

# ruff: noqa: RUF001  (the multiplication sign is meant)

from __future__ import annotations

STAGES: dict[str, dict[str, str]] = {
    "inside_empty": {
        "en": "Press Follow it: the picture is walked through the checkpoint that is loaded, and "
        "every stop shows the numbers that are really there.",
        "ja": "「たどる」を押すと、読み込まれたチェックポイントの中を画像が通る様子を、"
        "実際の数値で段階ごとに示します。",
    },
    "stage_shape": {"en": "Shape", "ja": "形"},
    "stage_crops": {"en": "Pan and scan", "ja": "パン&スキャン"},
    "stage_crops_text": {
        "en": "A long picture is shown whole and again in {n} crops, so that small things are "
        "not lost. The whole picture is followed below.",
        "ja": "細長い画像は全体のほかに {n} 枚の切り抜きとしても渡され、小さなものを見失いません。"
        "以下では全体の画像をたどります。",
    },
    "stage_pixels": {"en": "Pixels", "ja": "画素"},
    "stage_pixels_text": {
        "en": "The picture at a size that the tower was trained on; values from {low} to 1. It is "
        "cut into {columns} × {rows} patches of {patch} pixels a side.",
        "ja": "画像は学習時の大きさに変えられ、値は {low} から 1 になります。"
        "これを一辺 {patch} 画素の {columns} × {rows} 個のパッチに分けます。",
    },
    "stage_patches": {"en": "Patch embeddings", "ja": "パッチ埋め込み"},
    "stage_patches_text": {
        "en": "Each patch becomes one row of numbers, and its place is added to it. Colours are "
        "the three directions in which the rows differ most.",
        "ja": "各パッチは 1 行の数値になり、位置の情報が足されます。"
        "色は行どうしの違いが最も大きい 3 方向(主成分)です。",
    },
    "stage_features": {"en": "Tower features", "ja": "ビジョンタワーの特徴"},
    "stage_features_text": {
        "en": "{layers} blocks let every patch look at every other one. Patches of like colour "
        "mean alike: first three principal components, worked out anew at each stop.",
        "ja": "{layers} 層のブロックで、すべてのパッチが互いを見ます。"
        "似た色は似た意味を表します(各段階の第 1〜3 主成分)。",
    },
    "stage_soft": {"en": "Soft tokens", "ja": "ソフトトークン"},
    "stage_soft_text": {
        "en": "The projector turns features into {columns} × {rows} rows as wide as the decoder's "
        "words: the picture, said in the language of the text model.",
        "ja": "プロジェクタが特徴をデコーダの単語と同じ幅の {columns} × {rows} 行に変えます。"
        "画像がテキストモデルの言葉になりました。",
    },
    "stage_merged": {"en": "One sequence", "ja": "一つの系列"},
    "stage_merged_text": {
        "en": "{images} soft tokens and the words of the prompt stand in one row of {prompt}. The "
        "mask says who may look at whom once {told} tokens of the answer are there.",
        "ja": "{images} 個のソフトトークンとプロンプトの単語が、長さ {prompt} の一列に並びます。"
        "マスクは、答えの {told} トークンが加わったときに誰が誰を見られるかを示します。",
    },
    "stage_tokens": {"en": "The answer, token by token", "ja": "答え(トークンごと)"},
    "stage_tokens_text": {
        "en": "{n} tokens. The bar is the chance the model gave each; press one to see what else "
        "it could have been. A position counts with its ten neighbours on either side.",
        "ja": "{n} トークン。棒はモデルが与えた確率です。押すと他の候補が見られます。"
        "位置トークンは前後 10 個の近傍と合わせて数えます。",
    },
    "stage_masks": {"en": "Codes become a mask", "ja": "符号がマスクになる"},
    "stage_masks_text": {
        "en": "Sixteen of 128 codes, laid out 4 × 4, say the shape; the mask decoder draws it in "
        "64 × 64, and it is stretched over the box.",
        "ja": "128 種類の符号のうち 16 個を 4 × 4 に並べて形を表します。"
        "マスクデコーダが 64 × 64 に描き、枠に合わせて引き伸ばします。",
    },
    "pic_crops": {"en": "Where it is cropped", "ja": "切り抜く場所"},
    "pic_pixels": {"en": "What the model is given", "ja": "モデルが受け取る画像"},
    "pic_ruled": {"en": "Its patches", "ja": "パッチ"},
    "pic_patches": {"en": "Patches and their places", "ja": "パッチと位置"},
    "pic_layer": {"en": "after block {n}", "ja": "ブロック {n} のあと"},
    "pic_features": {"en": "after the last norm", "ja": "最後の正規化のあと"},
    "pic_pooled": {"en": "tiles of patches, averaged", "ja": "パッチをまとめた平均"},
    "pic_window": {
        "en": "Attention in layers with a window, {n} × {n}: it hides what is far back, and only "
        "here a picture sees all of itself",
        "ja": "窓のある層のアテンション({n} × {n}):遠い過去は隠れ、"
        "画像が自分全体を見るのはここだけです",
    },
    "pic_soft": {"en": "Soft tokens", "ja": "ソフトトークン"},
    "pic_embeds": {
        "en": "A row for each token, its first {n} numbers across: blue below zero, orange above",
        "ja": "行はトークン、横は最初の {n} 個の数値(青は負、橙は正)",
    },
    "pic_mask": {
        "en": "Attention, {n} × {n}: what a row may look at: picture (violet), words of the "
        "prompt (green), answer (orange); dark is out of sight",
        "ja": "注意マスク({n} × {n}): 各行が見てよい列。紫は画像、緑はプロンプト、橙は答え、"
        "暗い所は見えません",
    },
    "soft_run": {"en": "picture × {n}", "ja": "画像 × {n}"},
    "could_be": {"en": "It could have been:", "ja": "他の候補:"},
    "neighbours": {"en": "with its neighbours {p}", "ja": "近傍を合わせて {p}"},
    "edges_title": {
        "en": "Where each edge could have gone: chances over the 1024 positions, on the picture",
        "ja": "各辺の位置の確率分布(1024 段階)",
    },
    "edges_alt": {
        "en": "Box {n}: top {y0}, left {x0}, bottom {y1}, right {x1} of 1024",
        "ja": "枠 {n}: 上 {y0}、左 {x0}、下 {y1}、右 {x1}(1024 段階)",
    },
    "pic_codes": {"en": "16 codes of {label}", "ja": "{label} の 16 符号"},
    "pic_chances": {"en": "Chances, 64 × 64", "ja": "確率(64 × 64)"},
    "pic_placed": {"en": "In its box", "ja": "枠の中"},
}
