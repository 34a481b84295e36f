"""How the embedded checkpoint is made: synthetic scenes, the mask VQ-VAE, a tiny PaliGemma.

Imports the library and is never imported by it.
"""
