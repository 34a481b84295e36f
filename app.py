"""Starts the web app. The app itself is `gemma_vision.web.app`, which the package brings along.

python app.py                          the checkpoint that comes inside
python app.py --model google/paligemma2-3b-mix-448 --device cuda
python app.py --model-choice fixed     visitors keep the checkpoint of the start
"""

import os
import sys

if os.environ.get("SPACES_ZERO_GPU"):
    import spaces  # noqa: F401  before torch: it stands in for CUDA until a GPU is lent

from gemma_vision.extras import MissingPackageError, require

try:
    require("app")
except MissingPackageError as error:
    sys.exit(f"Gemma Vision cannot start: {error}")

from gemma_vision.web.app import main

if __name__ == "__main__":
    sys.exit(main())
