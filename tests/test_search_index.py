"""`atelier search index`: the index for moderators' search is built, shown and dropped."""

import asyncio
import re
from pathlib import Path

from tests.support.commands import run

_HOME = Path("/nonexistent/home")


async def index(database: str, command: str) -> str:
    done = await asyncio.to_thread(
        run, _HOME, "search", "index", command, ATELIER_DATABASE_URL=database
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_the_index_is_built_on_request_and_dropped(database: str) -> None:
    assert "There is no index" in await index(database, "status")
    built = await index(database, "build")
    assert "Building questions_search" in built
    assert "Building answers_search" in built
    status = await index(database, "status")
    assert re.search(r"questions_search: 0\.0 MB, built in [0-9]+ s\n", status)
    assert "not complete" not in status
    assert "Building" not in await index(database, "build")
    assert await index(database, "drop") == "There is no index now.\n"
    assert "There is no index" in await index(database, "status")
