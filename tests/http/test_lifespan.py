"""Periodic cleanup of an instance."""

import asyncio

import pytest

from atelier.http.ops import lifespan
from atelier.store.connections.database import DatabaseUnavailableError


async def test_cleanup_repeats_after_failures_which_are_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lifespan, "_CLEANUP_INTERVAL_SECONDS", 0)
    calls = asyncio.Queue[str]()

    async def keys() -> None:
        await calls.put("keys")
        raise DatabaseUnavailableError

    async def clients() -> None:
        await calls.put("clients")

    running = lifespan.Lifespan((keys, clients))
    await running.process_startup({}, {})
    first_calls = [await asyncio.wait_for(calls.get(), 10) for _ in range(4)]
    await running.process_shutdown({}, {})
    assert first_calls == ["keys", "clients"] * 2
    assert "deleting expired rows failed" in caplog.text
