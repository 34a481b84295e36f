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
}
