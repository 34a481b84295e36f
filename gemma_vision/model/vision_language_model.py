"""The model: tower, projector and decoder put together. Knows nothing of files, words or prompts.

B rows, T positions, N soft tokens of one picture, M of all pictures of a row, W decoder width, V
vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gemma_vision.model import uninitialized_layers
from gemma_vision.model.architecture import ARCHITECTURES, Architecture
from gemma_vision.model.attention import extend_mask, positions, prefill_mask, row_mask
from gemma_vision.model.config import FULL, SLIDING, ModelConfig
from gemma_vision.model.decoder import GemmaDecoder, Masks
from gemma_vision.model.fused.products import multiply, prepack
from gemma_vision.model.gemma4.decoder import LayeredDecoder
from gemma_vision.model.gemma4.tower import Grid
from gemma_vision.model.kv_cache import KVCache
from gemma_vision.model.merging import check_counts
from gemma_vision.model.parts import decoder_of, tower_of
from gemma_vision.model.rotary import soft_cap
from gemma_vision.model.row_cache import Cache, RowCache
from gemma_vision.model.siglip import SiglipTower
from gemma_vision.model.state import State


class VisionLanguageModel(nn.Module):
    """Pictures and token ids in, the logits of the next token out."""

    def __init__(self, config: ModelConfig, *, has_own_head: bool = False) -> None:
        super().__init__()
        self.config = config
        self.architecture: Architecture = ARCHITECTURES[config.family]
        self.vision = tower_of(config)
        self.projector = self.architecture.projector(config)
        self.text = decoder_of(config)
        if has_own_head:  # else the embedding serves as head too, as in every published checkpoint
            self.lm_head = uninitialized_layers.Linear(
                config.text.width, config.text.vocab_size, bias=False
            )
        self.prepacked_head: Tensor | None = None

    def fuse(self, *, prepacks: bool = False, each: Callable[[], None] = lambda: None) -> None:
        """Go the quick way from now on; the parameters become views of its matrices.

        prepacks: they stay as they are, and the matrices, the head's too, are prepacked copies.
        each: called after every layer.
        """
        self.text.fuse(prepacks=prepacks, each=each)
        if isinstance(self.vision, SiglipTower):
            self.vision.fuse(prepacks=prepacks, each=each)
        self.prepacked_head = prepack(self.head.detach().t()) if prepacks else None

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> VisionLanguageModel:
        self.prepacked_head = None
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self

    @property
    def head(self) -> Tensor:
        """(V, W): the rows that a position is compared with."""
        has_own_head = hasattr(self, "lm_head")
        weight: Tensor = self.lm_head.weight if has_own_head else self.text.embed_tokens.weight
        return weight

    @property
    def device(self) -> torch.device:
        return self.text.embed_tokens.weight.device

    def encode(self, pixels: Tensor, grid: Grid | None = None) -> Tensor:
        """Pictures as soft tokens.   (B, 3, S, S) -> (B, N, W)

        A tower over patches takes those, (B, R, 3 P P), and the grid that they all have.
        """
        seen = self.vision(pixels) if grid is None else self.vision(pixels, grid)
        soft: Tensor = self.projector(seen)
        return soft

    def merge(self, ids: Tensor, soft: Sequence[Tensor]) -> Tensor:
        """Put soft tokens where the image tokens are.   (B, T), B of (M, W) -> (B, T, W)

        `soft` has those of all pictures of each row, which may come as (n, N, W). A row whose image
        tokens and pictures do not match is refused: a surplus would shift into the next row or
        vanish without a word.
        """
        is_image = ids == self.config.image_token_id
        check_counts(is_image, soft)
        known = ids.masked_fill(is_image, 0)  # an image token may lie past the vocabulary
        embeds = self.text.embed(self._without_placeholders(known))
        if not is_image.any():
            return embeds
        flat = torch.cat([one.reshape(-1, embeds.shape[-1]) for one in soft]).to(embeds)
        return embeds.masked_scatter(is_image[..., None], flat)

    def prefill(
        self,
        ids: Tensor,
        is_real: Tensor,
        soft: Sequence[Tensor],
        *,
        is_prompt: Tensor | None = None,
        room: int = 0,
    ) -> tuple[Tensor, State]:
        """Read the prompts.   (B, T), (B, T) bool, B of (M, W) -> (B, V) and what to go on from

        Rows are padded on the left. `is_prompt` is False where an answer has already begun; `room`
        is how many tokens are expected to follow.
        """
        hidden, state = self.hidden_states(
            ids, is_real, soft, is_prompt=is_prompt, room=room, last_only=True
        )
        return self.logits(hidden[:, -1]), state

    def hidden_states(
        self,
        ids: Tensor,
        is_real: Tensor,
        soft: Sequence[Tensor],
        *,
        is_prompt: Tensor | None = None,
        room: int = 0,
        last_only: bool = False,
    ) -> tuple[Tensor, State]:
        """As prefill, but with the hidden state of every position, (B, T, W).

        last_only: the last one is enough; a decoder may then give that alone, (B, 1, W).
        """
        embeds = self.merge(ids, soft)
        cache = KVCache(ids.shape[1] + room)
        at = positions(is_real, self.architecture.first_position)
        is_padded = not bool(is_real.all())
        masks = self._prefill_masks(ids, is_real, is_prompt, is_padded=is_padded)
        hidden = self._decode(ids, embeds, at, masks, cache, last_only=last_only)
        return hidden, State(cache, is_real if is_padded else None, at[:, -1:])

    def step(self, ids: Tensor, state: State) -> Tensor:
        """One token more in every row.   (B,) -> (B, V); the state moves on."""
        return self.extend(ids[:, None], state)

    def extend(self, ids: Tensor, state: State) -> Tensor:
        """Words more in every row, each looking back only.   (B, T) -> (B, V) of the last

        The state moves on.
        """
        count = ids.shape[1]
        if state.is_real is not None:
            state.is_real = F.pad(state.is_real, (0, count), value=True)
        at = state.position + torch.arange(1, count + 1, device=ids.device)
        state.position = at[:, -1:]
        masks = self._extend_masks(state, count)
        embeds = self.text.embed(self._without_placeholders(ids))
        hidden = self._decode(ids, embeds, at, masks, state.cache, last_only=True)
        return self.logits(hidden[:, -1])

    def step_rows(self, ids: Tensor, cache: RowCache) -> Tensor:
        """Words more in rows of different lengths, each looking back only.   (B, T) -> (B, T, W)

        The cache is written behind each row's length, and the lengths are the caller's to move:
        only he knows which of the words count.
        """
        count, device = ids.shape[1], ids.device
        cache.begin_step(count, device)
        if cache.is_even:
            at = torch.arange(cache.length, cache.length + count, device=device)[None]
        else:
            steps = torch.arange(count, device=device)
            at = torch.tensor(cache.lengths, device=device)[:, None] + steps
        return self.read_words(ids, at, self._row_masks(at, cache), cache)

    def read_words(self, ids: Tensor, at: Tensor, masks: Masks, cache: Cache) -> Tensor:
        """Words alone at these indices of their rows.   (B, T), (B or 1, T) -> (B, T, W)"""
        at = (at + self.architecture.first_position).expand(ids.shape)
        known = self._without_placeholders(ids)
        if isinstance(self.text, GemmaDecoder):
            return self.text.read(known, at, masks, cache)
        embeds = self.text.embed(known)
        return self._decode(ids, embeds, at, masks, cache, last_only=False)

    def _row_masks(self, at: Tensor, cache: RowCache) -> Masks:
        length, window = cache.length + at.shape[1], self.config.text.window
        windows = {FULL: None, SLIDING: window} if window is not None else {FULL: None}
        if cache.is_even:
            masks: dict[str, Tensor | None] = {
                kind: extend_mask(None, length, at.shape[1], at.device, window=limit)
                for kind, limit in windows.items()
            }
        else:
            masks = {kind: row_mask(at, length, window=limit) for kind, limit in windows.items()}
        return {SLIDING: masks[FULL]} | masks

    def logits(self, hidden: Tensor, rows: range | Tensor | None = None) -> Tensor:
        """(..., W) -> (..., V), or of these words alone: a run of ids, or any of them."""
        if rows is None and self.prepacked_head is not None:
            flat = multiply(hidden.reshape(-1, hidden.shape[-1]), self.prepacked_head, None)
            logits = flat.view(*hidden.shape[:-1], -1)
        elif rows is None:
            logits = F.linear(hidden, self.head)
        else:
            at = slice(rows.start, rows.stop) if isinstance(rows, range) else rows
            logits = F.linear(hidden, self.head[at])
        cap = self.config.text.logit_cap
        return logits if cap is None else soft_cap(logits, cap)

    def _decode(
        self,
        ids: Tensor,
        embeds: Tensor,
        at: Tensor,
        masks: Masks,
        cache: Cache,
        *,
        last_only: bool,
    ) -> Tensor:
        if not isinstance(self.text, LayeredDecoder):
            hidden: Tensor = self.text(embeds, at, masks, cache)
            return hidden
        told = self.text.tell_layers(self._without_placeholders(ids), embeds)
        hidden = self.text(embeds, at, masks, cache, told, last_only=last_only)
        return hidden

    def _without_placeholders(self, ids: Tensor) -> Tensor:
        """The ids with padding (0) where some stand that are no words to the decoder."""
        for placeholder in self.config.placeholder_ids:
            ids = ids.masked_fill(ids == placeholder, 0)
        return ids

    def _extend_masks(self, state: State, count: int) -> Masks:
        length, device = state.cache.length + count, state.position.device
        window = self.config.text.window
        return {
            FULL: extend_mask(state.is_real, length, count, device),
            SLIDING: extend_mask(state.is_real, length, count, device, window=window),
        }

    def _prefill_masks(
        self, ids: Tensor, is_real: Tensor, is_prompt: Tensor | None, *, is_padded: bool
    ) -> Masks:
        line, text = self.architecture, self.config.text
        if line.is_prefix_lm and is_prompt is None and not is_padded:
            return {FULL: None, SLIDING: None}  # the whole prompt sees the whole prompt
        prompt = torch.ones_like(is_real) if is_prompt is None else is_prompt
        is_image = ids == self.config.image_token_id
        groups = line.groups[FULL](is_image, prompt)
        masks: dict[str, Tensor | None] = {FULL: prefill_mask(groups, is_real)}
        if SLIDING in text.layer_types:
            masks[SLIDING] = prefill_mask(
                line.groups[SLIDING](is_image, prompt),
                is_real,
                window=text.window,
                window_cuts_groups=line.window_cuts_groups,
            )
        return masks
