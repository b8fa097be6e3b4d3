"""Whom a request is from, as the proxy before this instance says."""

from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address

import falcon.asgi

_HOST_BITS = 64  # of an IPv6 address: a customer has the whole network


def client_address(req: falcon.asgi.Request) -> str:
    """Return the client's address, of IPv6 the network (`2001:db8:1:2::`); "" if it is not known.

    It is the last one in X-Forwarded-For, which nginx sets, where the request came through a unix
    socket or from a private network; else the address of who connected.
    """
    peer = _peer(req)
    if peer and not _parsed(peer).is_private:
        return _network(peer)
    return _network(req.get_header("X-Forwarded-For", default=peer).rpartition(",")[2].strip())


def _peer(req: falcon.asgi.Request) -> str:
    """Return who connected; "" through a unix socket."""
    return (req.scope.get("client") or ("",))[0]


def _network(address: str) -> str:
    with suppress(ValueError):
        found = _parsed(address)
        if isinstance(found, IPv6Address):
            return str(IPv6Address(int(found) >> _HOST_BITS << _HOST_BITS))
        return str(found)
    return ""


def _parsed(address: str) -> IPv4Address | IPv6Address:
    """Return an address; one of IPv4 that is written as IPv6 as what it is."""
    found = ip_address(address)
    return (isinstance(found, IPv6Address) and found.ipv4_mapped) or found
