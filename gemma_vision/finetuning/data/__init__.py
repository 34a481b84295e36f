"""Data: what is learned from and asked about; images opened, changed, mixed, put into prompts."""
