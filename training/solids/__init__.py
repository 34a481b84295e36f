"""Solids: things in three dimensions, made or read, and rendered from many sides."""
