"""Decode program: a process of its own that opens pictures for another, one behind the other.

`python -m gemma_vision.images.decode_program` reads requests from its input: a line of JSON with a
"path", or with a "name" and a number of "bytes" that follow it. It answers each with a line of
JSON: {"error": [code, sentence]}; {"work": pixels} where that is more than "most" of the request,
and nothing is decoded; or {"decoding": [width, height]}, then {"size": [width, height]} of the
picture as it is looked at and its RGB pixels. Whoever started it bounds its time and memory.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import IO, Any

from gemma_vision.images.lean_loading import load_leanly
from gemma_vision.images.limits import ImageError
from gemma_vision.images.opening import explained_damage, read_file, read_header, scan_file
from gemma_vision.images.strips import upright_size, upright_strips

READY = {"ready": True}


def main() -> int:
    """Serve until the input ends."""
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    forbid_files()
    send(answers, READY)
    while line := requests.readline():
        request = json.loads(line)
        data = requests.read(request["bytes"]) if "bytes" in request else None
        bound_time(request.get("seconds", 0))
        try:
            send_picture(request, data, answers)
        except ImageError as error:
            send(answers, {"error": [error.code, str(error)]})
        except MemoryError:
            message = "The picture takes too much memory. Resize it and try again."
            send(answers, {"error": ["E_IMAGE_TOO_LARGE", message]})
    return 0


def send_picture(request: dict[str, Any], data: bytes | None, answers: IO[bytes]) -> None:
    """Decode one picture and write its pixels, a strip at a time."""
    name = request.get("name", "The picture")
    if data is None:
        data, name = read_file(Path(request["path"]))
    scans = scan_file(data, name)
    image = read_header(data, name)
    del data
    work = scans * image.width * image.height
    if work > request.get("most", work):
        send(answers, {"work": work})
        return
    send(answers, {"decoding": image.size})
    with explained_damage(name):
        image = load_leanly(image)
        strips = upright_strips(image)
        strip = next(strips)
    send(answers, {"size": upright_size(image)})
    answers.write(strip.tobytes())
    for strip in strips:
        answers.write(strip.tobytes())
    answers.flush()


def send(answers: IO[bytes], words: dict[str, Any]) -> None:
    """Write a line of JSON."""
    answers.write(json.dumps(words).encode() + b"\n")
    answers.flush()


def forbid_files() -> None:
    """From here on nothing is written to a disk, whatever a decoder is talked into."""
    try:
        import resource
    except ImportError:  # not a POSIX system
        return
    for limit in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        resource.setrlimit(limit, (0, 0))


def bound_time(seconds: float) -> None:
    """Have the system end the process once it has computed so long for one picture."""
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, seconds)


if __name__ == "__main__":
    sys.exit(main())
