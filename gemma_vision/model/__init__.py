"""The model, exactly: SigLIP tower, projectors, attention masks, Gemma decoder. Tensors in and out.

Knows nothing of files, words, prompts or devices; parameter names are those of published weights.
"""
