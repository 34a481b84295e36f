"""Sequences: image tokens, prompt and answer as transformers' PaliGemma reads them.

Everything before the answer sees itself both ways, the answer looks back, and only the answer is
learned. `token_type_ids` says which is which (0 before, 1 from the answer on); without it
transformers would let the answer be seen while it is learned. B sequences of L positions, N image
tokens each, V words, M positions of answers, D the text width.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import PaliGemmaForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutputWithPooling

# The ids of a prompt with <bos> and newline, and those of its answer.
EncodedText = tuple[list[int], list[int]]

PAD, EOS, BOS = 0, 1, 2


def collate(
    texts: Sequence[EncodedText], num_soft: int, image_id: int, device: torch.device
) -> dict[str, Tensor]:
    """-> input_ids, attention_mask and token_type_ids, each (B, L), padded on the right."""
    rows = [[image_id] * num_soft + prefix + suffix for prefix, suffix in texts]
    kinds = [[0] * (num_soft + len(prefix)) + [1] * len(suffix) for prefix, suffix in texts]
    columns = {
        "input_ids": (rows, PAD),
        "attention_mask": ([[1] * len(row) for row in rows], 0),
        "token_type_ids": (kinds, 1),
    }
    return {
        name: pad_sequence(list(map(torch.tensor, lists)), True, fill).to(device)
        for name, (lists, fill) in columns.items()
    }


def image_features(model: PaliGemmaForConditionalGeneration, pixels: Tensor) -> Tensor:
    """(B, 3, S, S) -> (B, N, D): what the decoder reads of each image."""
    soft: Tensor = model.model.get_image_features(pixels).pooler_output
    return soft


def answer_logits(
    model: PaliGemmaForConditionalGeneration, soft: Tensor, inputs: dict[str, Tensor]
) -> tuple[Tensor, Tensor]:
    """(B, N, D) image tokens and collated texts -> logits (M, V) float32, targets (M,)."""
    hidden = model.model(
        **inputs,
        mm_encoder_outputs={"image": BaseModelOutputWithPooling(pooler_output=soft)},
        use_cache=False,
    ).last_hidden_state
    wanted = is_answer(inputs)[:, 1:]
    logits = model.lm_head(hidden[:, :-1][wanted]).float()  # one step earlier
    cap = getattr(model.config.get_text_config(), "final_logit_softcapping", None)
    if cap is not None:  # PaliGemma 2
        logits = cap * torch.tanh(logits / cap)
    return logits, inputs["input_ids"][:, 1:][wanted]


def is_answer(inputs: dict[str, Tensor]) -> Tensor:
    """Collated texts -> (B, L) bool: what is learned."""
    return (inputs["token_type_ids"] * inputs["attention_mask"]).bool()


def with_handicap(logits: Tensor, inputs: dict[str, Tensor], amount: float) -> Tensor:
    """(M, V) logits in which an answer's end has `amount` more where the answer begins.

    An answer begins with one of 1024 positions, which share their probability, or ends at once.
    The likeliest single token is therefore the end long before an empty answer is likelier than
    any box. A model that learns with the end's logit raised by `amount` gives it so much less by
    itself, and greedy decoding decides between a box and none.
    """
    answer = is_answer(inputs)
    begins = (answer & ~answer.roll(1, 1))[answer]  # (M,); position 0 is an image token
    raised = F.one_hot(torch.tensor(EOS, device=logits.device), logits.shape[1])
    return logits + amount * begins[:, None] * raised


def plain_loss(logits: Tensor, targets: Tensor) -> tuple[Tensor, dict[str, float]]:
    """Cross-entropy of logits (M, V) against targets (M,) -> mean, no figures."""
    return F.cross_entropy(logits, targets), {}
