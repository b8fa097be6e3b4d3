"""The client's address, taken from X-Forwarded-For if the connection is from a proxy."""

from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address

import falcon.asgi

_HOST_BITS = 64  # of an IPv6 address: a customer has a whole /64 network


def client_address(req: falcon.asgi.Request) -> str:
    """Return the client's IPv4 address or IPv6 network (`2001:db8:1:2::`); "" if unknown.

    For a request through a unix socket or from a private network, it is the last address in
    X-Forwarded-For, which nginx sets; for any other, the connection's.
    """
    peer = _peer(req)
    if peer and not _parse(peer).is_private:
        return _network(peer)
    return _network(req.get_header("X-Forwarded-For", default=peer).rpartition(",")[2].strip())


def _peer(req: falcon.asgi.Request) -> str:
    """Return the connection's address; "" for a unix socket."""
    return (req.scope.get("client") or ("",))[0]


def _network(text: str) -> str:
    with suppress(ValueError):
        address = _parse(text)
        if isinstance(address, IPv6Address):
            return str(IPv6Address(int(address) >> _HOST_BITS << _HOST_BITS))
        return str(address)
    return ""


def _parse(text: str) -> IPv4Address | IPv6Address:
    """Return an address; IPv4-mapped IPv6 as IPv4."""
    address = ip_address(text)
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address
