"""Clients: whom a request comes from, honestly where the app stands behind a proxy.

What a request says of its origin can be written by anybody. It is believed only of a proxy that the
operator named; the last address that this proxy added is the client's. Behind a proxy that nobody
named, as on a Space, visitors cannot be told from each other: none of them is held for another.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Scope

from postprocess.errors import UserError

VARIABLE = "GEMMA_VISION_PROXIES"  # addresses or networks, with commas between
BELIEVED = "FORWARDED_ALLOW_IPS"  # uvicorn's own; not said, whatever is on this machine
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ProxyError(UserError):
    """A proxy that cannot be meant; the message is one sentence."""

    CODE = "E_ADDRESS"


def keep_peers() -> None:
    """Have uvicorn leave the address of a connection as it is, unless the operator says otherwise.

    It would put there what any program on this machine passes on, named here or not.
    """
    os.environ.setdefault(BELIEVED, "")


def proxies() -> tuple[Network, ...]:
    """The proxies that the environment names; raises ProxyError for what is no address."""
    return _networks(os.environ.get(VARIABLE, ""))


@lru_cache(maxsize=8)
def _networks(given: str) -> tuple[Network, ...]:
    try:
        return tuple(
            ipaddress.ip_network(part.strip(), strict=False)
            for part in given.split(",")
            if part.strip()
        )
    except ValueError as error:
        message = f"{VARIABLE} is {given!r}; name addresses or networks, such as 10.0.0.0/8."
        raise ProxyError(message) from error


def client_of(scope: Scope) -> str | None:
    """The address that a request comes from; through a named proxy, the one that it was given.

    None where a proxy of a private network passed it on that nobody named. Whoever comes straight
    from the internet gains nothing by saying that there was one.
    """
    peer = str((scope.get("client") or ("",))[0])
    named, headers = proxies(), Headers(scope=scope)
    if not named or not is_within(peer, named):
        is_private = is_address(peer) and not ipaddress.ip_address(peer).is_global
        return None if is_private and is_forwarded(headers) else peer
    hops = headers.get("x-forwarded-for", "").split(",")
    for hop in reversed([hop.strip() for hop in hops if hop.strip()]):
        if not is_within(hop, named):
            return hop if is_address(hop) else peer
    return peer


def client_of_event(request: Any, session: str | None) -> str:
    """Who sent an event of Gradio: an address, or one open page where addresses tell nothing."""
    scope = getattr(request, "scope", None)
    address = client_of(scope) if scope else None
    if address is None or not is_address(address) or ipaddress.ip_address(address).is_loopback:
        return f"page {session}"
    return address


def is_forwarded(headers: Mapping[str, Any]) -> bool:
    """Whether a request came through a proxy, so that its sender may be anywhere."""
    return any(headers.get(name) for name in FORWARDED)


def is_within(address: str, networks: tuple[Network, ...]) -> bool:
    """Whether an address is of one of these networks."""
    return is_address(address) and any(ipaddress.ip_address(address) in one for one in networks)


def is_address(text: str) -> bool:
    """Whether it is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
