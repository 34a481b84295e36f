"""python -m gemma_vision VERB ...   The same as the command gemma-vision."""

import sys

from gemma_vision.cli import main

if __name__ == "__main__":
    sys.exit(main())
