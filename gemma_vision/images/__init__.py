"""Images: opened, set upright, cropped and turned into pixels. Knows nothing of models."""
