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
    "models_licence": {"en": "licence {licence}", "ja": "ライセンス {licence}"},
    "models_typed": {"en": "A folder or a Hub id of your own", "ja": "フォルダーまたは Hub の ID"},
    "models_cancel": {"en": "Cancel", "ja": "中止"},
    "models_loading": {"en": "Loading {id}", "ja": "{id} を読み込み中"},
    "models_percent": {"en": "{percent} %", "ja": "{percent} %"},
    "models_none": {"en": "Nothing is loaded", "ja": "読み込まれていません"},
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
