"""Answer loss: what the answers of a PaliGemma are judged by, token by token.

M positions with a target, over a vocabulary of V; D the text width. Positions of boxes are a scale,
not 1024 unrelated words: targets are Gaussians of three bins, and the expected position is pulled
to the truth. Knows nothing of the model that answers.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor, nn

from postprocess.tokens import NUM_BINS, NUM_CODES

SIGMA = 3.0  # bins, of a target
BLUR = 6.0  # bins, of the gradient of the position rows
EXPECTATION_WEIGHT = 5.0
ALIGNMENT_SCALE = 16.0
EOS, BOS = 1, 2


class AnswerLoss:
    """The tokenizer's ids that the losses need, and the losses themselves."""

    def __init__(self, tokenizer: Tokenizer, names: Sequence[str]) -> None:
        self.tokenizer = tokenizer
        self.image = id_of(tokenizer, "<image>")
        self.first_place = id_of(tokenizer, "<loc0000>")
        self.first_code = id_of(tokenizer, "<seg000>")
        pieces = [tokenizer.encode(f" {name}", add_special_tokens=False).ids for name in names]
        self.name_ids = torch.nn.utils.rnn.pad_sequence(
            [torch.tensor(ids) for ids in pieces], batch_first=True, padding_value=-1
        )
        self.soft_places = bells(SIGMA)
        self.blur = bells(BLUR)
        self.code_targets: Tensor | None = None  # (128, 128), what each code is learned as
        self.code_weight = 1.0  # of a code; a position and a word weigh 1

    def _follow(self, device: torch.device) -> None:
        """Bring the tables to where the model is."""
        if self.blur.device != device:
            self.name_ids = self.name_ids.to(device)
            self.soft_places, self.blur = self.soft_places.to(device), self.blur.to(device)
        if self.code_targets is not None:
            self.code_targets = self.code_targets.to(device)

    def smooth_place_gradients(self, table: nn.Parameter) -> None:
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

        table.register_hook(blurred)  # type: ignore[no-untyped-call]

    def encode(self, prompt: str, answer: str) -> tuple[list[int], list[int]]:
        """-> the prefix ids with <bos> and the newline, the suffix ids with <eos>."""
        prefix = self.tokenizer.encode(f"{prompt}\n", add_special_tokens=False).ids
        suffix = self.tokenizer.encode(answer, add_special_tokens=False).ids
        return [BOS, *prefix], [*suffix, EOS]

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
        if self.code_targets is not None and is_code.any():
            each_code = self._code_loss(logits[is_code], targets[is_code] - self.first_code)
            each = each.masked_scatter(is_code, each_code)
        for name, chosen in (("code_nll", is_code), ("word_nll", ~is_code & ~is_place)):
            if chosen.any():
                figures[name] = each[chosen].mean().item()
        weights = torch.where(is_code, self.code_weight, 1.0)
        return (weights * each).sum() / weights.sum(), figures

    def _place_loss(self, logits: Tensor, bins: Tensor) -> tuple[Tensor, float]:
        log_p = logits.log_softmax(1)[:, self.first_place : self.first_place + NUM_BINS]
        soft = -(self.soft_places[bins] * log_p).sum(1)
        share = log_p.softmax(1)
        expected = share @ torch.linspace(0, 1, NUM_BINS, device=share.device)
        error = (expected - bins / (NUM_BINS - 1)).abs()
        return soft + EXPECTATION_WEIGHT * error, error.mean().item()

    def _code_loss(self, logits: Tensor, codes: Tensor) -> Tensor:
        assert self.code_targets is not None
        log_p = logits.log_softmax(1)[:, self.first_code : self.first_code + NUM_CODES]
        return -(self.code_targets[codes] * log_p).sum(1)

    def alignment_loss(self, table: Tensor, soft: Tensor, kinds: Tensor) -> Tensor:
        """Patches of a name point where the name's own embedding points.

        table (V, D) of the embeddings, soft (B, N, D), kinds (B, N) index of the name, C or more
        for none. It makes looking up a word in the picture easy from the start; SigLIP in spirit,
        and no part of the model.
        """
        self._follow(soft.device)
        named = kinds < len(self.name_ids)
        if not named.any():
            return soft.sum() * 0
        is_piece = (self.name_ids >= 0)[..., None]
        words = (table[self.name_ids.clamp(min=0)] * is_piece).sum(1) / is_piece.sum(1)
        likeness = F.normalize(soft[named].float(), dim=1) @ F.normalize(words, dim=1).T
        return F.cross_entropy(ALIGNMENT_SCALE * likeness, kinds[named])


def id_of(tokenizer: Tokenizer, token: str) -> int:
    """The id of a token that every PaliGemma has."""
    number = tokenizer.token_to_id(token)
    assert number is not None, f"{token} is no token of this tokenizer"
    return number


def near_codes(vectors: Tensor, width: float) -> Tensor:
    """How alike codes are: vectors (128, D) of a mask decoder -> (128, 128), rows sum to one.

    A Gaussian of the distance between vectors, `width` times as wide as a code is from its nearest
    neighbour on average. A model that is unsure then says the code in the middle of what may be
    right, which draws a likely shape, and not the commonest of many unlike ones.
    """
    far = torch.cdist(vectors, vectors)
    nearest = (far + torch.eye(len(far)) * far.max()).min(1).values.mean()
    return torch.softmax(-0.5 * (far / (width * nearest)).square(), 1)


def bells(sigma: float) -> Tensor:
    """A Gaussian around every bin, each row summing to one -> (1024, 1024)."""
    bins = torch.arange(NUM_BINS)
    return torch.softmax(-0.5 * ((bins[:, None] - bins) / sigma).square(), 1)
