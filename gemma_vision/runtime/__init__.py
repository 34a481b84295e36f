"""Runtime: prompts become tokens. The engine seam, and the engine that runs a checkpoint here.

May touch the model, images and checkpoints; knows nothing of requests, answers or pages.
"""
