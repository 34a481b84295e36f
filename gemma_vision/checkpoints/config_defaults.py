"""Config defaults: what each kind of config.json leaves out, and how the kinds differ.

Sizes are the defaults of the transformers configuration classes (GemmaConfig, Gemma2Config,
Gemma3TextConfig, SiglipVisionConfig), which is what a published file left out when it was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gemma_vision.checkpoints.file_names import SINGLE

SIGLIP = {
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "image_size": 224,
    "patch_size": 16,
    "hidden_act": "gelu_pytorch_tanh",
    "layer_norm_eps": 1e-6,
}
GEMMA = {
    "vocab_size": 256_000,
    "hidden_size": 3072,
    "intermediate_size": 24_576,
    "num_hidden_layers": 28,
    "num_attention_heads": 16,
    "num_key_value_heads": 16,
    "head_dim": 256,
    "hidden_act": "gelu_pytorch_tanh",
    "rms_norm_eps": 1e-6,
}
GEMMA2 = GEMMA | {
    "hidden_size": 2304,
    "intermediate_size": 9216,
    "num_hidden_layers": 26,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "query_pre_attn_scalar": 256,
    "sliding_window": 4096,
    "attn_logit_softcapping": 50.0,
    "final_logit_softcapping": 30.0,
}
GEMMA3 = GEMMA2 | {"vocab_size": 262_208}


TANH = "gelu_pytorch_tanh"


@dataclass(frozen=True)
class PlainKey:
    """A key whose value has to be one of these, or absent. part: "" is the file's outermost."""

    part: str
    key: str
    plain: tuple[object, ...]


COMMON_KEYS = (  # of every kind
    PlainKey("", "transformers_weights", (SINGLE,)),
    PlainKey("vision_config", "model_type", ("siglip_vision_model",)),
    PlainKey("vision_config", "hidden_act", (TANH,)),  # "gelu" is the exact one in a tower
    PlainKey("text_config", "attention_bias", (False,)),
    PlainKey("text_config", "hidden_activation", (TANH,)),
)
# Early Gemma files say "gelu" and were trained with its tanh form; transformers knows it too
EARLY_GELU = PlainKey("text_config", "hidden_act", (TANH, "gelu"))
# Both ways over the whole prompt, words included: what PaliGemma does and Gemma 3 does not
BOTH_WAYS = PlainKey("text_config", "use_bidirectional_attention", (True,))
ONE_WAY = PlainKey("text_config", "use_bidirectional_attention", (False,))


@dataclass(frozen=True)
class ConfigKind:
    """One kind of config.json, by its model_type and that of its text part.

    scale: the key whose value to the power of -1/2 scales queries. window_period: one layer of so
    many sees everything, the others look through the window; None is no window, and a key named in
    `window_key` may say otherwise. local_theta: the base of rotary positions in layers with a
    window, where they have one of their own. caps: keys of the soft caps that transformers applies.
    tokens_key: says how many tokens a picture becomes, where the projector pools; else it is one
    for each patch.
    """

    model_type: str
    text_type: str
    text_kind: str  # TextConfig.kind
    family: str  # ModelConfig.family
    defaults: Mapping[str, Any]
    image_token_id: int
    scale: str = "query_pre_attn_scalar"
    window_period: int | None = None
    window_key: str = ""
    theta: float = 10_000.0
    local_theta: float | None = None
    caps: tuple[str, ...] = ()
    has_four_norms: bool = True
    has_qk_norm: bool = False
    tokens_key: str = ""
    default_tokens: int = 256
    plain_keys: tuple[PlainKey, ...] = ()  # besides those of every kind
    published: str = ""  # one that a person may take the missing parts of


GEMMA3_KIND = ConfigKind(
    model_type="gemma3",
    text_type="gemma3_text",
    text_kind="gemma3",
    family="gemma3",
    defaults=GEMMA3,
    image_token_id=262_144,
    window_period=6,
    window_key="sliding_window_pattern",
    theta=1_000_000.0,
    local_theta=10_000.0,
    has_qk_norm=True,
    tokens_key="mm_tokens_per_image",
    plain_keys=(ONE_WAY,),
    published="google/gemma-3-4b-it",
)
CONFIG_KINDS = (  # the first of a model_type is meant where the text part has none
    ConfigKind(
        model_type="paligemma",
        text_type="gemma",
        text_kind="gemma",
        family="paligemma",
        defaults=GEMMA,
        image_token_id=256_000,
        scale="head_dim",
        caps=("final_logit_softcapping",),  # by PaliGemma over any text, by default none
        has_four_norms=False,
        plain_keys=(EARLY_GELU, BOTH_WAYS),
        published="google/paligemma-3b-pt-224",
    ),
    ConfigKind(
        model_type="paligemma",
        text_type="gemma2",
        text_kind="gemma2",
        family="paligemma2",
        defaults=GEMMA2,
        image_token_id=256_000,
        window_period=2,
        caps=("attn_logit_softcapping", "final_logit_softcapping"),
        published="google/paligemma2-3b-pt-224",
        plain_keys=(BOTH_WAYS,),
    ),
    GEMMA3_KIND,
    replace(
        GEMMA3_KIND,
        model_type="shieldgemma2",
        family="shieldgemma2",
        published="google/shieldgemma-2-4b-it",
    ),
)


def published_like(family: str) -> str:
    """A published checkpoint of a family, by its Hub id."""
    return next(kind.published for kind in CONFIG_KINDS if kind.family == family)
