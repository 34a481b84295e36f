"""Space buttons: what a page on Hugging Face Spaces has beside the others."""

from __future__ import annotations

import os

import gradio as gr

from gemma_vision.extras import MissingPackageError, is_installed
from gemma_vision.web.i18n.texts import translate

SPACE = "SPACE_ID"  # set by every Space
# An operator's wish: any value but an empty one. GEMMA_VISION_LOGIN locks the app (guards/access).
LOGIN = "GEMMA_VISION_HUB_LOGIN"
OAUTH = ("authlib", "itsdangerous")  # what Gradio's log-in needs


def build_space_buttons() -> None:
    """On a Space a button that duplicates it, and one to log in where its operator wants that.

    MissingPackageError where logging in is wanted and cannot be.
    """
    if not os.environ.get(SPACE):
        return
    with gr.Row(elem_id="space-buttons"):
        gr.DuplicateButton(translate("duplicate"), size="sm")
        if os.environ.get(LOGIN):
            build_login()


def build_login() -> None:
    """Gradio's log-in with an account of the Hub; it shows the account's name afterwards."""
    if not all(is_installed(name) for name in OAUTH):
        raise MissingPackageError(
            f"{LOGIN} is set, and logging in needs {' and '.join(OAUTH)}, which are not installed. "
            'Run `pip install "gradio[oauth]"`, or leave the variable out.'
        )
    gr.LoginButton(translate("login"), logout_value="{}", size="sm")
