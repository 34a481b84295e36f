"""Sequences and their loss: image tokens, prompt, answer; only the answer is learned.

B sequences of L positions over a vocabulary of V, D the text width.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import PaliGemmaForConditionalGeneration

from gemma_vision.optimization.answer_loss import AnswerLoss
from training.model.drawing import GUESSED, MaskDrawing

MASK_WEIGHT = 1.0
PAD = 0


class SequenceLoss(AnswerLoss):
    """The loss of whole sequences, answered by transformers' PaliGemma."""

    def loss(
        self,
        model: PaliGemmaForConditionalGeneration,
        soft: Tensor,
        texts: Sequence[tuple[list[int], list[int]]],
        drawing: MaskDrawing | None = None,
    ) -> tuple[Tensor, dict[str, float]]:
        """soft (B, N, D) projected image tokens and B encoded texts -> loss, figures.

        With a `drawing` some codes are shown wrong, and masks are also judged as they are drawn.
        """
        ids, prefix, known = (tensor.to(soft.device) for tensor in _pad(texts))
        place = torch.arange(ids.shape[1], device=soft.device)[None]
        wanted = (place >= prefix[:, None]) & (place < known[:, None])  # (B, L)
        inputs = ids
        if drawing is not None:
            inputs = drawing.mislead(ids, drawing.any_codes(ids))
            if torch.rand(()) < GUESSED:
                with torch.no_grad():
                    guesses = drawing.guesses(predict(model, soft, inputs, prefix, known))
                inputs = drawing.mislead(ids, guesses)
        logits = predict(model, soft, inputs, prefix, known)[wanted].float()
        loss, figures = self.token_loss(logits, ids[wanted])
        if drawing is not None:
            drawn, mask_figures = drawing.loss(logits, ids[wanted])
            loss, figures = loss + MASK_WEIGHT * drawn, figures | mask_figures
        return loss, figures


def predict(
    model: PaliGemmaForConditionalGeneration,
    soft: Tensor,
    ids: Tensor,
    prefix: Tensor,
    known: Tensor,
) -> Tensor:
    """soft (B, N, D), ids (B, L), lengths (B,) of prefixes and wholes -> (B, L, V) logits.

    Those of a place are predicted from what comes before it.
    """
    num_soft, decoder = soft.shape[1], model.model.language_model
    embedded = torch.cat([soft, decoder.embed_tokens(ids).to(soft.dtype)], 1)[:, :-1]
    mask = prefix_mask(prefix + num_soft, known + num_soft, embedded.shape[1])
    positions = torch.arange(1, embedded.shape[1] + 1, device=soft.device)[None]
    hidden = decoder(
        inputs_embeds=embedded, attention_mask=mask, position_ids=positions, use_cache=False
    ).last_hidden_state
    logits: Tensor = model.lm_head(hidden[:, num_soft - 1 :])  # one step earlier
    return logits


def _pad(texts: Sequence[tuple[list[int], list[int]]]) -> tuple[Tensor, Tensor, Tensor]:
    """-> ids (B, L) padded on the right, lengths of the prefixes (B,) and of the whole (B,)."""
    rows = [torch.tensor(prefix + suffix) for prefix, suffix in texts]
    ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD)
    prefix = torch.tensor([len(prefix) for prefix, _ in texts])
    return ids, prefix, torch.tensor([len(row) for row in rows])


def prefix_mask(prefix: Tensor, known: Tensor, length: int) -> Tensor:
    """(B,) lengths -> (B, 1, L, L) bool: all of the prefix sees itself, the rest looks back."""
    place = torch.arange(length, device=prefix.device)
    causal = place[None, :] <= place[:, None]
    inside = place[None] < prefix[:, None]
    both = inside[:, :, None] & inside[:, None, :]
    return ((causal | both) & (place < known[:, None])[:, None, :])[:, None]
