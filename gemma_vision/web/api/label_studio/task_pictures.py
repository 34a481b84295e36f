"""Task pictures: the file that a task of Label Studio names, fetched from there and nowhere else.

Knows the addresses that Label Studio writes: uploaded files, local files, cloud storage, which it
signs itself, and pictures in the task. Whatever else a task names is not fetched: whoever sends
tasks would otherwise have this machine ask any other.
"""

from __future__ import annotations

import base64
import http.client
import json
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from gemma_vision.images.limits import MAX_BYTES, ImageError

SECONDS = 20  # until Label Studio has to say something
FRESH = 240.0  # seconds that an access token is used for; it is good for five minutes
CLOUD = ("s3", "gs", "azure-blob")
SAFE = "/?&=%:+,;@~$!*'()"


@dataclass
class StudioFiles:
    """The files of one Label Studio. address: where it is, http://HOST:PORT; token: of one of its
    accounts, of either kind, or "" where none is needed.
    """

    address: str
    token: str = field(default="", repr=False)
    _access: tuple[float, str] = field(default=(0.0, ""), init=False, repr=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def fetch(self, named: Any, task_id: Any) -> bytes:
        """The bytes of a task's picture; ImageError where they cannot be had."""
        if not isinstance(named, str) or not named:
            raise ImageError("The task names no picture.", "E_IMAGE_MISSING")
        if named.startswith("data:"):
            return self._inside(named)
        try:
            request = urllib.request.Request(self._resolve(named, task_id))
            if self.token:
                request.add_unredirected_header("Authorization", self._authorization())
            with OPENER.open(request, timeout=SECONDS) as reply:
                data: bytes = reply.read(MAX_BYTES + 1)
        except ImageError:
            raise
        except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
            reason = getattr(error, "code", type(error).__name__)
            message = f"Label Studio did not give the picture ({reason}); look at its address"
            raise ImageError(f"{message} and the token.", "E_IMAGE_MISSING") from error
        return data

    def _inside(self, named: str) -> bytes:
        head, _, data = named.partition(",")
        try:
            if not head.endswith(";base64"):
                raise ValueError
            return base64.b64decode(data, validate=True)
        except ValueError:
            message = "The picture in the task is damaged; save it again."
            raise ImageError(message) from None

    def _resolve(self, named: str, task_id: Any) -> str:
        """Where a picture lies; ImageError for what is not Label Studio's."""
        parts = urlsplit(named)
        if parts.scheme in CLOUD:
            uri = base64.urlsafe_b64encode(named.encode()).decode()
            return f"{self.address}/tasks/{quote(str(task_id), '')}/presign/?fileuri={uri}"
        own = urlsplit(self.address)
        if parts.scheme and (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
            return f"{own.scheme}://{own.netloc}{quote(named.split(own.netloc, 1)[1], SAFE)}"
        if parts.scheme or parts.netloc:
            message = f"The picture lies at {parts.netloc or parts.scheme}, which is not asked;"
            raise ImageError(f"{message} bring it into Label Studio.", "E_IMAGE_MISSING")
        path = named.lstrip("/")
        return (
            f"{self.address}/{quote(f'data/{path}' if path.startswith('upload') else path, SAFE)}"
        )

    def _authorization(self) -> str:
        """The header for a legacy token, or for an access token that a personal one is good for."""
        if self.token.count(".") != 2:
            return f"Token {self.token}"
        with self._turn:
            made, access = self._access
            if time.monotonic() - made > FRESH or not access:
                self._access = (time.monotonic(), self._refreshed())
            return f"Bearer {self._access[1]}"

    def _refreshed(self) -> str:
        body = json.dumps({"refresh": self.token}).encode()
        request = urllib.request.Request(
            f"{self.address}/api/token/refresh/",
            body,
            {"Content-Type": "application/json"},
        )
        with OPENER.open(request, timeout=SECONDS) as reply:
            return str(json.loads(reply.read(2**20))["access"])


class WebOnly(urllib.request.HTTPRedirectHandler):
    """Goes where Label Studio points, as to the storage that it signed a picture of, by http."""

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, to: str
    ) -> Any:
        """As the handler, for addresses of the web alone."""
        if urlsplit(to).scheme not in ("http", "https"):
            raise ValueError("a redirect to no address of the web")
        return super().redirect_request(req, fp, code, msg, headers, to)


OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), WebOnly())
