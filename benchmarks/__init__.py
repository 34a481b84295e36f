"""Benchmarks: how long things take, always beside transformers in the same run."""
