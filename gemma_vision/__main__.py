"""python -m gemma_vision VERB ...   The same as the command gemma-vision."""

import signal
import sys


def main() -> int:
    """Run the command line; an interrupt while it is read in ends it quietly too."""
    try:
        from gemma_vision.cli import main as run

        return run()
    except KeyboardInterrupt:
        return 128 + signal.SIGINT  # as shells say it


if __name__ == "__main__":
    sys.exit(main())
