"""The tokenizer of the embedded checkpoint: a small BPE with PaliGemma's conventions.

Spaces become U+2581 in front of words, unknown characters fall back to bytes, and the 1024 <loc>
and 128 <seg> tokens are ordinary added tokens in PaliGemma's order, with <image> after them.
"""

import json
from collections.abc import Sequence

from tokenizers import AddedToken, Regex, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer

from gemma_vision.requests.interpretation.english import plural
from gemma_vision.synthetic.atlas import FIRST, load_atlas
from postprocess.tokens import NUM_BINS, NUM_CODES

SPECIALS = ["<pad>", "<eos>", "<bos>", "<unk>"]  # ids 0 to 3, as in PaliGemma's tokenizer
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
NUM_PIECES = 568  # specials, bytes, characters and merges; every name is one piece


def build_tokenizer(names: Sequence[str] | None = None, num_pieces: int = NUM_PIECES) -> Tokenizer:
    """Learn the pieces from the project's own prompts and answers, then add the special ones.

    names: what the prompts are about, the first forty of the library's where none are given.
    """
    learner = _bpe(BPE(byte_fallback=True, unk_token="<unk>"))
    trainer = BpeTrainer(
        vocab_size=num_pieces, special_tokens=SPECIALS + BYTES, show_progress=False
    )
    learner.train_from_iterator(corpus(names or load_atlas().names[:FIRST]), trainer)
    # Bytes must be pieces and not added tokens, or the text "<0x41>" would be read as one.
    model = json.loads(learner.to_str())["model"]
    merges = [tuple(merge) for merge in model["merges"]]
    tokenizer = _bpe(BPE(model["vocab"], merges, byte_fallback=True, unk_token="<unk>"))
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIALS])
    tokenizer.add_tokens([AddedToken("\n", normalized=False)])
    places = [f"<loc{place:04d}>" for place in range(NUM_BINS)]
    codes = [f"<seg{code:03d}>" for code in range(NUM_CODES)]
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in places + codes])
    tokenizer.add_special_tokens([AddedToken("<image>", special=True, normalized=False)])
    return tokenizer


def _bpe(model: BPE) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("▁"), behavior="merged_with_next")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    return tokenizer


def corpus(names: Sequence[str]) -> list[str]:
    """Sentences with every word that prompts and answers are made of; names come most often."""
    lines = []
    for name in names:
        article = "an" if name[0] in "aeiou" else "a"
        lines += [f"detect {name}", f"segment {name}", f" {name} ; {name}", f" {name}"] * 20
        lines += [f"answer en is there {article} {name} ?"] * 4
        lines += [f"answer en how many {name} are there ?"] * 4
        lines += [f"{article} {name}, {article} {name} and {article} {name}", plural(name)] * 4
    lines += ["caption en", "answer en what is left of the", "answer en what is right of the"] * 20
    lines += ["describe en", "which thing is the biggest", "the smallest", "what is in the"] * 4
    lines += ["yes", "no", "none", "nothing", "one", "two", "three", "four", "picture"] * 10
    lines += list("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,;:!?'\"()-")
    return lines
