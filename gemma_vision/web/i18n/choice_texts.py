"""Choice texts: what the page says while a checkpoint is chosen, fetched and read."""

from __future__ import annotations

CHOICE: dict[str, dict[str, str]] = {
    "models_open": {"en": "Choose another checkpoint", "ja": "別のチェックポイントを選ぶ"},
    "models_title": {"en": "Checkpoints", "ja": "チェックポイント"},
    "models_close": {"en": "Close", "ja": "閉じる"},
    "models_room": {
        "en": "{room} free on {device}",
        "ja": "{device} の空き {room}",
    },
    "models_here": {"en": "On this machine", "ja": "このマシンにあるもの"},
    "models_loaded": {"en": "Loaded", "ja": "使用中"},
    "models_load": {"en": "Load", "ja": "読み込む"},
    "models_load_named": {"en": "Load {id}", "ja": "{id} を読み込む"},
    "models_fetch": {"en": "{size} to fetch", "ja": "取得 {size}"},
    "models_needs": {
        "en": "too large: needs {need} of memory",
        "ja": "メモリ不足: {need} 必要",
    },
    "models_line": {"en": "{title}: {n} checkpoints", "ja": "{title}: {n} 個のチェックポイント"},
    "kind_mix": {"en": "ready for use as is", "ja": "そのまま使える多目的版"},
    "kind_pt": {"en": "pretrained, to be tuned further", "ja": "追加学習の土台となる版"},
    "kind_ft": {"en": "fine-tuned for one task alone", "ja": "一つのタスク専用の版"},
    "kind_it": {"en": "follows instructions, talks about pictures", "ja": "指示に従い対話する版"},
    "models_licence": {"en": "licence {licence}", "ja": "ライセンス {licence}"},
    "models_typed": {"en": "A folder or a Hub id of your own", "ja": "フォルダーまたは Hub の ID"},
    "models_cancel": {"en": "Cancel", "ja": "中止"},
    "models_loading": {"en": "Loading {id}", "ja": "{id} を読み込み中"},
    "models_percent": {"en": "{percent} %", "ja": "{percent} %"},
    "models_none": {"en": "Nothing is loaded", "ja": "読み込まれていません"},
    "door_title": {"en": "Recommended for this machine", "ja": "このマシンへのおすすめ"},
    "door_none": {
        "en": "None of Google's checkpoints fits here",
        "ja": "Google のチェックポイントはここに収まりません",
    },
    "door_does": {
        "en": "Finds and outlines things in photographs, describes them and answers questions.",
        "ja": "写真の中のものを見つけて切り抜き、説明し、質問に答えます。",
    },
    "door_needs": {
        "en": "needs {need} of memory, you have {room} on {device}",
        "ja": "必要メモリ {need}、{device} の空き {room}",
    },
    "door_open": {"en": "Without an account", "ja": "アカウントなしで使うなら"},
    "door_open_does": {
        "en": "Finds things with boxes, points, describes and reads; makes no outlines. "
        "Nothing to accept.",
        "ja": "物を枠で見つけ、指し示し、説明し、文字を読みます。輪郭は描けません。"
        "同意の手続きは不要です。",
    },
    "door_seconds": {
        "en": "about {n} s a picture (estimated)",
        "ja": "画像 1 枚あたり約 {n} 秒(推定)",
    },
    "door_here": {"en": "already on this machine", "ja": "このマシンに取得済み"},
    "door_short": {
        "en": "The smallest that finds and outlines things, {id}, needs {need} of memory, and "
        "{room} are free on {device}. Close other programs, or take a machine with that much free.",
        "ja": "ものを見つけて切り抜ける最小の {id} には {need} のメモリが必要ですが、"
        "{device} の空きは {room} です。ほかのプログラムを閉じるか、"
        "空きの多いマシンを使ってください。",
    },
    "door_packed": {
        "en": "Packed in 4 bits it needs {need}: install bitsandbytes and start the app with "
        "--dtype int4.",
        "ja": "4 ビットなら {need} で動きます。bitsandbytes を入れ、--dtype int4 を付けてアプリを"
        "起動してください。",
    },
    "step_licence": {
        "en": "Log in at Hugging Face and accept the licence, once; it is granted at once.",
        "ja": "Hugging Face にログインし、ライセンスに一度同意します(すぐに許可されます)。",
    },
    "step_licence_link": {"en": "Page of {id}", "ja": "{id} のページ"},
    "step_load": {"en": "Fetch it and load it.", "ja": "取得して読み込みます。"},
    "token_none": {
        "en": "A token shows the Hub that this is you: there is no token yet.",
        "ja": "本人であることを Hub に示すトークンがまだありません。",
    },
    "token_given": {
        "en": "A token is there: from you, in memory until the app ends.",
        "ja": "トークンあり: 入力されたもの(アプリが終わるまでメモリにだけ置かれます)。",
    },
    "token_login": {
        "en": "A token is there: from hf auth login.",
        "ja": "トークンあり: hf auth login によるもの。",
    },
    "token_environment": {
        "en": "A token is there: from HF_TOKEN.",
        "ja": "トークンあり: HF_TOKEN によるもの。",
    },
    "token_operator": {
        "en": "The token of this app's operator is used.",
        "ja": "このアプリの運営者のトークンを使います。",
    },
    "token_operator_none": {
        "en": "This app's operator has set no token; without one it cannot be fetched.",
        "ja": "このアプリの運営者がトークンを設定していないため、取得できません。",
    },
    "token_field": {
        "en": "A token of the kind Read, from huggingface.co/settings/tokens",
        "ja": "huggingface.co/settings/tokens の Read 権限のトークン",
    },
    "token_use": {"en": "Use it", "ja": "使う"},
    "token_or": {
        "en": "Or log in with hf auth login in a terminal.",
        "ja": "または端末で hf auth login を実行してください。",
    },
    "token_forget": {"en": "Forget it", "ja": "破棄する"},
    "token_form": {
        "en": "That is no token of the Hub: a token is one word that begins with hf_. Copy it.",
        "ja": "Hub のトークンではありません。hf_ で始まる一語です。もう一度コピーしてください。",
    },
    "token_failed": {
        "en": "The app did not answer. Try again.",
        "ja": "アプリが応答しません。もう一度お試しください。",
    },
    "phase_asking": {"en": "Asking the Hub for {id}", "ja": "Hub に {id} を問い合わせ中"},
    "phase_fetching": {
        "en": "Fetching {id}: {done} of {total}",
        "ja": "{id} を取得中: {total} 中 {done}",
    },
    "phase_waiting": {
        "en": "{id} waits for the answer under way to end",
        "ja": "{id}: 進行中の答えが終わるのを待っています",
    },
    "phase_reading": {
        "en": "Reading {id}: {done} of {total} tensors",
        "ja": "{id} を読み込み中: テンソル {total} 中 {done}",
    },
    "phase_preparing": {
        "en": "Preparing {id}: {done} of {total} layers",
        "ja": "{id} を準備中: 層 {total} 中 {done}",
    },
    "phase_returning": {
        "en": "{id} did not come in; going back to the former checkpoint",
        "ja": "{id} は使えません。元のチェックポイントに戻しています",
    },
    "outcome_loaded": {"en": "{id} answers from now on.", "ja": "これからは {id} が答えます。"},
    "outcome_cancelled": {
        "en": "{id} was called off; {model} answers as before.",
        "ja": "{id} を中止しました。引き続き {model} が答えます。",
    },
    "outcome_failed": {
        "en": "{id} was not loaded; {model} answers as before. {why}",
        "ja": "{id} は読み込めませんでした。引き続き {model} が答えます。{why}",
    },
}
