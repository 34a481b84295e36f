"""Drawings: the same things drawn by many people, and scenes of their drawings.

Renders sets of drawings from the packages of registries into one atlas, and composes scenes from it
in many styles. Imports nothing of models.
"""
