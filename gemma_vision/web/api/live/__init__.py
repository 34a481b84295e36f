"""Live: a camera's frames asked about one by one, the newest first and no other waiting.

`POST /live`, over the same limits, decoder and model as every door. Nothing of a frame is kept.
"""
