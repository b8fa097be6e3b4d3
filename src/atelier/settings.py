"""Every setting, read once from the environment into one frozen object.

The table in docs/configuration.md lists them all; a test holds the two together.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from atelier.errors import AtelierError

STREAM_CONNECTIONS = 2
"""The connections of an instance that carry large pages."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user can change. Times are in seconds."""

    database_url: str | None = field(default=None, repr=False)
    """The PostgreSQL to use (ATELIER_DATABASE_URL); None means the embedded one in `home`."""
    home: Path = Path(".atelier")
    """Where the embedded database and the run files live (ATELIER_HOME)."""
    port: int = 8080
    """The port nginx listens on, on 127.0.0.1 (PORT)."""
    instances: int = 3
    """How many instances stand behind nginx (INSTANCES)."""
    pool_size: int = 6
    """The most database connections of one instance (ATELIER_POOL_SIZE)."""
    request_timeout: float = 5.0
    """The longest a request waits for the database (ATELIER_REQUEST_TIMEOUT)."""
    idempotency_hours: float = 24.0
    """How long an Idempotency-Key is remembered (ATELIER_IDEMPOTENCY_HOURS)."""
    read_database_url: str | None = field(default=None, repr=False)
    """Hot standbys to read pages from (ATELIER_READ_DATABASE_URL); None means the primary."""
    standby_max_lag: float = 5.0
    """How long standbys alone are read from after the primary's end (ATELIER_STANDBY_MAX_LAG)."""

    metrics_port: int = 9180
    """The port of 127.0.0.1 where Prometheus finds the cluster's metrics (ATELIER_METRICS_PORT)."""

    @property
    def connections(self) -> int:
        """The most connections that one instance opens to the primary."""
        pools = 2 if self.read_database_url else 1
        return pools * self.pool_size + STREAM_CONNECTIONS

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings; raise AtelierError on the first value that makes no sense."""
        env = os.environ if environment is None else environment
        return cls(
            database_url=env.get("ATELIER_DATABASE_URL") or None,
            home=Path(env.get("ATELIER_HOME") or ".atelier").absolute(),
            port=_integer(env, "PORT", default=8080, minimum=1, maximum=65535),
            instances=_integer(env, "INSTANCES", default=3, minimum=1, maximum=64),
            pool_size=_integer(env, "ATELIER_POOL_SIZE", default=6, minimum=2, maximum=100),
            request_timeout=_positive(env, "ATELIER_REQUEST_TIMEOUT", default=5.0),
            idempotency_hours=_positive(env, "ATELIER_IDEMPOTENCY_HOURS", default=24.0),
            read_database_url=env.get("ATELIER_READ_DATABASE_URL") or None,
            standby_max_lag=_positive(env, "ATELIER_STANDBY_MAX_LAG", default=5.0),
            metrics_port=_integer(
                env, "ATELIER_METRICS_PORT", default=9180, minimum=1, maximum=65535
            ),
        )


def _integer(env: Mapping[str, str], name: str, *, default: int, minimum: int, maximum: int) -> int:
    text = env.get(name) or str(default)
    if not (text.isascii() and text.isdigit()) or not minimum <= int(text) <= maximum:
        raise AtelierError(f"{name}={text}: set it to a whole number from {minimum} to {maximum}.")
    return int(text)


def _positive(env: Mapping[str, str], name: str, *, default: float) -> float:
    text = env.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise AtelierError(f"{name}={text}: set it to a number above 0.")
    return value
