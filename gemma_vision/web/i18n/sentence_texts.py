"""Sentence texts: what the library says to visitors most often, whole in every language.

The English is the library's own sentence, with holes for its names and numbers, by which the page
knows it. Of a sentence that is not here, the page tells the meaning of its code, and the English.
"""

from __future__ import annotations

SENTENCES: dict[str, dict[str, str]] = {
    "no_picture": {
        "en": "There is no picture; upload one and try again.",
        "ja": "画像がありません。画像を選んでから、もう一度お試しください。",
    },
    "no_video": {
        "en": "There is no video; upload one and try again.",
        "ja": "動画がありません。動画を選んでから、もう一度お試しください。",
    },
    "no_pictures": {
        "en": "There are no pictures; add some, or a zip of some.",
        "ja": "画像がありません。画像か、画像の入った zip を追加してください。",
    },
    "nothing_to_detect": {
        "en": 'Nothing to detect: name one thing or several, for example "cat ; dog".',
        "ja": "検出するものがありません。「cat ; dog」のように、探すものを書いてください。",
    },
    "nothing_to_segment": {
        "en": 'Nothing to segment: name one thing or several, for example "cat ; dog".',
        "ja": "切り抜くものがありません。「cat ; dog」のように、探すものを書いてください。",
    },
    "no_question": {
        "en": "There is no question: the text is empty; write some words.",
        "ja": "質問がありません。質問を書いてください。",
    },
    "no_prompt": {
        "en": "There is no prompt: the text is empty; write some words.",
        "ja": "プロンプトがありません。プロンプトを書いてください。",
    },
    "control_token": {
        "en": "The text holds {token}, which is a command to the model; leave it out.",
        "ja": "文章の {token} はモデルへの命令です。取り除いてください。",
    },
    "text_too_long": {
        "en": "The text has {n} characters; the limit is {limit}. Shorten it.",
        "ja": "文章は {n} 文字ありますが、上限は {limit} 文字です。短くしてください。",
    },
    "noted": {
        "en": "Something went wrong on our side; it was noted as {number}. Try again, or try "
        "another picture.",
        "ja": "内部でエラーが起きました。{number} として記録しました。もう一度試すか、"
        "別の画像をお使いください。",
    },
    "unreadable_picture": {
        "en": "{name} is not a picture that can be read. Give a PNG, JPEG, WEBP, AVIF, TIFF, BMP "
        "or GIF picture.",
        "ja": "{name} は画像として読めません。PNG、JPEG、WEBP、AVIF、TIFF、BMP、GIF の"
        "画像を使ってください。",
    },
    "empty_picture": {
        "en": "{name} is empty (0 bytes). Give a PNG, JPEG, WEBP, AVIF, TIFF, BMP or GIF picture.",
        "ja": "{name} は空のファイル(0 バイト)です。PNG、JPEG、WEBP、AVIF、TIFF、BMP、GIF の"
        "画像を使ってください。",
    },
    "unreadable_video": {
        "en": "{name} is no video that can be read. Give an MP4, MOV, WEBM, MKV or AVI video.",
        "ja": "{name} は動画として読めません。MP4、MOV、WEBM、MKV、AVI の動画を使ってください。",
    },
    "sound_only": {
        "en": "{name} has sound and no picture. Give an MP4, MOV, WEBM, MKV or AVI video.",
        "ja": "{name} は音声だけで映像がありません。MP4、MOV、WEBM、MKV、AVI の"
        "動画を使ってください。",
    },
    "picture_file_large": {
        "en": "{name} is larger than {n} MiB. Save it smaller and try again.",
        "ja": "{name} は {n} MiB を超えています。小さく保存し直して、もう一度お試しください。",
    },
    "picture_large": {
        "en": "{name} is {width} x {height}; the limit is {limit} a side and {n} "
        "million pixels. Resize it and try again.",
        "ja": "{name} は {width} x {height} です。上限は 1 辺 {limit}、{n} 百万画素です"
        "。縮小して、もう一度お試しください。",
    },
    "video_large": {
        "en": "{name} is {width} x {height}; the limit is {limit} a side and {n} "
        "million pixels. Save it smaller and try again.",
        "ja": "{name} は {width} x {height} です。上限は 1 辺 {limit}、{n} 百万画素です"
        "。小さく保存し直して、もう一度お試しください。",
    },
    "damaged_picture": {
        "en": "{name} is damaged or cut short. Save it again and retry.",
        "ja": "{name} は壊れているか、途中で切れています。保存し直して、もう一度お試しください。",
    },
    "too_many_pictures": {
        "en": "There are more than {n} pictures; send fewer at a time.",
        "ja": "画像が {n} 枚を超えています。枚数を減らしてください。",
    },
    "too_many_asked": {
        "en": "There are {n} pictures; one request takes up to {limit}.",
        "ja": "画像が {n} 枚あります。1 回の依頼では {limit} 枚までです。",
    },
    "unknown_name_meant": {
        "en": "This checkpoint does not know {asked}. Did you mean {name}? It knows {known}.",
        "ja": "このチェックポイントは {asked} を知りません。{name} のことですか? 知って"
        "いるもの: {known}。",
    },
    "unknown_name": {
        "en": "This checkpoint does not know {asked}. It knows {known}.",
        "ja": "このチェックポイントは {asked} を知りません。知っているもの: {known}。",
    },
    "one_phrase": {
        "en": "{name} takes one phrase at a time, such as: the dog on the left.",
        "ja": "{name} は一度に 1 つの語句だけを探します(例: the dog on the left)。",
    },
    "full_conversation": {
        "en": "This conversation has {n} turns, which is the limit; begin a new one.",
        "ja": "この会話は上限の {n} 回に達しました。新しい会話を始めてください。",
    },
    "long_answer": {
        "en": "The answer has {n} characters; the limit is {limit}. Paste a part.",
        "ja": "答えは {n} 文字ありますが、上限は {limit} 文字です。一部を貼り付けてください。",
    },
    "many_masks": {
        "en": "The answer has {n} masks; the limit over the network is {limit}. Paste "
        "a part, or parse it on your own machine.",
        "ja": "答えにマスクが {n} 個あります。ネットワーク越しの上限は {limit} 個です。"
        "一部を貼り付けるか、手元の機械で読んでください。",
    },
    "too_slow": {
        "en": "The answer took more than {seconds} seconds; ask for less.",
        "ja": "答えに {seconds} 秒以上かかりました。頼む量を減らしてください。",
    },
    "cut_off": {
        "en": "The run was cut off ({kind}); try again.",
        "ja": "実行が途中で切れました({kind})。もう一度お試しください。",
    },
    "ended_early": {
        "en": "The run ended before its answer was whole; try again.",
        "ja": "答えが揃う前に実行が終わりました。もう一度お試しください。",
    },
    "name_a_checkpoint": {
        "en": "Name a checkpoint: a folder or a Hub id.",
        "ja": "チェックポイントを、フォルダーか Hub の id で書いてください。",
    },
    "listed_alone": {
        "en": "Here only checkpoints of the list can be loaded; take one of those.",
        "ja": "ここでは一覧のチェックポイントだけを読み込めます。その中から選んでください。",
    },
    "no_token_taken": {
        "en": "No token is taken here: others reach this app. Its operator sets HF_TOKEN.",
        "ja": "他の人もこのアプリを使えるため、ここではトークンを受け取りません。運用者"
        "が HF_TOKEN を設定します。",
    },
    "fixed_checkpoint": {
        "en": "The checkpoint is fixed here; run the app yourself to choose another.",
        "ja": "ここではチェックポイントを変えられません。別のものを選ぶには、ご自分でア"
        "プリを動かしてください。",
    },
    "needs_memory": {
        "en": "{name} needs {need} GB and there are {room}. Take a smaller one.",
        "ja": "{name} には {need} GB 必要ですが、空きは {room} GB です。小さいものを選"
        "んでください。",
    },
    "no_memory": {
        "en": "There is not enough memory for {name}. Take a smaller checkpoint.",
        "ja": "{name} にはメモリーが足りません。小さいチェックポイントを選んでください。",
    },
    "unreadable_checkpoint": {
        "en": "{name} cannot be read as a checkpoint. Fetch it again, or take another.",
        "ja": "{name} はチェックポイントとして読めません。取得し直すか、別のものを選んでください。",
    },
    "being_loaded": {
        "en": "{name} is being loaded; wait for it, or cancel it first.",
        "ja": "{name} を読み込んでいます。待つか、先に取り消してください。",
    },
    "loaded_already": {
        "en": "{name} is loaded already; ask it something.",
        "ja": "{name} はもう読み込まれています。何か頼んでみてください。",
    },
    "others_load": {
        "en": "Another visitor began to load {name}; wait for it to be there.",
        "ja": "別の人が {name} の読み込みを始めました。終わるまでお待ちください。",
    },
    "offline": {
        "en": "{id} is not on this machine and the Hub cannot be reached. Connect once "
        "to fetch it, or name a folder that holds it.",
        "ja": "{id} はこの機械になく、Hub にもつながりません。一度つないで取得するか、"
        "それが入ったフォルダーを指定してください。",
    },
    "licence_asked": {
        "en": "{id} asks you to accept its licence, and no token was given: open "
        "{page}, accept it, then log in with `hf auth login` or set HF_TOKEN.",
        "ja": "{id} は使用許諾への同意が必要ですが、トークンがありません。{page} を開い"
        "て同意し、`hf auth login` でログインするか HF_TOKEN を設定してください。",
    },
    "licence_missing": {
        "en": "The account of this token has not accepted the licence of {id}: open "
        "{page} with the same account, accept it, and load again.",
        "ja": "このトークンのアカウントは {id} の使用許諾に同意していません。同じアカウ"
        "ントで {page} を開いて同意し、もう一度読み込んでください。",
    },
    "token_refused": {
        "en": "The Hub does not accept the token that it was asked with for {id}: it "
        "is mistyped, expired or revoked. Make a new one at {page} and give that.",
        "ja": "Hub は {id} に使ったトークンを受け付けません。打ち間違いか、期限切れか、"
        "取り消し済みです。{page} で新しく作って入力してください。",
    },
    "no_token": {
        "en": "That is no token of the Hub: one is a single word that begins with hf_. "
        "Copy it anew from {page}.",
        "ja": "Hub のトークンではありません。hf_ で始まる 1 語です。{page} からコピーし"
        "直してください。",
    },
    "unknown_model": {
        "en": "The Hub has no public model {id}. Check the name; if it is a private "
        "one, log in with `hf auth login` or set HF_TOKEN.",
        "ja": "Hub に公開モデル {id} はありません。名前を確かめてください。非公開なら `"
        "hf auth login` でログインするか HF_TOKEN を設定してください。",
    },
    "no_model": {
        "en": "There is no model {name}. Take {known}, a folder with a checkpoint, or "
        "a Hub id such as {id}.",
        "ja": "モデル {name} はありません。{known}、チェックポイントのフォルダー、また"
        "は {id} のような Hub の id を書いてください。",
    },
    "adapter_merged_first": {
        "en": "The adapter is {kind}. Merge it with PEFT (`merge_and_unload`) and load "
        "the folder that it then saves.",
        "ja": "このアダプターは次の種類です: {kind}。PEFT の `merge_and_unload` で統合"
        "し、保存されたフォルダーを読み込んでください。",
    },
    "read_as": {
        "en": "'{written}' was read as '{name}'.",
        "ja": "「{written}」を「{name}」と読みました。",
    },
    "removed_score": {
        "en": "Its score {score} is below {least}.",
        "ja": "スコア {score} の結果は {least} 未満なので省きました。",
    },
    "removed_unasked": {
        "en": "Left out: {name}, not asked for.",
        "ja": "頼んでいない「{name}」を省きました。",
    },
    "removed_repeat": {
        "en": "The same record came before.",
        "ja": "重複した結果を省きました。",
    },
    "removed_full_frame": {
        "en": "Its box is nearly the whole picture.",
        "ja": "画像全体の枠を省きました。",
    },
    "removed_overlap": {
        "en": "It overlaps a surer box of its label.",
        "ja": "重なる枠を省きました。",
    },
}
