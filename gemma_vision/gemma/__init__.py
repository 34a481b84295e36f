"""The text half: Gemma, Gemma 2 and Gemma 3 decoders. Knows nothing of pictures."""

from .cache import Cache
from .decoder import Decoder, Masks
from .heads import soft_cap

__all__ = ["Cache", "Decoder", "Masks", "soft_cap"]
