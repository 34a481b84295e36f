"""Optimization: updates of a module under one cosine, boxed in time, gone on with after a break.

What fine-tuning and the making of the embedded checkpoint share. Touches nothing of the pipeline.
"""
