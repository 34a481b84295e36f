"""Memory needs: what a fine-tune takes at its peak, told before anything large is loaded. In bytes.

Letters: B images of a batch, T positions of the longest sequence, D the text width, F its inner
width, L layers, H heads, M positions of answers, V words.
"""

from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]
import torch

from gemma_vision.finetuning.plan import FinetuneError, LoraOptions
from gemma_vision.model.config import ModelConfig
from gemma_vision.weights.memory import GIB, free

WORDS = 24  # tokens of a prompt with its answer's names, about
ANSWER = 40  # tokens of an answer, about
ADAM = 2  # averages beside each number that learns
FLOAT = 4
LOGIT_COPIES = 3  # the logits, their softmax and its gradient
# What a decoder layer keeps while its gradient is computed, in widths: the norms' inputs and
# outputs and the residual sums (D), and gate, up, activation and product of the MLP (F), each with
# the float32 copies that the norms make.
KEPT_D, KEPT_F = 12, 6
POOLS = 300_000_000  # what libraries hold back on a CPU; measured on 3 billion parameters
PACKED_4 = 0.56  # bytes of a number in 4 bits with double quantisation


@dataclass(frozen=True)
class MemoryNeeds:
    """What takes how many bytes."""

    program: int  # libraries, what is there already, and what they hold back
    weights: int
    learning: int  # gradients, averages, LoRA's own matrices
    activations: int
    logits: int

    @property
    def total(self) -> int:
        """At the peak."""
        return self.program + self.weights + self.learning + self.activations + self.logits

    def sentence(self, there: int) -> str:
        """What is told before a run begins."""
        parts = {
            "weights": self.weights,
            "learning": self.learning,
            "activations": self.activations + self.logits,
            "the program": self.program,
        }
        told = ", ".join(f"{value / GIB:.1f} for {name}" for name, value in parts.items())
        return (
            f"It takes about {self.total / GIB:.1f} GiB of memory ({told}); "
            f"{there / GIB:.1f} GiB are free."
        )


def memory_needs(
    config: ModelConfig,
    size: int,
    *,
    lora: LoraOptions | None,
    batch: int,
    prompts_each: int = 1,
    number_bytes: int = FLOAT,
    is_4_bit: bool = False,
    checkpointing: bool = False,
    device: str = "cpu",
) -> MemoryNeeds:
    """The needs of a run. number_bytes: of a weight, and of an activation."""
    text = config.text
    tokens = num_soft(config) + WORDS + ANSWER
    rows = batch * prompts_each * tokens
    layer = number_bytes * rows * (KEPT_D * text.width + KEPT_F * text.mlp_width)
    layer += 2 * number_bytes * batch * prompts_each * text.num_heads * tokens**2
    between = number_bytes * rows * text.width * text.num_layers
    activations = between + layer if checkpointing else layer * text.num_layers
    answers = batch * prompts_each * ANSWER
    return MemoryNeeds(
        program=0 if device.startswith("cuda") else psutil.Process().memory_info().rss + POOLS,
        weights=weight_bytes(config, size, number_bytes, is_4_bit=is_4_bit),
        learning=(1 + ADAM) * FLOAT * size if lora is None else lora_bytes(config, lora),
        activations=int(activations),
        logits=LOGIT_COPIES * FLOAT * answers * text.vocab_size,
    )


def num_soft(config: ModelConfig) -> int:
    """Image tokens."""
    return (config.square.image_size // config.square.patch_size) ** 2


def weight_bytes(config: ModelConfig, size: int, number_bytes: int, *, is_4_bit: bool) -> int:
    """All weights; in 4 bits the decoder's matrices alone are packed."""
    if not is_4_bit:
        return size * number_bytes
    packed = decoder_numbers(config)
    return int(packed * PACKED_4 + (size - packed) * 2)


def text_matrices(config: ModelConfig) -> list[tuple[int, int]]:
    """(in, out) of the matrices of a decoder layer: attention first, then the MLP."""
    text = config.text
    wide, narrow = text.num_heads * text.head_width, text.num_kv_heads * text.head_width
    attention = [
        (text.width, wide),
        (text.width, narrow),
        (text.width, narrow),
        (wide, text.width),
    ]
    inner = text.mlp_width
    return [*attention, *[(text.width, inner)] * 2, (inner, text.width)]


def decoder_numbers(config: ModelConfig) -> int:
    """Numbers of the decoder's matrices."""
    return config.text.num_layers * sum(a * b for a, b in text_matrices(config))


def lora_bytes(config: ModelConfig, lora: LoraOptions) -> int:
    """LoRA's matrices with gradients and averages, in float32."""
    matrices = text_matrices(config)
    chosen = matrices[:4] if lora.targets == "attention" else matrices
    numbers = config.text.num_layers * sum(lora.rank * (a + b) for a, b in chosen)
    if lora.targets in ("tower", "all"):
        vision = config.square
        width, inner = vision.width, vision.mlp_width
        numbers += vision.num_layers * lora.rank * (4 * 2 * width + 2 * (width + inner))
    return numbers * FLOAT * (2 + ADAM)


def tell_memory(needs: MemoryNeeds, device: torch.device) -> str:
    """The sentence; FinetuneError where it cannot fit, before anything large is loaded."""
    there = free(str(device))
    if needs.total - needs.program > there:
        raise FinetuneError(
            f"{needs.sentence(there)} Take a smaller --batch with --accumulate, --lora or --qlora, "
            "--checkpointing, or a smaller model.",
            "E_MEMORY",
        )
    return needs.sentence(there)
