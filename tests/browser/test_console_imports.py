"""The imports in the console: progress while one runs, and what was rejected."""

import json
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from atelier.store.imports import LOCK
from atelier.store.tokens import Scope
from tests.browser.console import console, no_complaints
from tests.browser.test_console_queue import HOSTILE
from tests.support.browser import accessibility_violations
from tests.support.cluster import Cluster
from tests.support.data import Data

_RUNNING = """
    INSERT INTO imports (host, folder, rejects_file, is_replacing, phase, done, total)
    VALUES ('db1', $1, '/exports/rejects.csv', true, 'answers.csv', 250000, 1000000)
    RETURNING id
"""
_FINISHED = """
    UPDATE imports SET state = 'finished', finished_at = started_at + interval '192 seconds',
        rejected = 3, rejects = $2, files = $3
    WHERE id = $1
"""
_FILE = {
    "name": "answers.csv",
    "before": 0,
    "added": 1234567,
    "replaced": 0,
    "unchanged": 0,
    "removed": 0,
    "rejected": 3,
}


@pytest.fixture
async def running(data: Data) -> AsyncIterator[int]:
    """Return the id of an import that runs, as far as anybody can tell."""
    await data.connection.execute("SELECT pg_advisory_lock($1)", LOCK)
    yield await data.connection.fetchval(_RUNNING, HOSTILE[1])
    await data.connection.execute("SELECT pg_advisory_unlock($1)", LOCK)
    await data.connection.execute("DELETE FROM imports")


async def test_a_running_import_is_followed_to_its_end(
    browser: Browser, service: Cluster, data: Data, running: int
) -> None:
    async with console(browser, service, data, Scope.MODERATE) as visit:
        page = visit.page
        await page.get_by_role("link", name="Imports").click()
        item = page.locator(f"#import-{running}")
        await expect(item).to_contain_text(HOSTILE[1])
        await expect(item.get_by_role("progressbar", name="answers.csv")).to_have_attribute(
            "value", "250000"
        )
        await expect(item).to_contain_text("250,000 of 1,000,000 rows, 25 %")
        assert await accessibility_violations(page) == []
        await data.connection.execute("UPDATE imports SET done = 500000 WHERE id = $1", running)
        await expect(item).to_contain_text("50 %")
        reject = {"file": "answers.csv", "reason": HOSTILE[0], "count": 3, "first_lines": [7, 9]}
        await data.connection.execute(_FINISHED, running, json.dumps([reject]), json.dumps([_FILE]))
        await expect(item).to_contain_text("took 3 min 12 s")
        await expect(item.get_by_role("progressbar")).to_have_count(0)
        await expect(item).to_contain_text("1,234,567")
        await item.get_by_text("Rejected rows by reason").click()
        await expect(item.get_by_role("row", name="7, 9")).to_contain_text(HOSTILE[0])
        await expect(item).to_contain_text("/exports/rejects.csv on db1")
        assert await accessibility_violations(page) == []
        no_complaints(visit, service)


async def test_an_import_that_ended_too_early_says_why_also_without_scripts(
    browser: Browser, service: Cluster, data: Data, running: int
) -> None:
    await data.connection.execute(
        "UPDATE imports SET state = 'failed', error = $2, finished_at = now() WHERE id = $1",
        running,
        HOSTILE[2],
    )
    killed = await data.connection.fetchval(_RUNNING, "/exports")
    await data.connection.execute("SELECT pg_advisory_unlock($1)", LOCK)
    async with console(browser, service, data, Scope.MODERATE, has_scripts=False) as visit:
        await visit.page.goto(f"{service.base_url}/console/imports")
        item = visit.page.locator(f"#import-{running}")
        await expect(item.locator(".problem")).to_have_text(HOSTILE[2])
        await expect(item).to_contain_text("It was at: answers.csv, 250,000 of 1,000,000 rows")
        await expect(visit.page.locator(f"#import-{killed}")).to_contain_text("interrupted")
    await data.connection.execute("SELECT pg_advisory_lock($1)", LOCK)
