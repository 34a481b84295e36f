"""Sequences and their loss: image tokens, prompt, answer; only the answer is learned.

B sequences of L positions over a vocabulary of V, M positions with a target, D the text width.
Positions of boxes are a scale, not 1024 unrelated words: targets are Gaussians of three bins, and
the expected position is pulled to the truth.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import PaliGemmaForConditionalGeneration

from postprocess.tokens import NUM_BINS
from postprocess.vqvae import NUM_CODES
from training.drawing import GUESSED, Drawing

SIGMA = 3.0  # bins, of a target
BLUR = 6.0  # bins, of the gradient of the position rows
EXPECTATION_WEIGHT = 5.0
ALIGNMENT_SCALE = 16.0
MASK_WEIGHT = 1.0
PAD, EOS, BOS = 0, 1, 2


class Language:
    """The tokenizer's ids that the losses need, and the loss itself."""

    def __init__(self, tokenizer: Tokenizer, names: Sequence[str]) -> None:
        self.tokenizer = tokenizer
        self.image = tokenizer.token_to_id("<image>")
        self.first_place = tokenizer.token_to_id("<loc0000>")
        self.first_code = tokenizer.token_to_id("<seg000>")
        pieces = [tokenizer.encode(f" {name}", add_special_tokens=False).ids for name in names]
        self.name_ids = torch.nn.utils.rnn.pad_sequence(
            [torch.tensor(ids) for ids in pieces], batch_first=True, padding_value=-1
        )
        self.soft_places = bells(SIGMA)
        self.blur = bells(BLUR)

    def _follow(self, device: torch.device) -> None:
        """Bring the tables to where the model is."""
        if self.blur.device != device:
            self.name_ids = self.name_ids.to(device)
            self.soft_places, self.blur = self.soft_places.to(device), self.blur.to(device)

    def keep_places_smooth(self, table: nn.Parameter) -> None:
        """Blur the gradient of the position rows along the scale, from now on.

        Each of the 1024 rows is rarely a target, and Adam turns those few gradients into full
        steps: rows drift apart, and the likeliest bin becomes one of a few loud ones instead of
        the right one. With blurred gradients the table stays as smooth as it began.
        """
        places = slice(self.first_place, self.first_place + NUM_BINS)

        def blurred(gradient: Tensor) -> Tensor:
            self._follow(gradient.device)
            gradient = gradient.clone()
            gradient[places] = self.blur @ gradient[places]
            return gradient

        table.register_hook(blurred)

    def encode(self, prompt: str, answer: str) -> tuple[list[int], list[int]]:
        """-> the prefix ids with <bos> and the newline, the suffix ids with <eos>."""
        prefix = self.tokenizer.encode(f"{prompt}\n", add_special_tokens=False).ids
        suffix = self.tokenizer.encode(answer, add_special_tokens=False).ids
        return [BOS, *prefix], [*suffix, EOS]

    def loss(
        self,
        model: PaliGemmaForConditionalGeneration,
        soft: Tensor,
        texts: Sequence[tuple[list[int], list[int]]],
        drawing: Drawing | None = None,
    ) -> tuple[Tensor, dict[str, float]]:
        """soft (B, N, D) projected image tokens and B encoded texts -> loss, figures.

        With a `drawing` some codes are shown wrong, and masks are also judged as they are drawn.
        """
        ids, prefix, known = (tensor.to(soft.device) for tensor in _pad(texts))
        place = torch.arange(ids.shape[1], device=soft.device)[None]
        wanted = (place >= prefix[:, None]) & (place < known[:, None])  # (B, L)
        shown = ids
        if drawing is not None:
            shown = drawing.mislead(ids, drawing.any_codes(ids))
            if torch.rand(()) < GUESSED:
                with torch.no_grad():
                    guesses = drawing.guesses(predict(model, soft, shown, prefix, known))
                shown = drawing.mislead(ids, guesses)
        logits = predict(model, soft, shown, prefix, known)[wanted].float()
        loss, figures = self.token_loss(logits, ids[wanted])
        if drawing is not None:
            drawn, seen = drawing.loss(logits, ids[wanted])
            loss, figures = loss + MASK_WEIGHT * drawn, figures | seen
        return loss, figures

    def token_loss(self, logits: Tensor, targets: Tensor) -> tuple[Tensor, dict[str, float]]:
        """logits (M, V), targets (M,) -> mean loss, figures by kind of token."""
        self._follow(logits.device)
        bins = targets - self.first_place
        is_place = (bins >= 0) & (bins < NUM_BINS)
        is_code = (targets >= self.first_code) & (targets < self.first_code + NUM_CODES)
        each = F.cross_entropy(logits, targets, reduction="none")
        figures = {}
        if is_place.any():
            each_place, error = self._place_loss(logits[is_place], bins[is_place])
            each = each.masked_scatter(is_place, each_place)
            figures["place_error"] = error
        for name, chosen in (("code_nll", is_code), ("word_nll", ~is_code & ~is_place)):
            if chosen.any():
                figures[name] = each[chosen].mean().item()
        return each.mean(), figures

    def _place_loss(self, logits: Tensor, bins: Tensor) -> tuple[Tensor, float]:
        log_p = logits.log_softmax(1)[:, self.first_place : self.first_place + NUM_BINS]
        soft = -(self.soft_places[bins] * log_p).sum(1)
        share = log_p.softmax(1)
        expected = share @ torch.linspace(0, 1, NUM_BINS, device=share.device)
        error = (expected - bins / (NUM_BINS - 1)).abs()
        return soft + EXPECTATION_WEIGHT * error, error.mean().item()

    def alignment_loss(
        self, model: PaliGemmaForConditionalGeneration, soft: Tensor, kinds: Tensor
    ) -> Tensor:
        """Patches of a name point where the name's own embedding points.

        soft (B, N, D), kinds (B, N) index of the name, C or more for none. It makes looking up a
        word in the picture easy from the start; SigLIP in spirit, and no part of the model.
        """
        self._follow(soft.device)
        named = kinds < len(self.name_ids)
        if not named.any():
            return soft.sum() * 0
        table = model.model.language_model.embed_tokens.weight
        there = (self.name_ids >= 0)[..., None]
        words = (table[self.name_ids.clamp(min=0)] * there).sum(1) / there.sum(1)
        likeness = F.normalize(soft[named].float(), dim=1) @ F.normalize(words, dim=1).T
        return F.cross_entropy(ALIGNMENT_SCALE * likeness, kinds[named])


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
    return model.lm_head(hidden[:, num_soft - 1 :])  # one step earlier


def bells(sigma: float) -> Tensor:
    """A Gaussian around every bin, each row summing to one -> (1024, 1024)."""
    bins = torch.arange(NUM_BINS)
    return torch.softmax(-0.5 * ((bins[:, None] - bins) / sigma).square(), 1)


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
