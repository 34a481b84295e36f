"""Everything that a machine without a GPU can measure: `python -m benchmarks`.

python -m benchmarks                       all of it, as it is
python -m benchmarks latency [OPTIONS]     one, with its options; --help tells them
python -m benchmarks speed [OPTIONS]       tower, tokens, records, prompts side by side
python -m benchmarks growth [OPTIONS]      what more objects and more prompts take
python -m benchmarks serving [OPTIONS]     answers over HTTP, at once against in turn
python -m benchmarks starting [OPTIONS]    imports, and a cold process's first box
python -m benchmarks masks [OPTIONS]       codes to pixels; needs JAX
python -m benchmarks capacity [OPTIONS]    replicas, memory and waits for a load; simulated
python -m benchmarks drawing [OPTIONS]
python -m benchmarks viewer [OPTIONS]      the page while it answers; needs Chromium
python -m benchmarks cold [OPTIONS]        the page while it loads; needs Chromium
python -m benchmarks live [OPTIONS]        a camera's frames a second; needs Chromium
python -m benchmarks load [OPTIONS]        the app while more is wanted of it than it can do
"""

import sys
from importlib import import_module

MODULES = {
    "latency": "latency",
    "speed": "speed.table",
    "growth": "speed.growth",
    "serving": "speed.serving",
    "starting": "speed.starting",
    "masks": "speed.masks",
    "capacity": "capacity",
    "drawing": "drawing",
    "viewer": "viewer",
    "cold": "cold_load",
    "load": "load.table",
    "live": "live",
}


def main(words: list[str]) -> None:
    """Run the benchmark named first, or all."""
    if words and words[0] not in MODULES:
        print(__doc__)
        sys.exit(0 if words[0] in ("-h", "--help") else 2)
    for name in words[:1] or MODULES:
        sys.argv = [f"python -m benchmarks {name}", *words[1:]]
        import_module(f"benchmarks.{MODULES[name]}").main()
        print()


if __name__ == "__main__":
    main(sys.argv[1:])
