"""Gradio texts: what Gradio calls its own buttons, which it has in English alone,
and what it says without having a text for it.
"""

from __future__ import annotations

from collections.abc import Mapping

GRADIO: dict[str, dict[str, str]] = {
    "gradio_fullscreen": {"en": "Fullscreen", "ja": "全画面"},
    "gradio_remove_image": {"en": "Remove Image", "ja": "画像を外す"},
    "gradio_upload": {"en": "Upload file", "ja": "ファイルを選ぶ"},
    "gradio_camera": {"en": "Capture from camera", "ja": "カメラで撮る"},
    "gradio_paste": {"en": "Paste from clipboard", "ja": "クリップボードから貼り付け"},
    "gradio_reset": {"en": "Reset to default value", "ja": "元の値に戻す"},
    "gradio_copy": {"en": "Copy", "ja": "コピー"},
    "gradio_collapse": {"en": "Collapse", "ja": "折りたたむ"},
    "gradio_expand": {"en": "Expand", "ja": "広げる"},
    "gradio_footer": {"en": "Links to the API help and the settings", "ja": "API の説明と設定"},
    "gradio_clear": {"en": "Clear", "ja": "消す"},
    "gradio_remove_file": {"en": "Remove this file", "ja": "このファイルを外す"},
    "gradio_play": {"en": "Play or pause", "ja": "再生・一時停止"},
    "gradio_volume": {"en": "Adjust volume", "ja": "音量"},
    "gradio_full_screen": {"en": "Full screen", "ja": "全画面"},
    "gradio_undo": {"en": "Undo", "ja": "元に戻す"},
    "gradio_reset_video": {"en": "Undo the trimming", "ja": "切り取りを元に戻す"},
    "gradio_trim": {"en": "Trim the video", "ja": "動画を切り取る"},
    "gradio_download": {"en": "Download", "ja": "ダウンロード"},
    "gradio_drop_image": {"en": "Drop a picture here", "ja": "ここに画像をドロップ"},
    "gradio_drop_file": {"en": "Drop files here", "ja": "ここにファイルをドロップ"},
    "gradio_drop_video": {"en": "Drop a video here", "ja": "ここに動画をドロップ"},
    "gradio_or": {"en": "- or -", "ja": "- または -"},
    "gradio_click_upload": {"en": "Click to upload", "ja": "クリックして選ぶ"},
    "gradio_upload_or_drop": {
        "en": "Click to upload, or drop files",
        "ja": "クリックで選ぶか、ファイルをドロップ",
    },
    "gradio_webcam": {"en": "Click to turn the camera on", "ja": "クリックしてカメラを使う"},
    "gradio_drop_video_here": {"en": "Drop a video here", "ja": "ここに動画をドロップ"},
    "gradio_message": {"en": "Your message and pictures", "ja": "メッセージと画像"},
    "gradio_submit": {"en": "Send", "ja": "送信"},
    "gradio_add_file": {"en": "Add a file", "ja": "ファイルを追加"},
}
# Keys that Gradio looks up and has in no language, and our text for each: it would say the key.
LACKING = {
    "common.complete": "viewer:state_done",  # announced when an event has ended
    "image.no_webcam_support": "live:insecure",
}


def with_lacking(texts: Mapping[str, str]) -> dict[str, str]:
    """A language's texts by table and key, and those that Gradio lacks by its own keys."""
    return {**texts, **{key: texts[own] for key, own in LACKING.items()}}
