"""Synthetic: scenes of drawn things with exact boxes, masks and names, and what they can be asked.

A seed names a scene on every machine. Touches nothing of models; fine-tuning rehearses with scenes,
and the embedded checkpoint was made of them.
"""
