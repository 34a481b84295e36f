"""Model: the parts of the embedded checkpoint, and the stages in which each is trained."""
