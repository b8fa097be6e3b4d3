"""Reads the head of a simple GET request from the bytes received, without an HTTP parser.

Only what every parser understands in the same way is simple; everything else is left to one.
"""

import re
from typing import NamedTuple

_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"  # RFC 9110, section 5.6.2
_NOT_SIMPLE = (
    r"(?i:(?:content-length|expect|transfer-encoding|upgrade):|connection:(?! keep-alive\r))"
)
"""Headers that announce a body, or ask for something else than one response."""
_HEADERS = rf"(?:(?!{_NOT_SIMPLE}){_NAME}:[\t\x20-\x7e]*+\r\n)*+"
_HEAD = re.compile(
    rf"GET (/[a-z0-9/]++)(?:\?([A-Za-z0-9_=&,-]*+))? HTTP/1\.1(\r\n{_HEADERS})\r\n", re.ASCII
)


class SimpleRequest(NamedTuple):
    """A GET request without a body, on a connection that is to stay open."""

    path: str
    query: str
    """The query string: letters, digits and the characters _=&,- only."""
    headers: str
    """The lines of the headers, each between two line ends."""

    def header(self, name: str) -> str | None:
        """Return the value of the first header with a name (in lower case); None without one."""
        start = self.headers.lower().find(f"\r\n{name}:")
        if start < 0:
            return None
        start += len(name) + 3
        return self.headers[start : self.headers.index("\r\n", start)].strip(" \t")


def simple_request(data: bytes) -> SimpleRequest | None:
    """Return the request if the data is exactly one simple request, else None."""
    match = _HEAD.fullmatch(data.decode("latin-1"))
    return SimpleRequest(match[1], match[2] or "", match[3]) if match else None
