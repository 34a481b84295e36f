"""Checkpoints: found, fetched and understood from their small files, or refused in words.

The checkpoint that comes inside lies in `tiny/`. Nothing here imports torch.
"""
