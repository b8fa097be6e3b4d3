"""Parses the URLs of endpoints."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

_MAX_LENGTH = 2000
_PRINTABLE = re.compile(r"[!-~]+", re.ASCII)
_NAME = re.compile(r"(?=.{1,253}\.?\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*", re.ASCII)
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)", re.ASCII)
_PORTS = {"http": 80, "https": 443}

Address = IPv4Address | IPv6Address


class InvalidUrlError(ValueError):
    """The message says what a URL must be: it completes "the URL must …"."""


class Target(NamedTuple):
    """What a URL names."""

    is_secure: bool
    host: str
    """A name, or an address without brackets."""
    authority: str
    """The value of the header Host."""
    port: int
    path: str
    """With the query."""

    @property
    def address(self) -> Address | None:
        """The address that the host is; None if it is a name."""
        return _address(self.host)


def parse(url: str) -> Target:
    """Return what a URL names; raise InvalidUrlError."""
    if len(url) > _MAX_LENGTH or not _PRINTABLE.fullmatch(url) or "\\" in url:
        raise InvalidUrlError(
            f"have at most {_MAX_LENGTH} printable ASCII characters, no spaces and no backslash"
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidUrlError("have a valid host and port") from error
    if parts.scheme not in _PORTS:
        raise InvalidUrlError("begin with https://")
    if "@" in parts.netloc:
        raise InvalidUrlError("contain no user name or password")
    if "#" in url:
        raise InvalidUrlError("contain no fragment")
    if port == 0 or parts.netloc.endswith(":"):
        raise InvalidUrlError("have a valid host and port")
    host = parts.hostname or ""
    if not _is_host(host, is_bracketed="[" in parts.netloc):
        raise InvalidUrlError("have the name of a host, or an address in its usual form")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    is_secure = parts.scheme == "https"
    return Target(is_secure, host, parts.netloc, port or _PORTS[parts.scheme], path)


def _is_host(host: str, *, is_bracketed: bool) -> bool:
    """Return whether a host is a name or an address, and none of the other forms of an address.

    Resolvers also understand numbers such as 2130706433, 0177.0.0.1 and 0x7f.1.
    """
    address = _address(host)
    if address or is_bracketed:
        return isinstance(address, IPv6Address if is_bracketed else IPv4Address)
    labels = host.removesuffix(".").split(".")
    return bool(_NAME.fullmatch(host.removesuffix(".") + ".")) and not _NUMBER.fullmatch(labels[-1])


def _address(host: str) -> Address | None:
    try:
        return None if "%" in host else ip_address(host)
    except ValueError:
        return None
