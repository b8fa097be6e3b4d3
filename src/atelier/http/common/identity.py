"""Who votes, told by address or by cookie, and kept as keyed hashes only (decision 13)."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import NamedTuple

import falcon.asgi

from atelier.http.common import voter_cookie
from atelier.http.common.client_address import client_address
from atelier.http.common.voter_cookie import VoterCookie
from atelier.store.voters import Voter

Clock = Callable[[], float]
"""Returns the seconds since 1970."""

_HASH_BYTES = 16


class Ballot(NamedTuple):
    """The voter of a request, and the cookie to give if the vote counts."""

    voter: Voter
    cookie: VoterCookie | None = None


class Identity:
    """Tells voters apart. The keys of its hashes change with each period of `memory` seconds.

    A hash is looked for by the keys of this period, the one before, and the next: that is as long
    as voters are remembered, and what an instance with a faster clock has just written.
    """

    def __init__(
        self,
        secret: Callable[[], Awaitable[bytes]],
        memory: float,
        *,
        by_cookie: bool,
        clock: Clock,
    ) -> None:
        """Take what returns the secret, the seconds that voters are remembered, and how to tell."""
        self._ask_for_secret = secret
        self._memory = memory
        self._by_cookie = by_cookie
        self._clock = clock
        self._secret: bytes | None = None
        self._period: int | None = None
        self._keys: tuple[bytes, ...] = ()

    async def ballot(self, req: falcon.asgi.Request, thing: str) -> Ballot:
        """Return who votes on a thing, which is named so that no other has its name.

        Raises DatabaseUnavailableError where the secret is needed and is not known yet.
        """
        secret, now = await self._known_secret(), self._clock()
        keys = self._period_keys(secret, now)
        address = _hashes(keys, thing, b"address" + client_address(req).encode())
        if not self._by_cookie:
            return Ballot(Voter(address, address[:_HASH_BYTES]))
        found = voter_cookie.read(
            req.get_cookie_values(voter_cookie.NAME) or (), _cookie_key(secret), now
        )
        cookie = found or voter_cookie.new(now)
        browser = _hashes(keys, thing, b"cookie" + cookie.id)
        # A cookie costs nothing to drop and to get anew: until it is a day old, and where there
        # is none, the address has one voice, too.
        checked = browser + address if cookie.is_young(now) else browser
        voter = Voter(checked, browser[:_HASH_BYTES] + address[:_HASH_BYTES])
        return Ballot(voter, None if found else cookie)

    async def give_cookie(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, cookie: VoterCookie
    ) -> None:
        """Send a cookie with the answer to a vote that counted."""
        voter_cookie.give(req, resp, cookie, _cookie_key(await self._known_secret()))

    async def _known_secret(self) -> bytes:
        if self._secret is None:
            self._secret = await self._ask_for_secret()
        return self._secret

    def _period_keys(self, secret: bytes, now: float) -> tuple[bytes, ...]:
        """Return the keys of this period and of its neighbours."""
        period = int(now // self._memory)
        if period != self._period:
            self._period = period
            self._keys = tuple(
                _derived(secret, f"voters {self._memory} {period + step}") for step in (0, -1, 1)
            )
        return self._keys


def _hashes(keys: tuple[bytes, ...], thing: str, who: bytes) -> bytes:
    """Return the hashes of somebody, one for each key."""
    text = thing.encode() + b"\0" + who
    return b"".join(
        [hashlib.blake2b(text, key=key, digest_size=_HASH_BYTES).digest() for key in keys]
    )


@lru_cache(maxsize=4)
def _cookie_key(secret: bytes) -> bytes:
    return _derived(secret, "cookies")


def _derived(secret: bytes, purpose: str) -> bytes:
    return hmac.digest(secret, purpose.encode(), "sha256")
