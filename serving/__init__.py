"""Serving: checkpoints on Ray Serve. Nothing of the library imports this, and Ray is an extra."""
