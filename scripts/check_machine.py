"""Say what a machine lacks before anything is installed, with the command that mends it.

python scripts/check_machine.py            what the app needs
python scripts/check_machine.py --tests    and what is wanted for the tests
"""

import ctypes.util
import shutil
import sys

MIN_PYTHON = (3, 11)
LIBRARIES = {"GL": "libgl1", "glib-2.0": "libglib2.0-0"}  # what OpenCV's wheel needs on Linux


def complaints() -> list[str]:
    """One sentence for each thing that must be there and is not."""
    found = []
    if sys.version_info < MIN_PYTHON:
        have, want = sys.version.split()[0], ".".join(map(str, MIN_PYTHON))
        found.append(f"This is Python {have}; Python {want} or newer is needed.")
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        found.append("Python's venv module is missing: apt-get install python3-venv.")
    if sys.platform == "linux":
        missing = [p for lib, p in LIBRARIES.items() if not ctypes.util.find_library(lib)]
        if missing:
            found.append(f"OpenCV needs system libraries: apt-get install {' '.join(missing)}.")
    return found


def hints() -> list[str]:
    """One sentence for each thing that the tests want and do without."""
    if shutil.which("chromium") or shutil.which("chromium-browser"):
        return []
    return ["The browser tests need Chromium and are skipped without: apt-get install chromium."]


if __name__ == "__main__":
    for hint in hints() if "--tests" in sys.argv else ():
        print(f"note: {hint}", file=sys.stderr)
    for complaint in (lacking := complaints()):
        print(f"missing: {complaint}", file=sys.stderr)
    sys.exit(1 if lacking else 0)
