"""Labelling: what the labelling programs people have are given of a checkpoint's answers.

Knows nothing of web servers; `gemma_vision.web.api.label_studio` is the door for one of them.
"""
