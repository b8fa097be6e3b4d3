"""`atelier webhook`: endpoints are managed on the machine; secrets are shown once."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from atelier.store.connections.database import connect
from tests.support.cluster import program
from tests.support.commands import ATELIER, run
from tests.support.postgres import temporary_folder
from tests.support.receiver import is_signed, receiver

_HOME = Path("/nonexistent/home")
_LOCAL = {"ATELIER_WEBHOOK_NETWORKS": "127.0.0.0/8"}


async def webhook(database: str, *arguments: str, **settings: str) -> CompletedProcess[str]:
    settings = {"ATELIER_DATABASE_URL": database, **settings}
    return await asyncio.to_thread(run, _HOME, "webhook", *arguments, **settings)


@contextmanager
def instance(database: str) -> Iterator[None]:
    """Run an instance that may send to this machine."""
    with temporary_folder() as folder:
        command = [*ATELIER, "serve", "--socket", str(folder / "1.sock")]
        with program(command, ATELIER_DATABASE_URL=database, **_LOCAL):
            yield


async def shown(database: str, *arguments: str) -> list[dict[str, Any]]:
    done = await webhook(database, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


async def test_a_webhook_is_tested_listed_paused_and_removed(database: str) -> None:
    statuses = iter([204, 500])
    with receiver(lambda _: next(statuses, 204)) as hook, instance(database):
        added = await webhook(database, "add", hook.url, "--events", "answered,asked", **_LOCAL)
        assert added.returncode == 0, added.stderr
        secret = added.stdout.split()[-1]
        tested = await webhook(database, "test", "1")
        assert (tested.returncode, tested.stderr) == (0, "")
        assert tested.stdout.startswith("Delivered: status 204 after ")
        failed = await webhook(database, "test", "1")
        assert failed.returncode == 1
        assert failed.stderr == "atelier: Not delivered: not a status 2xx (status 500).\n"
        [first, *_] = hook.received
        assert first.event["type"] == "test"
        assert is_signed(first, secret)

        rotated = await webhook(database, "rotate-secret", "1", "--keep-old", "0")
        new_secret = rotated.stdout.split()[-1]
        assert (await webhook(database, "test", "1")).returncode == 0
        assert is_signed(hook.received[-1], new_secret)
        assert not is_signed(hook.received[-1], secret)

    [listed] = await shown(database, "list")
    assert (listed["url"], listed["events"]) == (hook.url, ["asked", "answered"])
    for state, command in [("paused", "pause"), ("active", "resume")]:
        assert (await webhook(database, command, "1")).returncode == 0
        assert (await shown(database, "list"))[0]["state"] == state
    table = await webhook(database, "list")
    assert "asked answered" in table.stdout
    assert (await webhook(database, "remove", "1")).returncode == 0
    assert await shown(database, "list") == []


async def test_a_webhook_that_no_instance_sends_to_is_reported(database: str) -> None:
    await webhook(database, "add", "https://shop.example/")
    done = await webhook(database, "test", "1", "--wait", "0")
    assert (done.returncode, done.stdout) == (1, "")
    assert "is the service running?" in done.stderr
    await webhook(database, "pause", "1")
    assert "resume it first" in (await webhook(database, "test", "1")).stderr


async def test_failed_deliveries_are_shown_and_replayed(database: str) -> None:
    await webhook(database, "add", "https://shop.example/")
    connection = await connect(database)
    await connection.execute(
        "INSERT INTO webhook_deliveries (webhook_id, kind, target, state, error, finished_at)"
        " SELECT 1, 'asked', 'question', 'failed', 'no response in time', now()"
        " FROM generate_series(1, 1001)"
    )
    await connection.close()
    log = await shown(database, "log", "1", "--state", "failed", "--limit", "2")
    assert [(each["id"], each["error"]) for each in log] == [
        (1001, "no response in time"),
        (1000, "no response in time"),
    ]
    assert "no response in time" in (await webhook(database, "log", "1")).stdout
    assert "again: 2." in (await webhook(database, "replay", "1", "7", "8")).stdout
    again = await webhook(database, "replay", "1", "7")
    assert (again.returncode, again.stdout) == (1, "")
    assert "The delivery 7 is pending" in again.stderr
    assert "again: 999." in (await webhook(database, "replay", "1", "--failed")).stdout
    assert (await webhook(database, "replay", "1")).returncode == 2


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://shop.example/", "begin with https://"),
        ("https://169.254.169.254/latest/meta-data", "public address"),
        ("https://2130706433/", "the name of a host"),
        ("https://localhost/hook", "public address"),
        ("https://shop.localhost./hook", "public address"),
        ("https://user:word@shop.example/", "no user name or password"),
    ],
)
async def test_a_url_that_events_must_not_be_sent_to_is_refused(
    database: str, url: str, why: str
) -> None:
    done = await webhook(database, "add", url)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("atelier: The URL must ")
    assert why in done.stderr
    assert await shown(database, "list") == []


@pytest.mark.parametrize("events", ["", "asked,", "asked,test", "all", "Asked"])
async def test_an_unknown_kind_of_event_is_refused(database: str, events: str) -> None:
    done = await webhook(database, "add", "https://shop.example/", "--events", events)
    assert (done.returncode, done.stdout) == (2, "")
    assert "must be some of asked,answered," in done.stderr


@pytest.mark.parametrize(
    "command", ["remove", "pause", "resume", "test", "log", "rotate-secret", "replay"]
)
async def test_an_unknown_webhook_is_named(database: str, command: str) -> None:
    done = await webhook(database, command, "9", *(["1"] if command == "replay" else []))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("atelier: There is no webhook 9")


async def test_there_is_a_limit_to_the_number_of_webhooks(database: str) -> None:
    connection = await connect(database)
    await connection.execute(
        "INSERT INTO webhooks (url, events, created_by, position, change_id)"
        " SELECT 'https://x', '{}', '', 0, 0 FROM generate_series(1, 20)"
    )
    await connection.close()
    done = await webhook(database, "add", "https://shop.example/")
    assert "There are 20 webhooks already" in done.stderr
