"""Label Studio: the app as one of its ML backends, which predicts boxes, masks and points.

Its programs call `/label-studio/health`, `/setup` and `/predict`, over the same limits, decoder and
model as every door.
"""
