"""The record of imports: what the console and `atelier imports` show."""

import asyncio
import json
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from atelier.errors import AtelierError
from atelier.store.connections.database import Database, connect
from atelier.store.imports import ImportRun, Imports
from atelier.transfer.progress import PlainProgress
from tests.support.commands import run
from tests.transfer.exports import (
    PHOTOS,
    QUESTIONS,
    fetch,
    load,
    made_up,
    write_export,
)
from tests.transfer.running import start_import, stop_at


async def recent(dsn: str) -> list[ImportRun]:
    database = Database(dsn, size=1, timeout=10)
    try:
        return await Imports(database).recent(100)
    finally:
        await database.close()


async def test_a_finished_import_says_what_it_did(database: str, tmp_path: Path) -> None:
    questions = [*QUESTIONS, b'4,7,"?",5,"n","e",2,0', b'1,7,"again",5,"n","e",0,0']
    folder = write_export(tmp_path, questions=questions, photos=[*PHOTOS, b'102,77,"x"'])
    await load(database, folder)
    [found] = await recent(database)
    assert (found.state, found.error, found.is_replacing) == ("finished", None, False)
    assert (found.folder, found.rejects_file) == (str(folder), str(folder / "rejects.csv"))
    assert found.finished_at
    assert 0 < found.seconds < 600
    assert found.rejected == 3
    assert {(each["file"], each["reason"], *each["first_lines"]) for each in found.rejects} == {
        ("questions.csv", "unknown boolean", 5),
        ("questions.csv", "duplicate id", 6),
        ("answers_photos.csv", "orphan", 4),
    }
    [counts] = [each for each in found.files if each["name"] == "questions.csv"]
    assert (counts["added"], counts["accepted"], counts["rejected"]) == (3, 3, 2)


async def test_imports_of_all_kinds_are_recorded_newest_first(
    database: str, tmp_path: Path
) -> None:
    first, more = made_up(tmp_path / "first"), made_up(tmp_path / "more", products=50)
    await load(database, first)
    await load(database, more)
    await load(database, more, replace=True)
    found = await recent(database)
    assert [(each.state, each.is_replacing) for each in found] == [
        ("finished", True),
        ("finished", False),
        ("finished", False),
    ]
    added = [sum(file["added"] for file in each.files) for each in found]
    assert added[0] == 0
    assert min(added[1:]) > 0


async def test_a_failed_import_says_why(database: str, tmp_path: Path) -> None:
    folder = write_export(tmp_path, questions=[b"x"])
    with pytest.raises(AtelierError, match="because of --strict"):
        await load(database, folder, strict=True)
    [found] = await recent(database)
    assert (found.state, found.files) == ("failed", [])
    assert found.error
    assert "because of --strict" in found.error
    assert found.rejected == sum(each["count"] for each in found.rejects) > 0


@asynccontextmanager
async def blocked_swaps(dsn: str) -> AsyncIterator[None]:
    """Keep imports from being published while the context lasts."""
    connection = await connect(dsn)
    await connection.execute("BEGIN; SELECT FROM questions")
    yield
    await connection.close()


async def wait_for(dsn: str, state: str, phase: str = "") -> ImportRun:
    """Wait until the newest import is recorded in a state, and in a phase if one is given."""
    while True:
        newest = (await recent(dsn))[0]
        if newest.state == state and phase in newest.phase:
            return newest
        await asyncio.sleep(0.05)


async def test_a_running_import_shows_how_far_it_is(database: str, tmp_path: Path) -> None:
    folder = write_export(tmp_path / "export", questions=[*QUESTIONS, b"x"])
    await load(database, folder)
    async with blocked_swaps(database):
        importing = asyncio.create_task(load(database, folder, replace=True))
        found = await wait_for(database, "running", "comparing with the rows in the database")
        assert (found.rejected, found.finished_at, found.files) == (1, None, [])
        assert not importing.done()
    await importing
    assert [each.state for each in await recent(database)] == ["finished", "finished"]


async def test_a_killed_import_shows_as_interrupted_and_does_not_stop_the_next(
    database: str, tmp_path: Path
) -> None:
    folder = made_up(tmp_path / "export")
    await load(database, folder)
    async with blocked_swaps(database):
        stop_at(start_import(database, folder), "indexes of documents: done", signal.SIGKILL)
        await wait_for(database, "interrupted")
    await load(database, folder, replace=True)
    assert [each.state for each in await recent(database)] == [
        "finished",
        "interrupted",
        "finished",
    ]
    stored = await fetch(database, "SELECT state FROM imports ORDER BY id DESC OFFSET 1 LIMIT 1")
    assert stored[0]["state"] == "interrupted"


async def test_ctrl_c_is_recorded_as_an_interruption(database: str, tmp_path: Path) -> None:
    stop_at(start_import(database, made_up(tmp_path)), "tables ...", signal.SIGINT)
    [found] = await recent(database)
    assert (found.state, found.error) == ("interrupted", None)
    assert found.finished_at


async def test_a_record_that_cannot_be_written_does_not_fail_the_import(
    database: str, tmp_path: Path
) -> None:
    """The record's connection is lost as soon as the import has begun."""
    end = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND query LIKE '%atelier.imports%'"
        " AND pid <> pg_backend_pid()"
    )
    ended = []

    def on_line(line: str) -> None:
        if line == "tables ...":
            ended.append(asyncio.ensure_future(fetch(database, end)))

    await load(database, made_up(tmp_path), progress=PlainProgress(on_line))
    [rows] = await asyncio.gather(*ended)
    assert rows
    assert [each.state for each in await recent(database)] == ["finished"]


async def test_only_the_newest_hundred_are_kept(database: str, tmp_path: Path) -> None:
    await fetch(
        database,
        "INSERT INTO imports (host, folder, rejects_file, is_replacing, state)"
        " SELECT 'h', 'f' || n, 'r', false, 'finished' FROM generate_series(1, 120) n",
    )
    await load(database, write_export(tmp_path))
    found = await recent(database)
    assert len(found) == 100
    assert [each.folder for each in found[:2]] == [str(tmp_path), "f120"]


async def test_the_command_lists_the_imports(database: str, tmp_path: Path) -> None:
    folder = write_export(tmp_path / "export", questions=[*QUESTIONS, b"x"])
    await load(database, folder)
    settings = {"ATELIER_DATABASE_URL": database}
    listed = run(tmp_path / "home", "imports", **settings)
    assert listed.returncode == 0, listed.stderr
    first, *others = listed.stdout.splitlines()
    assert re.fullmatch(rf"\S+Z finished, [0-9]+ s: \S+:{folder}", first)
    assert others == [
        "  8 rows added, 0 removed, 1 rejected",
        "  questions.csv: 1 wrong number of fields, first in line 5",
    ]
    [row] = json.loads(run(tmp_path / "home", "imports", "--json", **settings).stdout)
    assert row["rejects"] == [
        {
            "file": "questions.csv",
            "reason": "wrong number of fields",
            "count": 1,
            "first_lines": [5],
        }
    ]


async def test_the_record_contains_no_text_of_a_rejected_row(database: str, tmp_path: Path) -> None:
    await load(database, write_export(tmp_path, questions=[b'1,7,"secret",5,"n","jane@x.example"']))
    [row] = await fetch(database, "SELECT imports::text FROM imports")
    assert "wrong number of fields" in row[0]
    assert "secret" not in row[0]
    assert "jane" not in row[0]
