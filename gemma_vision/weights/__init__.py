"""Weights: a checkpoint's tensors brought into a model, strictly, adapters merged on the way.

May touch the model and what `checkpoints` found; runs nothing.
"""
