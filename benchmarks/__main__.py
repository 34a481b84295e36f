"""Everything that a machine without a GPU can measure: `python -m benchmarks`.

python -m benchmarks                       all of it, as it is
python -m benchmarks latency [OPTIONS]     one, with its options; --help tells them
python -m benchmarks drawing [OPTIONS]
"""

import sys
from importlib import import_module

NAMES = ("latency", "drawing")


def main(words: list[str]) -> None:
    """Run the benchmark named first, or all."""
    if words and words[0] not in NAMES:
        print(__doc__)
        sys.exit(0 if words[0] in ("-h", "--help") else 2)
    for name in words[:1] or NAMES:
        sys.argv = [f"python -m benchmarks {name}", *words[1:]]
        import_module(f"benchmarks.{name}").main()
        print()


if __name__ == "__main__":
    main(sys.argv[1:])
