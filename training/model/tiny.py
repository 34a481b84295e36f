"""The tiny PaliGemma: its sizes, and weights to begin from.

An ordinary `PaliGemmaForConditionalGeneration` of transformers, so that what is trained here loads
there unchanged.
"""

import math
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import PaliGemmaConfig, PaliGemmaForConditionalGeneration

from gemma_vision.optimization.answer_loss import id_of
from postprocess.tokens import NUM_BINS


@dataclass(frozen=True)
class ModelSizes:
    """Everything that decides the shape of the checkpoint."""

    side: int = 112
    patch: int = 14
    vision_width: int = 192
    vision_layers: int = 4
    vision_heads: int = 3
    text_width: int = 128
    text_layers: int = 4
    text_heads: int = 4
    head_dim: int = 64

    @property
    def grid(self) -> int:
        return self.side // self.patch


def build_model(
    sizes: ModelSizes, tokenizer: Tokenizer, seed: int
) -> PaliGemmaForConditionalGeneration:
    """A model with weights to begin from, float32, text head tied to the embedding."""
    torch.manual_seed(seed)
    model = PaliGemmaForConditionalGeneration(_config(sizes, tokenizer)).float()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            _start(name, parameter)
        vision = model.model.vision_tower.embeddings
        vision.position_embedding.weight.copy_(0.5 * sinusoids(sizes.grid, sizes.vision_width))
        first = id_of(tokenizer, "<loc0000>")
        embedding = model.model.language_model.embed_tokens.weight
        embedding[first : first + NUM_BINS] = place_vectors(sizes.text_width)
    model.tie_weights()
    return model


def _config(sizes: ModelSizes, tokenizer: Tokenizer) -> PaliGemmaConfig:
    specials = {"pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 2}
    vocab_size = tokenizer.get_vocab_size()
    vision = {
        "model_type": "siglip_vision_model",
        "image_size": sizes.side,
        "patch_size": sizes.patch,
        "hidden_size": sizes.vision_width,
        "intermediate_size": 4 * sizes.vision_width,
        "num_hidden_layers": sizes.vision_layers,
        "num_attention_heads": sizes.vision_heads,
        "vision_use_head": False,
        "projection_dim": sizes.text_width,
        "num_image_tokens": sizes.grid**2,
    }
    text = {
        "model_type": "gemma",
        "vocab_size": vocab_size,
        "hidden_size": sizes.text_width,
        "intermediate_size": 4 * sizes.text_width,
        "num_hidden_layers": sizes.text_layers,
        "num_attention_heads": sizes.text_heads,
        "num_key_value_heads": 1,
        "head_dim": sizes.head_dim,
        "hidden_activation": "gelu_pytorch_tanh",
        "max_position_embeddings": 1024,
        "num_image_tokens": sizes.grid**2,
    }
    return PaliGemmaConfig(
        vision_config=vision,
        text_config=text | specials,
        image_token_id=tokenizer.token_to_id("<image>"),
        vocab_size=vocab_size,
        projection_dim=sizes.text_width,
        hidden_size=sizes.text_width,
        tie_word_embeddings=True,
        **specials,
    )


def _start(name: str, parameter: nn.Parameter) -> None:
    """Fan-in scaled normals; what writes to the residual stream starts at half of that."""
    if parameter.ndim == 1:
        is_gain_of_layer_norm = "vision_tower" in name and name.endswith("weight")
        parameter.fill_(1.0 if is_gain_of_layer_norm else 0.0)  # Gemma's gains are 1 + w
        return
    fan_in = parameter[0].numel()
    if "embed_tokens" in name:
        fan_in, gain = parameter.shape[1], 1.0  # unit rms after Gemma's factor sqrt(D)
    else:
        writes = any(part in name for part in ("out_proj", "o_proj", "fc2", "down_proj"))
        gain = 0.35 if writes else 0.7
    parameter.normal_(0, gain / math.sqrt(fan_in))


def sinusoids(grid: int, width: int) -> Tensor:
    """Two-dimensional sine and cosine positions, row by row -> (grid * grid, width)."""
    frequencies = torch.exp(-math.log(100.0) * torch.arange(width // 4) / (width // 4))
    angles = torch.arange(grid)[:, None] * frequencies
    axis = torch.cat([angles.sin(), angles.cos()], 1)
    rows = axis[:, None].expand(grid, grid, -1)
    return torch.cat([rows, rows.transpose(0, 1)], 2).reshape(grid * grid, width)


def place_vectors(width: int) -> Tensor:
    """Fourier features of the 1024 positions, norm 1 -> (1024, width): neighbours look alike.

    Frequencies are log-uniform between 1.6 and 94 radians per side of the picture.
    """
    place = torch.linspace(0, 1, NUM_BINS)[:, None]
    span = torch.log(torch.tensor([1.6, 94.0]))
    frequency = torch.exp(torch.empty(width).uniform_(span[0].item(), span[1].item()))
    waves = torch.cos(place * frequency + torch.empty(width).uniform_(0, 2 * math.pi))
    vectors: Tensor = waves / waves.norm(dim=1, keepdim=True)
    return vectors
