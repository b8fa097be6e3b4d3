"""The client's address of a request, as reported by the proxy in front of this instance."""

from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import falcon.asgi

_HOST_BITS = 64  # of an IPv6 address: one customer has the whole network
_KNOWN_ADDRESSES = 1024


def client_address(req: falcon.asgi.Request) -> str:
    """Return the client's address, for IPv6 its /64 network (`2001:db8:1:2::`); "" if unknown.

    For a request through a unix socket or from a private network, this is the last address in
    X-Forwarded-For, which nginx sets; otherwise, the address of the connection.
    """
    return address_of(req.scope, req.get_header("X-Forwarded-For"))


def address_of(scope: Mapping[str, Any], forwarded: str | None) -> str:
    """Return the same for a request's ASGI scope and header X-Forwarded-For."""
    peer: str = (scope.get("client") or ("",))[0]  # "" for a unix socket
    if peer and not _parse(peer).is_private:
        return _network(peer)
    return _network((peer if forwarded is None else forwarded).rpartition(",")[2].strip())


@lru_cache(maxsize=_KNOWN_ADDRESSES)
def _network(address: str) -> str:
    with suppress(ValueError):
        parsed = _parse(address)
        if isinstance(parsed, IPv6Address):
            return str(IPv6Address(int(parsed) >> _HOST_BITS << _HOST_BITS))
        return str(parsed)
    return ""


def _parse(address: str) -> IPv4Address | IPv6Address:
    """Return the parsed address; an IPv4-mapped IPv6 address as IPv4."""
    parsed = ip_address(address)
    return (isinstance(parsed, IPv6Address) and parsed.ipv4_mapped) or parsed
