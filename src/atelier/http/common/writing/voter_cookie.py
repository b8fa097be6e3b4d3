"""The signed cookie that identifies a browser: a random id and the time of issue."""

import base64
import hmac
import re
import secrets
import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

NAME = "atelier_voter"

_MAX_AGE_SECONDS = 365 * 24 * 3600
_YOUNG_SECONDS = 24 * 3600
_PAYLOAD = struct.Struct(">12sQ")
_SIGNATURE_BYTES = 16
_VALUE = re.compile(r"[A-Za-z0-9_-]{48}", re.ASCII)
_SENT = re.compile(rb"(?:^|; )atelier_voter=([A-Za-z0-9_-]+)(?=;|$)")


class VoterCookie(NamedTuple):
    """The id of a browser, and when its cookie was issued (Unix time in seconds)."""

    id: bytes
    issued_at: int

    def is_young(self, now: float) -> bool:
        """Return whether the cookie is too recent to identify a voter on its own."""
        return now < self.issued_at + _YOUNG_SECONDS

    def value(self, key: bytes) -> str:
        """Return the cookie's signed value."""
        payload = _PAYLOAD.pack(*self)
        return base64.urlsafe_b64encode(payload + _signature(key, payload)).decode()


def new(now: float) -> VoterCookie:
    """Return a new cookie for a browser without one."""
    return VoterCookie(secrets.token_bytes(12), int(now))


def sent(header: bytes) -> Sequence[str] | None:
    """Return the cookie's values in a header Cookie; None if they are not written plainly."""
    if NAME.encode() not in header:
        return ()
    values = [value.decode() for value in _SENT.findall(header)]
    return values if len(values) == header.count(NAME.encode()) else None


def parse(values: Iterable[str], key: bytes, now: float) -> VoterCookie | None:
    """Return the first cookie with a valid signature that has not expired, or None."""
    for value in values:
        content = base64.urlsafe_b64decode(value) if _VALUE.fullmatch(value) else b""
        payload, signature = content[: _PAYLOAD.size], content[_PAYLOAD.size :]
        if content and hmac.compare_digest(signature, _signature(key, payload)):
            cookie = VoterCookie(*_PAYLOAD.unpack(payload))
            if now < cookie.issued_at + _MAX_AGE_SECONDS:
                return cookie
    return None


def header(cookie: VoterCookie, key: bytes, scheme: str) -> str:
    """Return the header Set-Cookie. Browsers accept `SameSite=None` only over https."""
    same_site = "None; Secure" if scheme == "https" else "Lax"
    value = f"{NAME}={cookie.value(key)}"
    return f"{value}; HttpOnly; Max-Age={_MAX_AGE_SECONDS}; Path=/; SameSite={same_site}"


def _signature(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, payload, "sha256")[:_SIGNATURE_BYTES]
