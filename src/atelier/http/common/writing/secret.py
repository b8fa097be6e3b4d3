"""The secret that all instances share, and the keys derived from it."""

import hmac
from collections.abc import Awaitable, Callable

from atelier.settings import Settings

LoadSecret = Callable[[], Awaitable[bytes]]
"""Returns the secret; raises DatabaseUnavailableError if it is in the database and that is away."""


class SharedSecret:
    """The secret of the settings, or else the one in the database, which is read once."""

    def __init__(self, settings: Settings, load: LoadSecret) -> None:
        """Take the settings, and what reads the secret from the database."""
        self._load = load
        self.known = settings.secret.encode() if settings.secret else None
        """The secret; None before it has been read."""

    async def __call__(self) -> bytes:
        """Return the secret."""
        if self.known is None:
            self.known = await self._load()
        return self.known


def derive_key(secret: bytes, purpose: str) -> bytes:
    """Return the key for a purpose; keys for different purposes cannot be linked."""
    return hmac.digest(secret, purpose.encode(), "sha256")
