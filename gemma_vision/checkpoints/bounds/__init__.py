"""Bounds: a checkpoint folder may come from anybody; what it says is believed within limits."""
