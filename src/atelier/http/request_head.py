"""Reads a simple GET or PUT request from the bytes received, without an HTTP parser.

Only what every parser understands in the same way is simple; everything else is left to one.
"""

import re
from typing import NamedTuple

_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"  # RFC 9110, section 5.6.2


def _head(method: str, lengths: str) -> re.Pattern[str]:
    """Return the expression for a head; `lengths` is one for the bodies that are not simple.

    Headers that ask for something else than one response are not simple either.
    """
    others = rf"(?:expect|transfer-encoding|upgrade):|connection:(?! keep-alive\r)|{lengths}"
    first_letters = "(?=[cetuCETU])"  # of these; most headers begin with another
    headers = rf"(?:(?!{first_letters}(?i:{others})){_NAME}:[\t\x20-\x7e]*+\r\n)*+"
    target = r"(/[a-z0-9/]++)(?:\?([A-Za-z0-9_=&,-]*+))?"
    return re.compile(rf"({method}) {target} HTTP/1\.1(\r\n{headers})\r\n", re.ASCII)


_GET = _head("GET", r"content-length:")
_PUT = _head("PUT", r"content-length:(?! [0-9]{1,3}\r)")


class SimpleRequest(NamedTuple):
    """A request on a connection that is to stay open; its body, if any, means nothing."""

    method: str
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

    def pairs(self) -> list[tuple[bytes, bytes]]:
        """Return the headers as an ASGI scope has them: names in lower case, and values."""
        lines = self.headers.encode().split(b"\r\n")[1:-1]
        parts = (line.partition(b":") for line in lines)
        return [(name.lower(), value.strip(b" \t")) for name, _, value in parts]


def simple_request(data: bytes) -> SimpleRequest | None:
    """Return the request if the data is exactly one simple request, else None.

    Only a PUT may have a body, of the length that its head announces.
    """
    text = data.decode("latin-1")
    if match := _GET.fullmatch(text):
        return SimpleRequest._make(match.groups(""))
    if match := _PUT.match(text):
        request = SimpleRequest._make(match.groups(""))
        length = int(request.header("content-length") or 0)
        return request if length == len(text) - match.end() else None
    return None
