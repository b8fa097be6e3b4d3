"""Who did how much on a day: clients are counted by hashes, and their addresses kept nowhere."""

import secrets
from collections.abc import Callable
from datetime import UTC, date, datetime
from hashlib import blake2b
from typing import NamedTuple

from atelier.store.connections.database import Database
from atelier.store.queries import queries

_QUERIES = queries("atelier.store")
_HASH_SIZE, _KEY_SIZE = 16, 32


class Share(NamedTuple):
    """What one client may do of a kind on a day, as the statements take it."""

    day: date | None
    kind: str | None
    client: bytes | None
    """Its hash; None is not counted."""
    most: int | None


UNLIMITED = Share(None, None, None, None)


def today() -> date:
    """Return the day that is counted now (UTC)."""
    return datetime.now(UTC).date()


class ClientHashes:
    """Hashes addresses: a client is known again, by all instances, until the day is over."""

    def __init__(
        self, database: Database, secret: str | None, day: Callable[[], date] = today
    ) -> None:
        """Take the database, the secret (None: a random key of each day, kept there), a clock."""
        self._database = database
        self._secret = secret and blake2b(secret.encode(), digest_size=_KEY_SIZE).digest()
        self._day = day
        self._keys: dict[date, bytes] = {}

    async def share(self, kind: str, address: str, most: int) -> Share:
        """Return what a client may do today."""
        day = self._day()
        return Share(day, kind, _hashed(await self._key(day), address), most)

    async def forget(self) -> None:
        """Delete what was counted before today, and the keys of those days."""
        await self._database.write(_QUERIES["forget_clients"], self._day())

    async def _key(self, day: date) -> bytes:
        if day not in self._keys:
            self._keys = {day: await self._find_key(day)}
        return self._keys[day]

    async def _find_key(self, day: date) -> bytes:
        if self._secret:
            return _hashed(self._secret, day.isoformat())
        new = secrets.token_bytes(_KEY_SIZE)
        [row] = await self._database.write(_QUERIES["address_key"], day, new)
        key: bytes = row["key"]
        return key


def _hashed(key: bytes, text: str) -> bytes:
    return blake2b(text.encode(), key=key, digest_size=_HASH_SIZE).digest()
