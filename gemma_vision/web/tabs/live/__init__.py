"""Live: a camera's moving picture, with what is found in it drawn on it."""
