"""The quick way through tower and decoder: matrices side by side, fewer and larger operations."""
