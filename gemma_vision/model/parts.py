"""Parts: the tower and the decoder that a checkpoint's configuration asks for."""

from gemma_vision.model.config import LayeredTextConfig, ModelConfig, PatchVisionConfig
from gemma_vision.model.decoder import GemmaDecoder
from gemma_vision.model.gemma4.decoder import LayeredDecoder
from gemma_vision.model.gemma4.tower import PatchTower
from gemma_vision.model.siglip import SiglipTower


def tower_of(config: ModelConfig) -> SiglipTower | PatchTower:
    """The tower for a checkpoint's pictures."""
    if isinstance(config.vision, PatchVisionConfig):
        return PatchTower(config.vision)
    return SiglipTower(config.vision)


def decoder_of(config: ModelConfig) -> GemmaDecoder | LayeredDecoder:
    """The decoder of a checkpoint: with layers all alike, or each of its own."""
    if isinstance(config.text, LayeredTextConfig):
        return LayeredDecoder(config.text)
    return GemmaDecoder(config.text)
