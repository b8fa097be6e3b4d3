"""`atelier privacy` asks for confirmation, reports what it did, and prints no address."""

import asyncio
import json
import os
import pty
import subprocess
from pathlib import Path

import asyncpg
import pytest

from atelier.local.postgres import roles
from atelier.store.connections.database import connect
from atelier.store.connections.url import DatabaseUrl
from atelier.transfer.database.exclusive_lock import exclusive_lock
from tests.support.cluster import as_role
from tests.support.commands import ATELIER, environment
from tests.support.data import Data

_JANE = "jane@example.com"


@pytest.fixture
async def jane(database: str) -> str:
    """Return the URL of a database with two questions and an answer by Jane, and another answer."""
    connection = await connect(database)
    data = Data(connection)
    for _ in range(2):
        question = await data.question(5, name="Jane", email=_JANE)
    await data.answer(question, name="Jane", email="JANE@example.com", photos=["https://a.b/c"])
    await data.answer(question, name="Other", email="other@example.com")
    await connection.close()
    return database


def privacy(
    database: str, home: Path, *arguments: str, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*ATELIER, "privacy", *arguments],
        env=environment(home, ATELIER_DATABASE_URL=database),
        input=stdin,
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


async def test_export_prints_all_stored_data_as_json(jane: str, tmp_path: Path) -> None:
    done = privacy(jane, tmp_path, "export", "-", stdin=f"  {_JANE.upper()}\n")
    posts = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert [post["email"] for post in posts["questions"]] == [_JANE] * 2
    assert [(post["email"], post["photos"]) for post in posts["answers"]] == [
        ("JANE@example.com", ["https://a.b/c"])
    ]
    assert "Other" not in done.stdout


async def test_erasure_without_a_terminal_requires_yes(jane: str, tmp_path: Path) -> None:
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
    done = privacy(jane, tmp_path, "erase", "-", "--yes", stdin=_JANE)
    assert done.returncode == 0
    assert "(anonymized): 2 questions, 1 answer, 1 photo" in done.stdout
    assert "After an import or a restore" in done.stdout
    assert _JANE not in done.stdout
    assert await emails(jane) == ["erased"] * 3 + ["other@example.com"]


@pytest.mark.parametrize(("reply", "code", "email"), [("y", 0, "erased"), ("n", 1, _JANE)])
async def test_erasure_on_a_terminal_asks_for_confirmation(
    jane: str, tmp_path: Path, reply: str, code: int, email: str
) -> None:
    master, terminal = pty.openpty()
    process = subprocess.Popen(  # noqa: ASYNC220 - only starts it
        [*ATELIER, "privacy", "erase", "-", "--keep-texts"],
        env=environment(tmp_path, ATELIER_DATABASE_URL=jane),
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
    )
    os.close(terminal)
    await asyncio.to_thread(_read_until, master, b"E-mail address: ")
    os.write(master, f"{_JANE}\n".encode())
    shown = await asyncio.to_thread(_read_until, master, b"[y/N]: ")
    assert b"The name and address of 2 questions and 1 answer in database " in shown
    os.write(master, f"{reply}\n".encode())
    stdout, _ = await asyncio.to_thread(process.communicate, timeout=60)
    os.close(master)
    assert process.returncode == code
    assert (b"anonymized, texts kept" in stdout) == (code == 0)
    assert email in await emails(jane)


@pytest.mark.parametrize("command", ["export", "erase"])
async def test_unknown_address_is_reported_and_exits_with_0(
    jane: str, tmp_path: Path, command: str
) -> None:
    done = privacy(jane, tmp_path, command, "nobody@example.com")
    assert done.returncode == 0
    assert "Nothing was found" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["erase", "Seller", "--yes"], "not an e-mail address"),
        (["erase", "-"], "not an e-mail address"),
        (["erase", _JANE, "--with-answers"], "--with-answers requires --delete"),
        (
            ["erase", _JANE, "--keep-texts", "--delete"],
            "--keep-texts and --delete exclude each other",
        ),
    ],
)
async def test_invalid_arguments_change_nothing(
    jane: str, tmp_path: Path, arguments: list[str], message: str
) -> None:
    before = await emails(jane)
    done = privacy(jane, tmp_path, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert await emails(jane) == before


async def test_erasure_is_refused_during_an_import(jane: str, tmp_path: Path) -> None:
    before = await emails(jane)
    async with exclusive_lock(jane, "import"):
        done = await asyncio.to_thread(privacy, jane, tmp_path, "erase", _JANE, "--yes")
    assert done.returncode == 1
    assert "`atelier import` is running" in done.stderr
    assert await emails(jane) == before


@pytest.mark.parametrize("command", [["export"], ["erase", "--yes"]])
async def test_service_role_is_asked_for_the_admin_url(
    jane: str, tmp_path: Path, command: list[str]
) -> None:
    await roles.ensure(jane)
    service = as_role(jane, roles.SERVICE_ROLE)
    done = privacy(service, tmp_path, *command, "-", stdin=_JANE)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "set ATELIER_ADMIN_DATABASE_URL to the URL of the role that owns" in line
    assert _JANE in await emails(jane)


async def test_missing_migration_is_reported(jane: str, tmp_path: Path) -> None:
    connection = await asyncpg.connect(jane)
    await connection.execute("DROP TABLE atelier.erasures")
    await connection.close()
    done = privacy(jane, tmp_path, "erase", _JANE, "--yes")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "atelier: The database lacks tables: run `atelier migrate` first."
    ]
    assert _JANE in await emails(jane)


def _read_until(master: int, text: bytes) -> bytes:
    """Return the terminal's output up to and including a text."""
    shown = b""
    while text not in shown:
        shown += os.read(master, 1 << 12)
    return shown
