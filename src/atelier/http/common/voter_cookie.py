"""The cookie that tells browsers apart: a random id, when it was given, and our signature."""

import base64
import hmac
import re
import secrets
import struct
from collections.abc import Iterable
from typing import NamedTuple

import falcon.asgi

NAME = "atelier_voter"

_SECONDS = 365 * 24 * 3600
_YOUNG_SECONDS = 24 * 3600
_SIGNED = struct.Struct(">12sQ")
_SIGNATURE_BYTES = 16
_TEXT = re.compile(r"[A-Za-z0-9_-]{48}", re.ASCII)


class VoterCookie(NamedTuple):
    """A browser, and when it got its cookie (seconds since 1970)."""

    id: bytes
    given_at: int

    def is_young(self, now: float) -> bool:
        """Tell whether it could have been fetched for the very vote that it comes with."""
        return now < self.given_at + _YOUNG_SECONDS

    def text(self, key: bytes) -> str:
        """Return the cookie's value."""
        signed = _SIGNED.pack(*self)
        return base64.urlsafe_b64encode(signed + _signature(key, signed)).decode()


def new(now: float) -> VoterCookie:
    """Return a cookie for a browser that has none."""
    return VoterCookie(secrets.token_bytes(12), int(now))


def read(values: Iterable[str], key: bytes, now: float) -> VoterCookie | None:
    """Return the first cookie that we have signed and that has not expired, or None."""
    for value in values:
        content = base64.urlsafe_b64decode(value) if _TEXT.fullmatch(value) else b""
        signed, signature = content[: _SIGNED.size], content[_SIGNED.size :]
        if content and hmac.compare_digest(signature, _signature(key, signed)):
            cookie = VoterCookie(*_SIGNED.unpack(signed))
            if now < cookie.given_at + _SECONDS:
                return cookie
    return None


def give(
    req: falcon.asgi.Request, resp: falcon.asgi.Response, cookie: VoterCookie, key: bytes
) -> None:
    """Send a cookie with an answer. Only over https may a page of another site send it back."""
    is_https = req.get_header("X-Forwarded-Proto", default=req.scheme) == "https"
    resp.set_cookie(
        NAME,
        cookie.text(key),
        max_age=_SECONDS,
        path="/qa",
        secure=is_https,
        http_only=True,
        same_site="None" if is_https else "Lax",
    )


def _signature(key: bytes, signed: bytes) -> bytes:
    return hmac.digest(key, signed, "sha256")[:_SIGNATURE_BYTES]
