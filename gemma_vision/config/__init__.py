"""Config: the sizes of a checkpoint, read from its config.json. Knows nothing of tensors."""

from .published import parse_config, read_config, read_json
from .sizes import (
    FULL,
    SLIDING,
    CheckpointError,
    ModelConfig,
    Rope,
    TextConfig,
    VisionConfig,
)

__all__ = [
    "FULL",
    "SLIDING",
    "CheckpointError",
    "ModelConfig",
    "Rope",
    "TextConfig",
    "VisionConfig",
    "parse_config",
    "read_config",
    "read_json",
]
