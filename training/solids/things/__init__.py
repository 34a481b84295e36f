"""Things: what people make, eat, grow and drive, each time of other proportions."""
