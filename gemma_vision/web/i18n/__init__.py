"""Texts: every sentence of the page, in each of its languages, by subject. Touches nothing else."""
