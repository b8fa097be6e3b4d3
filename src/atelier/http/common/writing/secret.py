"""The secret that all instances share, and the keys derived from it."""

import hmac
from collections.abc import Awaitable, Callable

from atelier.settings import Settings

LoadSecret = Callable[[], Awaitable[bytes]]
"""Returns the secret; raises DatabaseUnavailableError if it is in the database and that is away."""


def shared_secret(settings: Settings, load: LoadSecret) -> LoadSecret:
    """Return what returns the secret of the settings, or else the one in the database.

    `load` reads it from there, once.
    """
    known = settings.secret.encode() if settings.secret else None

    async def secret() -> bytes:
        nonlocal known
        if known is None:
            known = await load()
        return known

    return secret


def derive_key(secret: bytes, purpose: str) -> bytes:
    """Return the key for a purpose; keys for different purposes cannot be linked."""
    return hmac.digest(secret, purpose.encode(), "sha256")
