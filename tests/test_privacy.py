"""`atelier privacy` as an operator runs it: it asks, says what it did, and shows no address."""

import asyncio
import json
import os
import pty
import subprocess
from pathlib import Path

import asyncpg
import pytest

from atelier.store.connections.database import connect
from atelier.store.connections.url import DatabaseUrl
from atelier.transfer.database.exclusive_lock import exclusive_lock
from tests.support.commands import ATELIER, environment
from tests.support.data import Data

_JANE = "jane@example.com"


@pytest.fixture
async def jane(database: str) -> str:
    """Return the address of a database with two questions and an answer of hers, and others."""
    connection = await connect(database)
    data = Data(connection)
    for _ in range(2):
        question = await data.question(5, name="Jane", email=_JANE)
    await data.answer(question, name="Jane", email="JANE@example.com", photos=["https://a.b/c"])
    await data.answer(question, name="Other", email="other@example.com")
    await connection.close()
    return database


def privacy(
    database: str, home: Path, *arguments: str, said: str = ""
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*ATELIER, "privacy", *arguments],
        env=environment(home, ATELIER_DATABASE_URL=database),
        input=said,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert _JANE not in done.stderr
    return done


async def emails(database: str) -> list[str]:
    connection = await asyncpg.connect(database)
    rows = await connection.fetch(
        "SELECT asker_email FROM atelier.questions"
        " UNION ALL SELECT answerer_email FROM atelier.answers"
    )
    await connection.close()
    return sorted(row[0] for row in rows)


async def test_an_export_is_json_of_all_that_is_stored(jane: str, tmp_path: Path) -> None:
    done = privacy(jane, tmp_path, "export", "-", said=f"  {_JANE.upper()}\n")
    posts = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert [each["email"] for each in posts["questions"]] == [_JANE] * 2
    assert [(each["email"], each["photos"]) for each in posts["answers"]] == [
        ("JANE@example.com", ["https://a.b/c"])
    ]
    assert "Other" not in done.stdout


async def test_without_a_terminal_an_erasure_needs_to_be_told_twice(
    jane: str, tmp_path: Path
) -> None:
    before = await emails(jane)
    refused = privacy(jane, tmp_path, "erase", _JANE)
    assert refused.returncode == 1
    [line] = refused.stderr.splitlines()
    name = DatabaseUrl.parse(jane).database
    assert "2 questions and 1 answer in database " in line
    assert f"database {name} on " in line
    assert "schema atelier" in line
    assert "add --yes to erase" in line
    assert await emails(jane) == before
    done = privacy(jane, tmp_path, "erase", "-", "--yes", said=_JANE)
    assert done.returncode == 0
    assert "(anonymized): 2 questions, 1 answer, 1 photo" in done.stdout
    assert "After an import or a\nrestore" in done.stdout
    assert _JANE not in done.stdout
    assert await emails(jane) == ["erased"] * 3 + ["other@example.com"]


@pytest.mark.parametrize(("reply", "code", "left"), [("y", 0, "erased"), ("n", 1, _JANE)])
async def test_on_a_terminal_it_asks_first(
    jane: str, tmp_path: Path, reply: str, code: int, left: str
) -> None:
    keyboard, terminal = pty.openpty()
    process = subprocess.Popen(  # noqa: ASYNC220 - it is only started here
        [*ATELIER, "privacy", "erase", "-", "--keep-texts"],
        env=environment(tmp_path, ATELIER_DATABASE_URL=jane),
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
    )
    os.close(terminal)
    shown = await asyncio.to_thread(_until, keyboard, b"E-mail address: ")
    os.write(keyboard, f"{_JANE}\n".encode())
    shown = await asyncio.to_thread(_until, keyboard, b"[y/N]: ")
    assert b"The name and address of 2 questions and 1 answer in database " in shown
    os.write(keyboard, f"{reply}\n".encode())
    said, _ = await asyncio.to_thread(process.communicate, timeout=60)
    os.close(keyboard)
    assert process.returncode == code
    assert (b"anonymized, texts kept" in said) == (code == 0)
    assert left in await emails(jane)


@pytest.mark.parametrize("command", ["export", "erase"])
async def test_an_unknown_address_is_no_failure_and_said_so(
    jane: str, tmp_path: Path, command: str
) -> None:
    done = privacy(jane, tmp_path, command, "nobody@example.com")
    assert done.returncode == 0
    assert "Nothing was found" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["erase", "Seller", "--yes"], "this is no e-mail address"),
        (["erase", "-"], "this is no e-mail address"),
        (["erase", _JANE, "--with-answers"], "--with-answers goes with --delete"),
        (["erase", _JANE, "--keep-texts", "--delete"], "either --keep-texts or --delete"),
    ],
)
async def test_what_makes_no_sense_changes_nothing(
    jane: str, tmp_path: Path, arguments: list[str], message: str
) -> None:
    before = await emails(jane)
    done = privacy(jane, tmp_path, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert await emails(jane) == before


async def test_while_an_import_runs_nothing_is_erased(jane: str, tmp_path: Path) -> None:
    before = await emails(jane)
    async with exclusive_lock(jane, "import"):
        done = await asyncio.to_thread(privacy, jane, tmp_path, "erase", _JANE, "--yes")
    assert done.returncode == 1
    assert "`atelier import` is running" in done.stderr
    assert await emails(jane) == before


async def test_a_database_that_is_not_migrated_is_told_so(jane: str, tmp_path: Path) -> None:
    connection = await asyncpg.connect(jane)
    await connection.execute("DROP TABLE atelier.erasures")
    await connection.close()
    done = privacy(jane, tmp_path, "erase", _JANE, "--yes")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "atelier: The database lacks tables: run `atelier migrate` first."
    ]
    assert _JANE in await emails(jane)


def _until(keyboard: int, text: bytes) -> bytes:
    """Return what a terminal shows until it shows something."""
    shown = b""
    while text not in shown:
        shown += os.read(keyboard, 1 << 12)
    return shown
