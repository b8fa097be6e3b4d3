"""The client's address of a request, as reported by the proxy in front of this instance."""

from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address

import falcon.asgi

_HOST_BITS = 64  # of an IPv6 address: one customer has the whole network


def client_address(req: falcon.asgi.Request) -> str:
    """Return the client's address, for IPv6 its /64 network (`2001:db8:1:2::`); "" if unknown.

    For a request through a unix socket or from a private network, this is the last address in
    X-Forwarded-For, which nginx sets; otherwise, the address of the connection.
    """
    peer = _peer(req)
    if peer and not _parse(peer).is_private:
        return _network(peer)
    return _network(req.get_header("X-Forwarded-For", default=peer).rpartition(",")[2].strip())


def _peer(req: falcon.asgi.Request) -> str:
    """Return the address of the connection; "" for a unix socket."""
    return (req.scope.get("client") or ("",))[0]


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
