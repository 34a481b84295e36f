"""Live texts: what stands around a camera's moving picture."""

from __future__ import annotations

LIVE: dict[str, dict[str, str]] = {
    "start": {"en": "Start the camera", "ja": "カメラを始める"},
    "freeze": {"en": "Look closer", "ja": "詳しく見る"},
    "freeze_about": {
        "en": "Take this frame over into the Image tab",
        "ja": "このコマを「画像」タブに移します",
    },
    "camera": {"en": "Camera", "ja": "カメラ"},
    "state_live": {"en": "Live now", "ja": "ライブ中"},
    "state_asking": {"en": "Waiting for the camera", "ja": "カメラを待っています"},
    "asking": {
        "en": "Your browser asks whether this page may use the camera; allow it there.",
        "ja": "ブラウザーがカメラの使用を確認しています。許可してください。",
    },
    "rate": {"en": "{n} frames a second", "ja": "毎秒 {n} コマ"},
    "every": {"en": "one frame every {n} s", "ja": "{n} 秒に 1 コマ"},
    "delay": {"en": "{n} ms behind", "ja": "遅れ {n} ミリ秒"},
    "delay_s": {"en": "{n} s behind", "ja": "遅れ {n} 秒"},
    "no_words": {"en": "Write what to look for.", "ja": "探すものを書いてください。"},
    "insecure": {
        "en": "Browsers give a camera to secure pages alone: open this app by https, or on its "
        "own machine as localhost.",
        "ja": "ブラウザーは安全なページにしかカメラを渡しません。このアプリを https か、同じマ"
        "シンの localhost で開いてください。",
    },
    "none": {
        "en": "No camera was found. Connect one, or use a device that has one.",
        "ja": "カメラが見つかりません。接続するか、カメラのある端末を使ってください。",
    },
    "refused": {
        "en": "The camera was refused. Allow it for this page in your browser's settings and "
        "start again.",
        "ja": "カメラが許可されませんでした。ブラウザーの設定でこのページに許可し、もう一度始め"
        "てください。",
    },
    "taken": {
        "en": "The camera is there, but another program uses it. Close that one and start again.",
        "ja": "カメラは別のプログラムが使用中です。それを閉じて、もう一度始めてください。",
    },
    "lost": {
        "en": "The camera is gone. Connect it and start again.",
        "ja": "カメラがなくなりました。接続して、もう一度始めてください。",
    },
    "failed": {
        "en": "The camera could not be opened. Start it again, or choose another one.",
        "ja": "カメラを開けませんでした。もう一度始めるか、別のカメラを選んでください。",
    },
    "slow": {
        "en": "Too slow for a moving picture: the model takes {n} s for each frame. Look "
        "closer at one, or choose a smaller model.",
        "ja": "動く映像には遅すぎます。モデルは 1 コマに {n} 秒かかります。1 コマを詳しく見るか"
        "、小さいモデルを選んでください。",
    },
    "busy": {
        "en": "The model is at work for others. The camera goes on by itself as soon as it can.",
        "ja": "モデルは他の人の依頼を処理中です。空き次第、自動で再開します。",
    },
    "away": {
        "en": "The app does not answer. The camera goes on as soon as it does.",
        "ja": "アプリが応答しません。応答があり次第、再開します。",
    },
    "taking": {"en": "Taking the frame over …", "ja": "コマを移しています…"},
}
