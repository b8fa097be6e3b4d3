"""Tokens: created, listed and revoked by their owner, looked up by the service.

A token is a random text of 256 bits. Only its SHA-256 hash is stored: nothing in the database or in
a backup of it can be sent as a token.
"""

import secrets
from datetime import datetime, timedelta
from enum import Enum, IntEnum
from hashlib import sha256
from typing import NamedTuple

import asyncpg

from atelier.store.connections.database import Database
from atelier.store.queries import queries

_QUERIES = queries("atelier.store")
_PREFIX = "atelier_"
"""Lets scanners for leaked secrets recognize a token."""
_TOKEN_BYTES = 32


class Scope(IntEnum):
    """What a token permits; each scope includes the lower ones."""

    READ = 1
    MODERATE = 2
    OPERATE = 3

    @property
    def text(self) -> str:
        """The scope's name in the API, on the command line and in the database."""
        return self.name.lower()


class TokenState(Enum):
    """Whether a token is accepted."""

    VALID = "valid"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    REVOKED = "revoked"


class FoundToken(NamedTuple):
    """What is known of a presented token; the default is that of an unknown one."""

    state: TokenState = TokenState.UNKNOWN
    name: str = ""
    scope: Scope = Scope.READ
    expires_at: str | None = None
    """ISO 8601; None means never."""


class Token(NamedTuple):
    """A token in a list."""

    name: str
    scope: str
    state: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class TokenReader:
    """Looks tokens up, at every request: a revoked token is rejected from then on."""

    def __init__(self, database: Database) -> None:
        """Take the primary: a standby might not know of a revocation yet."""
        self._database = database

    async def find(self, token: str) -> FoundToken:
        """Return what is known of a token; raise DatabaseUnavailableError."""
        rows = await self._database.read(_QUERIES["find_token"], hash_of(token))
        if not rows:
            return FoundToken()
        [row] = rows
        scope = Scope[row["scope"].upper()]
        return FoundToken(TokenState(row["state"]), row["name"], scope, row["expires_at"])


async def create(
    connection: asyncpg.Connection, name: str, scope: Scope, lifetime: timedelta | None = None
) -> str | None:
    """Store a new token and return it; None if the name is taken, even by a revoked token.

    Names are never used twice, because records of decisions keep them.
    """
    token = new_token()
    created = await connection.fetchval(
        _QUERIES["owner_token_create"], name, scope.text, hash_of(token), lifetime
    )
    return token if created else None


async def all_tokens(connection: asyncpg.Connection) -> list[Token]:
    """Return all tokens by name, also those that expired or were revoked."""
    return [Token(**row) for row in await connection.fetch(_QUERIES["owner_token_list"])]


async def revoke(connection: asyncpg.Connection, name: str) -> bool:
    """Revoke a token from now on; return whether there is one of that name."""
    return await connection.fetchval(_QUERIES["owner_token_revoke"], name) is not None


def new_token() -> str:
    """Return a random token."""
    return _PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)


def hash_of(token: str) -> bytes:
    """Return what is stored of a token."""
    return sha256(token.encode()).digest()
