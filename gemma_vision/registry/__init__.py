"""Registry: which checkpoints there are, which are in memory, and one put in another's place.

Sits above the pipeline, because it makes pipelines.
"""
