"""Guards: who may speak to the app, who it was, and that nothing of them stays."""
