"""The app while more is wanted of it than it can do."""
