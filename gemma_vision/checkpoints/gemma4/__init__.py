"""What a config.json of Gemma 4 means. Reads no file; knows nothing of tensors."""
