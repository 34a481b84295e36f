"""The command line: gemma-vision VERB PICTURE... WORDS. JSON on standard output, words on error's.

Exit code 0; 1 when some pictures of several failed; 2 when nothing could be done.
"""

from gemma_vision.cli.program import main

__all__ = ["main"]
