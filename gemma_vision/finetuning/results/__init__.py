"""Results: what comes out of a fine-tune: scores, a folder that loads, its card."""
