"""Speed of answers, row by row, against transformers in the same process."""
