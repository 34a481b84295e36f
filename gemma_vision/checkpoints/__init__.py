"""Checkpoints: found, fetched, opened and strictly loaded, from safetensors only.

The checkpoint that comes inside lies in `tiny/`. May touch the model; runs nothing.
"""
