"""Interpretation: what a person wrote, read as what a checkpoint was taught."""
