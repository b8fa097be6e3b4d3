"""Sessions of the console: opened with a token, ended with it, known to every instance.

A session is a random text of 256 bits in a cookie; only its SHA-256 hash is stored.
"""

import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

from atelier.store.connections.database import Database
from atelier.store.queries import queries
from atelier.store.tokens import Scope, Token, hash_of, new_token

_QUERIES = queries("atelier.store.console")
_SECRET_BYTES = 32


class Session(NamedTuple):
    """A session that is valid now."""

    name: str
    """The name of its token, which records of decisions keep."""
    scope: Scope
    expires_at: datetime


class ConsoleToken(NamedTuple):
    """A token in the list of the console."""

    token: Token
    created_by: str | None
    """The operator who created it in the console; None: the command line."""
    revoked_by: str | None


class Sessions:
    """Opens, finds and closes sessions, on the primary: a revoked token ends them at once."""

    def __init__(self, database: Database, lifetime: timedelta) -> None:
        """Take the database and the longest time of a session."""
        self._database = database
        self._lifetime = lifetime

    async def open(self, token: str) -> str | None:
        """Return a new session's secret; None unless the token may use the console."""
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        query = _QUERIES["open_session"]
        [row] = await self._database.write(query, hash_of(token), hash_of(secret), self._lifetime)
        return secret if row["opened"] else None

    async def find(self, secret: str) -> Session | None:
        """Return the session with this secret, None if it is over."""
        rows = await self._database.read(_QUERIES["find_session"], hash_of(secret))
        if not rows:
            return None
        [row] = rows
        return Session(row["name"], Scope[row["scope"].upper()], row["expires_at"])

    async def close(self, secret: str) -> None:
        """End a session."""
        await self._database.write(_QUERIES["close_session"], hash_of(secret))

    async def delete_expired(self) -> None:
        """Delete the sessions that are over."""
        await self._database.write(_QUERIES["delete_expired_sessions"])

    async def tokens(self, secret: str) -> list[ConsoleToken]:
        """Return all tokens by name; none unless the session is an operator's."""
        rows = await self._database.read(_QUERIES["session_tokens"], hash_of(secret))
        return [
            ConsoleToken(Token(*(row[name] for name in Token._fields)), *list(row.values())[-2:])
            for row in rows
        ]

    async def create_token(
        self, secret: str, name: str, scope: Scope, lifetime: timedelta | None
    ) -> str | None:
        """Store a new token and return it; None if the name is taken, even by a revoked token.

        Raises PermissionError unless the session is an operator's.
        """
        token = new_token()
        [row] = await self._database.write(
            _QUERIES["session_create_token"],
            *(hash_of(secret), name, scope.text, hash_of(token), lifetime),
        )
        return token if _permitted(row["created"]) else None

    async def revoke_token(self, secret: str, name: str) -> bool:
        """Revoke a token; return whether there was a valid one of that name.

        Raises PermissionError unless the session is an operator's.
        """
        query = _QUERIES["session_revoke_token"]
        [row] = await self._database.write(query, hash_of(secret), name)
        return _permitted(row["revoked"])


def _permitted(result: bool | None) -> bool:  # noqa: FBT001 - a column
    if result is None:
        raise PermissionError
    return result
