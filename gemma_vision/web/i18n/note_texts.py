"""Note texts: what an error or a warning means, by its code, for those who do not read English.

The library's own sentences are English and have the numbers and names; the page puts them behind
these, where it does not know them whole (`sentence_texts.py`). `E_` are the codes of errors, `W_`
those of an answer's warnings.
"""

from __future__ import annotations

NOTES: dict[str, dict[str, str]] = {
    "E_INTERNAL": {"en": "Something went wrong.", "ja": "内部でエラーが起きました。"},
    "E_PACKAGE": {"en": "A package is missing.", "ja": "パッケージが足りません。"},
    "E_NO_IMAGE": {"en": "There is no picture.", "ja": "画像がありません。"},
    "E_NO_VIDEO": {"en": "There is no video.", "ja": "動画がありません。"},
    "E_UPLOAD": {
        "en": "The file was not uploaded.",
        "ja": "アップロードされたファイルではありません。",
    },
    "E_IMAGE_UNREADABLE": {"en": "The picture cannot be read.", "ja": "画像を読めません。"},
    "E_IMAGE_MISSING": {"en": "The picture is not there.", "ja": "画像が見つかりません。"},
    "E_IMAGE_TYPE": {"en": "That is no picture.", "ja": "画像ではありません。"},
    "E_IMAGE_EMPTY": {"en": "The picture is empty.", "ja": "画像が空です。"},
    "E_IMAGE_TOO_LARGE": {"en": "The picture is too large.", "ja": "画像が大きすぎます。"},
    "E_IMAGE_FORMAT": {
        "en": "That is not a picture.",
        "ja": "対応している画像形式ではありません。",
    },
    "E_IMAGE_COUNT": {
        "en": "This checkpoint takes another number of pictures.",
        "ja": "このチェックポイントでは画像の枚数が合いません。",
    },
    "E_TOO_MANY_IMAGES": {"en": "There are too many pictures.", "ja": "画像が多すぎます。"},
    "E_VIDEO_UNREADABLE": {"en": "The video cannot be read.", "ja": "動画を読めません。"},
    "E_VIDEO_MISSING": {"en": "The video is not there.", "ja": "動画が見つかりません。"},
    "E_VIDEO_NO_PICTURE": {"en": "The file has no pictures.", "ja": "ファイルに映像がありません。"},
    "E_VIDEO_TOO_LARGE": {"en": "The video is too large.", "ja": "動画が大きすぎます。"},
    "E_VIDEO_JOINED": {
        "en": "The video changes its size on the way.",
        "ja": "動画の途中で大きさが変わります。",
    },
    "E_VIDEO_TARGET": {"en": "The video cannot be written.", "ja": "動画を書き出せません。"},
    "E_NO_NAMES": {"en": "Say what to look for.", "ja": "探すものを書いてください。"},
    "E_NO_TEXT": {"en": "The text is missing.", "ja": "文章がありません。"},
    "E_TEXT": {"en": "The text cannot be used.", "ja": "この文章は使えません。"},
    "E_TEXT_TOO_LONG": {"en": "The text is too long.", "ja": "文章が長すぎます。"},
    "E_CONTROL_TOKEN": {
        "en": "The text holds a command to the model.",
        "ja": "文章にモデルへの命令が含まれています。",
    },
    "E_UNKNOWN_NAME": {
        "en": "The checkpoint was not taught that name.",
        "ja": "このチェックポイントはその名前を学んでいません。",
    },
    "E_OPTION": {"en": "An option is out of range.", "ja": "設定の値が範囲外です。"},
    "E_REQUEST": {"en": "The request cannot be used.", "ja": "この依頼は実行できません。"},
    "E_DROP_UNASKED": {
        "en": "Without names nothing can be left out by name.",
        "ja": "名前がないと、名前で省くことはできません。",
    },
    "E_FILTER": {"en": "A filter is out of range.", "ja": "絞り込みの値が範囲外です。"},
    "E_REGION": {
        "en": "The part of the picture cannot be used.",
        "ja": "画像の範囲の指定が正しくありません。",
    },
    "E_TASK": {"en": "That is no task.", "ja": "そのようなタスクはありません。"},
    "E_TASK_UNSUPPORTED": {
        "en": "The checkpoint cannot do this task.",
        "ja": "このチェックポイントではそのタスクを実行できません。",
    },
    "E_STYLE": {
        "en": "The checkpoint has no captions of this length.",
        "ja": "この長さの説明はこのチェックポイントではできません。",
    },
    "E_ONE_PHRASE": {
        "en": "The checkpoint looks for one thing at a time.",
        "ja": "このチェックポイントは一度に一つだけ探せます。",
    },
    "E_PAN_AND_SCAN": {
        "en": "The checkpoint has no pan and scan.",
        "ja": "このチェックポイントではパン&スキャンを使えません。",
    },
    "E_BUDGET": {
        "en": "The checkpoint cannot make a picture so many tokens.",
        "ja": "画像をそのトークン数にはできません。",
    },
    "E_THINKING": {
        "en": "The checkpoint does not think before it answers.",
        "ja": "このチェックポイントは先に考えることができません。",
    },
    "E_TURNS": {"en": "The conversation cannot go on.", "ja": "この会話は続けられません。"},
    "E_SIZE": {"en": "The size of the picture is missing.", "ja": "画像の大きさが必要です。"},
    "E_POLICY": {
        "en": "That is no way to read boxes.",
        "ja": "枠の読み方の指定が正しくありません。",
    },
    "E_TOO_MANY_MASKS": {"en": "There are too many masks.", "ja": "マスクが多すぎます。"},
    "E_MASK_DECODER": {
        "en": "The mask decoder is not to be had.",
        "ja": "マスクデコーダを用意できません。",
    },
    "E_DOWNLOAD": {
        "en": "The file cannot be made.",
        "ja": "ファイルを作成できません。",
    },
    "E_DECODING": {
        "en": "This checkpoint cannot be held to records.",
        "ja": "このチェックポイントでは厳密なデコードはできません。",
    },
    "E_LOADING": {
        "en": "A checkpoint is being loaded.",
        "ja": "チェックポイントを読み込み中です。",
    },
    "E_LOADED": {
        "en": "This checkpoint is loaded already.",
        "ja": "このチェックポイントはすでに使用中です。",
    },
    "E_MODEL_UNKNOWN": {
        "en": "There is no such checkpoint.",
        "ja": "そのチェックポイントは見つかりません。",
    },
    "E_MODEL_CHOICE": {
        "en": "This checkpoint cannot be chosen here.",
        "ja": "ここではこのチェックポイントを選べません。",
    },
    "E_ORIGIN": {"en": "The call came from another page.", "ja": "別のページからの呼び出しです。"},
    "E_BUSY": {"en": "There is much to do just now.", "ja": "ただいま混み合っています。"},
    "E_REMOTE": {
        "en": "The server of the model does not answer.",
        "ja": "モデルのサーバーが応答しません。",
    },
    "E_STOPPED": {"en": "It was stopped.", "ja": "停止されました。"},
    "E_CUT_OFF": {"en": "The run was cut off.", "ja": "実行が途中で切れました。"},
    "E_DEADLINE": {"en": "It took too long.", "ja": "時間がかかりすぎました。"},
    "E_MEMORY": {"en": "There is too little memory.", "ja": "メモリが足りません。"},
    "E_CHECKPOINT": {
        "en": "The checkpoint cannot be used.",
        "ja": "このチェックポイントは使えません。",
    },
    "E_OFFLINE": {"en": "The Hub cannot be reached.", "ja": "Hub に接続できません。"},
    "E_HUB": {
        "en": "The Hub did not give the checkpoint.",
        "ja": "Hub からチェックポイントを取得できませんでした。",
    },
    "E_LICENCE": {
        "en": "The licence has not been accepted yet.",
        "ja": "ライセンスへの同意がまだです。",
    },
    "E_MODEL_GATED": {
        "en": "A token is needed to fetch this checkpoint.",
        "ja": "このチェックポイントの取得にはトークンが必要です。",
    },
    "E_TOKEN": {"en": "That is no token of the Hub.", "ja": "Hub のトークンではありません。"},
    "E_TOKEN_REFUSED": {
        "en": "The Hub refused the token.",
        "ja": "トークンが Hub に拒否されました。",
    },
    "E_TOKEN_SCOPE": {
        "en": "The token may not read this checkpoint.",
        "ja": "このトークンではこのチェックポイントを読めません。",
    },
    "E_MODEL_NAME": {
        "en": "That is no name of a checkpoint.",
        "ja": "チェックポイントの名前ではありません。",
    },
    "E_MODEL_FAMILY": {
        "en": "Checkpoints of this kind do not run here.",
        "ja": "この種類のチェックポイントはここでは動きません。",
    },
    "E_CHECKPOINT_INCOMPLETE": {
        "en": "Files of the checkpoint are missing.",
        "ja": "チェックポイントのファイルが足りません。",
    },
    "E_CHECKPOINT_DAMAGED": {
        "en": "A file of the checkpoint is damaged.",
        "ja": "チェックポイントのファイルが壊れています。",
    },
    "E_CHECKPOINT_TENSORS": {
        "en": "The weights do not fit the checkpoint.",
        "ja": "重みがチェックポイントと合いません。",
    },
    "E_ADAPTER": {"en": "The adapter cannot be used.", "ja": "このアダプターは使えません。"},
    "E_ADAPTER_BASE": {
        "en": "The checkpoint under the adapter is not to be had.",
        "ja": "アダプターの土台のチェックポイントを用意できません。",
    },
    "E_PREQUANTISED": {
        "en": "Checkpoints packed by others do not run here.",
        "ja": "量子化済みのチェックポイントはここでは動きません。",
    },
    "E_DEVICE": {"en": "That device is not here.", "ja": "そのデバイスはありません。"},
    "E_DTYPE": {"en": "That number type cannot be used.", "ja": "その数値型は使えません。"},
    "E_DISK_FULL": {"en": "The disk is full.", "ja": "ディスクがいっぱいです。"},
    "W_INCOMPLETE_BOX": {"en": "A box was incomplete.", "ja": "枠が途中で切れていました。"},
    "W_INCOMPLETE_MASK": {"en": "A mask was incomplete.", "ja": "マスクが途中で切れていました。"},
    "W_SURPLUS_LOCS": {"en": "There were too many positions.", "ja": "位置が多すぎました。"},
    "W_SURPLUS_CODES": {
        "en": "There were too many mask codes.",
        "ja": "マスク符号が多すぎました。",
    },
    "W_STRAY_CODES": {"en": "Mask codes had no box.", "ja": "枠のないマスク符号がありました。"},
    "W_OUT_OF_RANGE": {"en": "A number was out of range.", "ja": "範囲外の数値がありました。"},
    "W_INVERTED_BOX": {
        "en": "A box had its corners in the wrong order.",
        "ja": "枠の角の順序が逆でした。",
    },
    "W_FULL_FRAME": {"en": "A box is the whole picture.", "ja": "枠が画像全体です。"},
    "W_REPEAT": {"en": "A result came twice.", "ja": "同じ結果が繰り返されました。"},
    "W_ESCAPED": {"en": "The answer was escaped.", "ja": "答えの記号が置き換えられていました。"},
    "W_UNREAD": {"en": "A part could not be read.", "ja": "読み取れない部分がありました。"},
    "W_TOKEN_LIMIT": {
        "en": "The answer was cut at the token limit.",
        "ja": "答えがトークン数の上限で切れました。",
    },
    "W_NO_SOUND": {"en": "The sound was left out.", "ja": "音声は省きました。"},
    "W_NO_MASK_DECODER": {
        "en": "Masks could not be drawn.",
        "ja": "マスクを描けませんでした。",
    },
    "W_READ_AS": {
        "en": "A name was read as one that the checkpoint knows.",
        "ja": "名前をチェックポイントの知る名前に読み替えました。",
    },
    "W_UNKNOWN_NAME": {
        "en": "The checkpoint was not taught that name.",
        "ja": "このチェックポイントはその名前を学んでいません。",
    },
    "W_REMOVED_REPEAT": {"en": "A copy was left out.", "ja": "重複した結果を省きました。"},
    "W_REMOVED_OVERLAP": {
        "en": "A box that overlaps another was left out.",
        "ja": "重なる枠を省きました。",
    },
    "W_REMOVED_FULL_FRAME": {
        "en": "A box of the whole picture was left out.",
        "ja": "画像全体の枠を省きました。",
    },
    "W_REMOVED_UNASKED": {
        "en": "A name that was not asked for was left out.",
        "ja": "頼んでいない名前を省きました。",
    },
    "W_REMOVED_SCORE": {
        "en": "A result with a low score was left out.",
        "ja": "スコアの低い結果を省きました。",
    },
}
