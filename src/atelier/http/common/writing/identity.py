"""Identifies voters by address or cookie, as keyed hashes only (decision 13)."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import falcon.asgi

from atelier.http.common.client_address import address_of, client_address
from atelier.http.common.writing import voter_cookie
from atelier.http.common.writing.secret import SharedSecret, derive_key
from atelier.http.common.writing.voter_cookie import VoterCookie
from atelier.store.voters import Voter

Clock = Callable[[], float]
"""Returns Unix time in seconds."""

_HASH_BYTES = 16
_CLOCK_DIFFERENCE = 600.0  # seconds, between the clocks of two instances at most


class Identity(NamedTuple):
    """The voter of a request, and the cookie to set if the vote counts."""

    voter: Voter
    new_cookie: VoterCookie | None = None
    own_bytes: int = 0
    """How many of the checked bytes are hashes of the voter; others are of its address."""

    @property
    def own(self) -> list[bytes]:
        """The hashes by which a vote of this voter is known."""
        return _split(self.voter.checked[: self.own_bytes])

    @property
    def shared(self) -> list[bytes]:
        """The hashes of an address by which this voter is checked, too."""
        return _split(self.voter.checked[self.own_bytes :])


class VoterIdentifier:
    """Identifies voters. The keys of its hashes rotate every `retention` seconds.

    A hash is checked with the keys of the current period and of the previous one, which cover every
    vote still stored; near the end of a period also with the next key, which an instance with a
    faster clock may already use.
    """

    def __init__(
        self,
        secret: SharedSecret,
        retention: float,
        *,
        by_cookie: bool,
        clock: Clock,
    ) -> None:
        """Take what returns the secret, how long voters are stored (s), what identifies them."""
        self._secret = secret
        self._retention = retention
        self._by_cookie = by_cookie
        self._clock = clock
        self._period: int | None = None
        self._keys: tuple[bytes, ...] = ()

    async def identify(self, req: falcon.asgi.Request, scope: str) -> Identity:
        """Return the voter of a request; hashes in different scopes cannot be linked.

        Raises DatabaseUnavailableError if the secret has not been loaded and cannot be.
        """
        secret = await self._secret()
        cookies = req.get_cookie_values(voter_cookie.NAME) or () if self._by_cookie else ()
        return self._identity(secret, scope, client_address(req), cookies)

    def identify_at_once(
        self, asgi_scope: Mapping[str, Any], headers: Mapping[bytes, bytes], scope: str
    ) -> Identity | None:
        """Return the same for a request's ASGI scope and headers; None if that is not simple."""
        sent = voter_cookie.sent(headers.get(b"cookie", b"")) if self._by_cookie else ()
        if self._secret.known is None or sent is None:
            return None
        forwarded = headers.get(b"x-forwarded-for")
        address = address_of(asgi_scope, None if forwarded is None else forwarded.decode("latin-1"))
        return self._identity(self._secret.known, scope, address, sent)

    def _identity(self, secret: bytes, scope: str, client: str, cookies: Iterable[str]) -> Identity:
        now = self._clock()
        keys = self._period_keys(secret, now)
        address = _hashes(keys, scope, b"address" + client.encode())
        if not self._by_cookie:
            return Identity(Voter(address, address[:_HASH_BYTES]), own_bytes=len(address))
        sent = voter_cookie.parse(cookies, _cookie_key(secret), now)
        cookie = sent or voter_cookie.new(now)
        browser = _hashes(keys if sent else keys[:1], scope, b"cookie" + cookie.id)
        # A cookie is free to delete and replace. Until it is a day old, and without one, the
        # address must not have voted either. A new cookie cannot have voted.
        own = browser if sent else b""
        checked = own + address if cookie.is_young(now) else own
        voter = Voter(checked, browser[:_HASH_BYTES] + address[:_HASH_BYTES])
        return Identity(voter, None if sent else cookie, len(own))

    async def set_cookie(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, cookie: VoterCookie
    ) -> None:
        """Set a cookie in the response to a vote that counted."""
        scheme = req.get_header("X-Forwarded-Proto", default=req.scheme)
        key = _cookie_key(await self._secret())
        resp.append_header("Set-Cookie", voter_cookie.header(cookie, key, scheme))

    def cookie_header(
        self, asgi_scope: Mapping[str, Any], headers: Mapping[bytes, bytes], cookie: VoterCookie
    ) -> bytes:
        """Return the same header for the response to a request that was identified at once."""
        scheme = headers.get(b"x-forwarded-proto", asgi_scope["scheme"].encode()).decode("latin-1")
        key = _cookie_key(self._secret.known or b"")
        return voter_cookie.header(cookie, key, scheme).encode()

    def _period_keys(self, secret: bytes, now: float) -> tuple[bytes, ...]:
        """Return the keys of the current, the previous and, near its beginning, the next period."""
        period = int(now // self._retention)
        if period != self._period:
            self._period = period
            self._keys = tuple(
                derive_key(secret, f"voters {self._retention} {period + offset}")
                for offset in (0, -1, 1)
            )
        is_near_next = (period + 1) * self._retention - now < _CLOCK_DIFFERENCE
        return self._keys if is_near_next else self._keys[:2]


def _hashes(keys: tuple[bytes, ...], scope: str, subject: bytes) -> bytes:
    """Return the concatenated hashes of a subject, one per key."""
    text = scope.encode() + b"\0" + subject
    return b"".join(
        [hashlib.blake2b(text, key=key, digest_size=_HASH_BYTES).digest() for key in keys]
    )


def _split(hashes: bytes) -> list[bytes]:
    return [hashes[n : n + _HASH_BYTES] for n in range(0, len(hashes), _HASH_BYTES)]


@lru_cache(maxsize=4)
def _cookie_key(secret: bytes) -> bytes:
    return derive_key(secret, "cookies")
