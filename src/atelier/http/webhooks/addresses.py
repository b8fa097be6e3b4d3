"""Which addresses webhooks may be sent to: public ones, and those that a setting allows.

The lists are here, not taken from `ipaddress`, whose idea of a public address changed between
versions of Python.
"""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from atelier.http.webhooks.urls import Address, InvalidUrlError, Target

_NOT_PUBLIC = [
    ip_network(network)
    for network in (
        # https://www.iana.org/assignments/iana-ipv4-special-registry, and multicast
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",  # the metadata of Azure's machines, from a public range
        # Of the IPv6 addresses below: they contain IPv4 addresses (Teredo, 6to4) or lead nowhere.
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
]
_PUBLIC_IPV6 = ip_network("2000::/3")
"""All others are reserved, local, multicast, or contain IPv4 addresses (::ffff:0:0/96, NAT64)."""

Network = IPv4Network | IPv6Network


class PermittedAddresses:
    """Decides whether an address may be connected to."""

    def __init__(self, networks: Sequence[str]) -> None:
        """Take the networks that are allowed although they are not public."""
        self._allowed = [ip_network(network) for network in networks]

    def check(self, target: Target) -> None:
        """Raise InvalidUrlError if a URL cannot be sent to, as far as its text tells.

        What a name stands for is checked when something is sent.
        """
        may_be_plain = bool(self._allowed)
        address = target.address or _of_this_machine(target.host)
        if address:
            addresses = [str(address)]
            if not self.are_permitted(addresses, is_secure=True):
                raise InvalidUrlError("have a public address (or see ATELIER_WEBHOOK_NETWORKS)")
            may_be_plain = self.are_permitted(addresses, is_secure=False)
        if not (target.is_secure or may_be_plain):
            raise InvalidUrlError("begin with https://")

    def are_permitted(self, addresses: Sequence[str], *, is_secure: bool) -> bool:
        """Return whether all addresses may be connected to.

        Without TLS, only the allowed networks may be.
        """
        return all(self._is_permitted(_unmapped(each), is_secure) for each in addresses)

    def _is_permitted(self, address: Address, is_secure: bool) -> bool:  # noqa: FBT001 - a fact
        return _is_in(address, self._allowed) or (is_secure and _is_public(address))


def _of_this_machine(name: str) -> Address | None:
    """Return the address of a name that is always this machine's (RFC 6761), None for others."""
    is_local = f".{name.removesuffix('.')}".endswith(".localhost")
    return ip_address("127.0.0.1") if is_local else None


def _is_public(address: Address) -> bool:
    is_of_public_kind = address.version == 4 or address in _PUBLIC_IPV6  # noqa: PLR2004 - IPv4
    return is_of_public_kind and not _is_in(address, _NOT_PUBLIC)


def _is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _unmapped(text: str) -> Address:
    """Return an address; the IPv4 address of one that is mapped to IPv6."""
    address = ip_address(text)
    return getattr(address, "ipv4_mapped", None) or address
