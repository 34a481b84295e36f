"""Follow the checklist of docs/spaces.md in an environment made to look like a Space.

sudo python scripts/like_a_space.py FOLDER      Linux, with unshare, setpriv and ip

In the folder: a fresh virtual environment with requirements.txt and what a Space has besides, and
the code of the last commit, which nobody may write to. The app runs there with the variables of a
Space and no others, without a superuser's rights, in a network that has nothing but the loopback
device. Prints what docs/spaces.md shows; 1 where something is not as that says.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PORT = 7860
PATIENCE = 60  # seconds until the app is up
PREINSTALLED = ("spaces", "mcp>=1.30,<2")  # by the Space; by item 7 of the checklist
ALONE = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
POWERLESS = ("setpriv", "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs")
VARIABLES = {
    "SYSTEM": "spaces",
    "SPACE_ID": "someone/gemma-vision",
    "SPACE_HOST": "someone-gemma-vision.hf.space",
    "GRADIO_SERVER_NAME": "0.0.0.0",
    "GRADIO_SERVER_PORT": str(PORT),
    "GRADIO_SSR_MODE": "True",
    "GRADIO_ANALYTICS_ENABLED": "True",
}
STARTS: Mapping[str, dict[str, str]] = {
    "free": {},
    "listed": {"GEMMA_VISION_MODEL_CHOICE": "listed"},
    "beyond": {"GEMMA_VISION_MODEL_CHOICE": "any"},
}
REFUSED = (
    {"MODEL_ID": "google/paligemma2-3b-mix-448"},
    {"GEMMA_VISION_MODEL_CHOICE": "everything"},
)


class Space:
    """A folder with an environment, the code, and a home that the app may write to."""

    def __init__(self, folder: Path) -> None:
        self.code, self.home = folder / "code", folder / "home"
        self.python = folder / "venv" / "bin" / "python"

    def prepare(self) -> None:
        """Everything anew."""
        folder = self.code.parent
        for part in ("code", "home", "venv"):
            shutil.rmtree(folder / part, ignore_errors=True)
        self.home.mkdir(parents=True)
        self.code.mkdir()
        commit = subprocess.run(
            ["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True
        )
        subprocess.run(["tar", "-x", "-C", self.code], input=commit.stdout, check=True)
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        pip = [str(self.python), "-m", "pip", "install", "--quiet", *PREINSTALLED]
        subprocess.run([*pip, "-r", str(self.code / "requirements.txt")], check=True)
        subprocess.run(["chmod", "-R", "a-w", self.code], check=True)

    def command(self, *words: str | Path, **variables: str) -> list[str]:
        """A command with the variables of a Space, and these, and no others."""
        path = {"PATH": f"{self.python.parent}:/usr/bin:/bin", "HOME": str(self.home)}
        given = [f"{name}={value}" for name, value in (path | VARIABLES | variables).items()]
        return [*POWERLESS, "env", "-i", *given, *map(str, words)]

    def run(self, *words: str | Path, **variables: str) -> str:
        """What such a command prints."""
        done = subprocess.run(
            self.command(*words, **variables), cwd=self.code, capture_output=True, text=True
        )
        return f"{done.stdout}{done.stderr}".strip()

    @contextmanager
    def app(self, **variables: str) -> Iterator[subprocess.Popen[str]]:
        """The app, up; it ends with the block."""
        log = self.home / "log"
        with log.open("w") as out:
            command = self.command(self.python, "app.py", **variables)
            app = subprocess.Popen(command, cwd=self.code, stdout=out, stderr=out, text=True)
            try:
                wait_until_up(app, log)
                print(log.read_text().strip())
                yield app
            finally:
                app.terminate()
                app.wait(PATIENCE)


def wait_until_up(app: subprocess.Popen[str], log: Path) -> None:
    """Until the app says where it is."""
    end = time.monotonic() + PATIENCE
    while " is up at " not in log.read_text():
        if app.poll() is not None or time.monotonic() > end:
            raise SystemExit(f"The app did not start:\n{log.read_text()}")
        time.sleep(0.2)


def follow(space: Space) -> None:
    """The checklist, from inside the network of its own."""
    print("$ echo x >> README.md")
    print(space.run("sh", "-c", "echo x >> README.md"))
    before = listing(space.code)
    for name, variables in STARTS.items():
        print(f"$ {assignments(variables)}python app.py")
        with space.app(**variables) as app:
            visitor = Path(__file__).with_name("visit_a_space.py")
            print(space.run(space.python, visitor, name, **variables))
            print(f"memory:   {most_memory(app.pid)}")
            print(
                f"socket:   {'0.0.0.0' if listens_everywhere() else 'WRONG: not at 0.0.0.0'}:{PORT}"
            )
    for variables in REFUSED:
        print(f"$ {assignments(variables)}python app.py")
        print(space.run(space.python, "app.py", **variables))
    print(f"code:     {'as it was' if listing(space.code) == before else 'WRONG: it was changed'}")


def assignments(variables: Mapping[str, str]) -> str:
    """Variables as one writes them before a command."""
    return "".join(f"{name}={value} " for name, value in variables.items())


def listing(folder: Path) -> list[tuple[str, int]]:
    """Every file and when it was changed."""
    return sorted((str(path), path.stat().st_mtime_ns) for path in folder.rglob("*"))


def most_memory(process: int) -> str:
    """The most that a process had in memory."""
    status = Path(f"/proc/{process}/status").read_text()
    return (
        next(line for line in status.splitlines() if line.startswith("VmHWM")).split(":")[1].strip()
    )


def listens_everywhere() -> bool:
    """Whether somebody listens on the port, at every address of this network."""
    return f"00000000:{PORT:04X}" in Path("/proc/net/tcp").read_text()


def main() -> int:
    """Prepare, go inside, follow."""
    if len(sys.argv) != 2 or os.geteuid() != 0:
        print("Run it as root with a folder to work in.", file=sys.stderr)
        return 2
    space = Space(Path(sys.argv[1]).resolve())
    if os.environ.get("INSIDE"):
        follow(space)
        return 0
    space.prepare()
    inside = [*ALONE, sys.executable, __file__, sys.argv[1]]
    result = subprocess.run(
        inside, env=os.environ | {"INSIDE": "1"}, capture_output=True, text=True
    )
    print(result.stdout + result.stderr)
    return result.returncode or int("WRONG" in result.stdout)


if __name__ == "__main__":
    sys.exit(main())
