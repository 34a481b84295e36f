"""Data: scenes without end as batches on the device of the training. Knows nothing of the model."""
