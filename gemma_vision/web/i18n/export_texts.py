"""Export texts: files to take home, and a request as code, in both languages."""

from __future__ import annotations

EXPORTS: dict[str, dict[str, str]] = {
    "home_title": {"en": "Download", "ja": "ダウンロード"},
    "home_making": {"en": "Making the file ...", "ja": "ファイルを作成中…"},
    "home_ready": {"en": "Ready:", "ja": "できました:"},
    "home_overlay": {"en": "Picture with marks (PNG)", "ja": "印つき画像(PNG)"},
    "home_picture": {"en": "Picture without (PNG)", "ja": "元の画像(PNG)"},
    "home_answer": {"en": "JSON", "ja": "JSON"},
    "home_coco": {"en": "COCO", "ja": "COCO"},
    "home_yolo": {"en": "YOLO boxes", "ja": "YOLO(枠)"},
    "home_yolo-polygons": {"en": "YOLO polygons", "ja": "YOLO(多角形)"},
    "home_labelme": {"en": "LabelMe", "ja": "LabelMe"},
    "home_label-studio": {"en": "Label Studio", "ja": "Label Studio"},
    "home_voc": {"en": "Pascal VOC", "ja": "Pascal VOC"},
    "home_csv": {"en": "Table (CSV)", "ja": "表(CSV)"},
    "home_masks": {"en": "Masks (PNG)", "ja": "マスク(PNG)"},
    "home_cutouts": {"en": "Cut-outs (PNG)", "ja": "切り抜き(PNG)"},
    "home_svg": {"en": "SVG", "ja": "SVG"},
    "home_paligemma": {"en": "PaliGemma line", "ja": "PaliGemma の行"},
    "code_title": {"en": "This wish as code", "ja": "この願いをコードで"},
    "code_about": {
        "en": "photo.jpg stands for your picture.",
        "ja": "photo.jpg を自分の画像に置き換えてください。",
    },
    "code_language": {"en": "Language", "ja": "言語"},
    "code_python": {"en": "Python library", "ja": "Python ライブラリ"},
    "code_client": {"en": "Python client", "ja": "Python クライアント"},
    "code_javascript": {"en": "JavaScript", "ja": "JavaScript"},
    "code_curl": {"en": "curl", "ja": "curl"},
    "code_mcp": {"en": "MCP", "ja": "MCP"},
    "code_command": {"en": "Command line", "ja": "コマンドライン"},
}
