"""Answers: a model's text read into things in the picture, while it grows or all at once."""
