"""What codes draw: a loss on the mask itself, and inputs that keep a decoder from reciting masks.

Shown the true codes before each code, a decoder learns to go on with a shape it knows by heart and
does not look at the picture for it; at inference one wrong code leads it to another shape. So
most rows see wrong codes, any of the batch or the decoder's own guesses, and what the answer draws
is compared with the truth. K masks of 16 codes each, B rows of L ids, M targets, V words.
"""

import torch
from torch import Tensor

from postprocess.tokens import CODES_PER_MASK, NUM_CODES
from postprocess.vqvae import MaskVQVAE
from training.model.mask_vae import mask_iou, reconstruction

BLIND = 0.5  # share of the rows that see no right code
MIXED = 0.25  # share of the rows that see some of each
GUESSED = 0.3  # share of the updates in which wrong codes are the decoder's own guesses


class MaskDrawing:
    """The codes' place in the vocabulary, and the frozen mask decoder that draws them."""

    def __init__(self, vae: MaskVQVAE, first_code: int) -> None:
        self.vae, self.first = vae, first_code

    def is_code(self, ids: Tensor) -> Tensor:
        return (ids >= self.first) & (ids < self.first + NUM_CODES)

    def any_codes(self, ids: Tensor) -> Tensor:
        """Ids of the same shape, each drawn from the codes among them."""
        known = ids[self.is_code(ids)]
        if not len(known):
            return ids
        return known[torch.randint(len(known), ids.shape, device=ids.device)]

    def mislead(self, ids: Tensor, wrong: Tensor) -> Tensor:
        """Ids (B, L) with codes of some rows taken from `wrong` (B, L)."""
        fate, share = torch.rand(2, len(ids), 1, device=ids.device)
        share = torch.where(fate < BLIND, 1.0, torch.where(fate < BLIND + MIXED, share, 0.0))
        is_wrong = torch.rand(ids.shape, device=ids.device) < share
        return torch.where(self.is_code(ids) & is_wrong, wrong, ids)

    def guesses(self, logits: Tensor) -> Tensor:
        """(B, L, V) -> (B, L): the likeliest code at every place, as ids."""
        return logits[..., self.first : self.first + NUM_CODES].argmax(-1) + self.first

    def loss(self, logits: Tensor, targets: Tensor) -> tuple[Tensor, dict[str, float]]:
        """logits (M, V), targets (M,) -> loss of the masks that the likeliest codes draw, its IoU.

        Straight through: forwards the vector of the likeliest code, backwards the expected one. The
        truth is what the true codes draw.
        """
        chosen = self.is_code(targets)
        if not chosen.any():
            return logits.sum() * 0, {}
        book = self.vae.codebook.vectors
        shares = logits[chosen][:, self.first : self.first + NUM_CODES].softmax(1)
        expected = shares @ book
        vectors = expected + (book[shares.argmax(1)] - expected).detach()
        grid = vectors.view(-1, 4, 4, book.shape[1]).permute(0, 3, 1, 2)
        with torch.no_grad():
            codes = (targets[chosen] - self.first).view(-1, CODES_PER_MASK)
            truth = self.vae.decode(codes) > 0
        drawn = self.vae.decoder(grid).float()
        iou = mask_iou(drawn.detach() > 0, truth).mean().item()
        return reconstruction(drawn, truth.float()), {"mask_iou": iou}
