"""The verbs of fine-tuning: finetune and merge. Their options are the fields of the plan."""
