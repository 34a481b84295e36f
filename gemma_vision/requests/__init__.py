"""Requests: what a person can ask, checked at the door, and the prompt that asks a family for it.

May touch images; knows nothing of tensors, checkpoints on disk or user interfaces.
"""
