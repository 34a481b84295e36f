"""Learning: a checkpoint opened to learn, and the updates that it learns by. Needs transformers."""
