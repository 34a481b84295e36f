"""Gemma 4, exactly: a tower over grids of patches, its embedder, a decoder whose layers differ."""
