"""Decoder process: one that decodes a picture at a time, and is ended when it has to be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import psutil  # type: ignore[import-untyped]
from PIL import Image

from gemma_vision.images.limits import ImageError
from gemma_vision.images.strips import spans

PROGRAM = "gemma_vision.images.decode_program"
SMALL = 32_000_000  # pixels, times scans, that are decoded in a moment
CPU_SECONDS = {True: 5.0, False: 20.0}  # of a small picture and of a large one
WALL_SECONDS = 60.0  # on a machine that has much else to do
MEMORY = 300 * 2**20  # bytes beside the picture's own
PIXEL_BYTES = 4  # of a decoded picture in Pillow
LOOK = 0.02  # seconds between two looks at a decoder


class DecodingStopped(ImageError):
    """Nobody waits for the picture any more."""

    CODE = "E_STOPPED"


@dataclass(frozen=True)
class Decoding:
    """A picture that is to be decoded, and what ends that."""

    data: bytes = field(repr=False)
    name: str = field(repr=False)
    is_small: bool
    stopped: threading.Event | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether somebody waits for it."""
        return self.stopped is None or not self.stopped.is_set()

    def check_wanted(self) -> None:
        """DecodingStopped where nobody waits for it."""
        if not self.is_wanted:
            raise DecodingStopped("The picture is not wanted any more.")

    def request(self) -> dict[str, Any]:
        """As the program takes it, in front of the bytes."""
        most = {"most": SMALL} if self.is_small else {}
        seconds = CPU_SECONDS[self.is_small]
        return {"name": self.name, "bytes": len(self.data), "seconds": seconds} | most


class Worker:
    """A process that decodes pictures; it is there as soon as it is asked for, or later."""

    def __init__(self) -> None:
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "OPENBLAS_NUM_THREADS": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        self._is_ready = False
        self._most: int | None = None  # bytes it may have in memory, once that is known
        self._why: Exception | None = None  # it was ended

    def decode(self, job: Decoding) -> Image.Image | None:
        """One picture, or None where it is too large for its lane.

        The worker cannot be used any more once this has raised anything but ImageError.
        """
        over = threading.Event()
        watch = threading.Thread(
            target=self._watch, args=(over, job), name="decoder watch", daemon=True
        )
        watch.start()
        try:
            return self._ask(job)
        except ImageError:
            raise
        except (OSError, ValueError, EOFError) as error:
            self._why = self._why or too_costly(job.name)  # it has ended, by whatever
            raise self._why from error
        finally:
            over.set()
            watch.join()
            self._most = None

    @property
    def is_alive(self) -> bool:
        """Whether it can decode another."""
        return self._why is None and self._process.poll() is None

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was not sent is not wanted any more
                    continue

    def _ask(self, job: Decoding) -> Image.Image | None:
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None and answers is not None, "both are pipes"
        if not self._is_ready:
            self._hear()
            self._is_ready = True
        idle = self._memory()
        requests.write(json.dumps(job.request()).encode() + b"\n")
        requests.write(job.data)
        requests.flush()
        said = self._hear()
        if "work" in said:
            return None
        width, height = said["decoding"]
        self._most = idle + len(job.data) + MEMORY + PIXEL_BYTES * width * height
        width, height = self._hear()["size"]
        image = Image.new("RGB", (width, height))
        for top, bottom in spans(width, height):
            pixels = answers.read(3 * width * (bottom - top))
            if len(pixels) < 3 * width * (bottom - top):
                raise EOFError
            image.paste(Image.frombytes("RGB", (width, bottom - top), pixels), (0, top))
        return image

    def _memory(self) -> int:
        """Bytes that the process has in memory; 0 where it has ended."""
        try:
            return int(psutil.Process(self._process.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None, "it is a pipe"
        line = self._process.stdout.readline()
        if not line:
            raise EOFError
        said: dict[str, Any] = json.loads(line)
        if "error" in said:
            code, message = said["error"]
            raise ImageError(message, code)
        return said

    def _watch(self, over: threading.Event, job: Decoding) -> None:
        """End the process when it takes too long or too much, or nobody waits for it."""
        latest = time.monotonic() + WALL_SECONDS
        while not over.wait(LOOK):
            if not job.is_wanted:
                self._why = DecodingStopped("The picture is not wanted any more.")
            elif time.monotonic() > latest or (self._most and self._memory() > self._most):
                self._why = too_costly(job.name)
            else:
                continue
            self._process.kill()
            return


def too_costly(name: str) -> ImageError:
    """The refusal of a picture that a decoder was ended over."""
    message = f"{name} takes too long or too much memory. Save it smaller and try again."
    return ImageError(message, "E_IMAGE_TOO_LARGE")
