"""What an instance does now and then."""

import asyncio

import pytest

from atelier.http.ops import lifespan
from atelier.store.connections.database import DatabaseUnavailableError


async def test_what_expired_is_deleted_again_and_again_whatever_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lifespan, "_SECONDS_BETWEEN_CLEANINGS", 0)
    cleaned = asyncio.Queue[str]()

    async def keys() -> None:
        await cleaned.put("keys")
        raise DatabaseUnavailableError

    async def clients() -> None:
        await cleaned.put("clients")

    running = lifespan.Lifespan((keys, clients))
    await running.process_startup({}, {})
    found = [await asyncio.wait_for(cleaned.get(), 10) for _ in range(4)]
    await running.process_shutdown({}, {})
    assert found == ["keys", "clients"] * 2
