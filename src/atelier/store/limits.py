"""Daily quotas of clients, which are identified by keyed hashes: no address is stored."""

import secrets
from collections.abc import Callable
from datetime import UTC, date, datetime
from hashlib import blake2b
from typing import NamedTuple

from atelier.store.connections.database import Database
from atelier.store.queries import queries

_QUERIES = queries("atelier.store")
_HASH_SIZE, _KEY_SIZE = 16, 32


class Quota(NamedTuple):
    """One client's maximum number of writes of a kind on a day: parameters of the statements."""

    day: date | None
    kind: str | None
    client: bytes | None
    """The hash of its address; None means no limit."""
    max_count: int | None


UNLIMITED = Quota(None, None, None, None)


def today() -> date:
    """Return the current day (UTC)."""
    return datetime.now(UTC).date()


class ClientHashes:
    """Hashes addresses: equal in all instances on one day, different on another day."""

    def __init__(
        self, database: Database, secret: str | None, day: Callable[[], date] = today
    ) -> None:
        """Take the database, the secret (None: a random key per day, stored there), and a clock."""
        self._database = database
        self._secret = secret and blake2b(secret.encode(), digest_size=_KEY_SIZE).digest()
        self._day = day
        self._keys: dict[date, bytes] = {}

    async def quota(self, kind: str, address: str, max_count: int) -> Quota:
        """Return a client's quota for today."""
        day = self._day()
        return Quota(day, kind, _keyed_hash(await self._key(day), address), max_count)

    async def delete_expired(self) -> None:
        """Delete the counts and keys of past days."""
        await self._database.write(_QUERIES["delete_expired_counts"], self._day())

    async def _key(self, day: date) -> bytes:
        if day not in self._keys:
            self._keys = {day: await self._load_key(day)}
        return self._keys[day]

    async def _load_key(self, day: date) -> bytes:
        if self._secret:
            return _keyed_hash(self._secret, day.isoformat())
        new = secrets.token_bytes(_KEY_SIZE)
        [row] = await self._database.write(_QUERIES["address_key"], day, new)
        key: bytes = row["key"]
        return key


def _keyed_hash(key: bytes, text: str) -> bytes:
    return blake2b(text.encode(), key=key, digest_size=_HASH_SIZE).digest()
