"""`atelier token`: created and shown once, listed without the token, revoked."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from atelier.store import tokens
from atelier.store.connections.database import Database, connect
from atelier.store.console.sessions import Sessions
from atelier.store.tokens import FoundToken, Scope, TokenReader, TokenState
from tests.support.commands import run
from tests.transfer.exports import load, write_export

_HOME = Path("/nonexistent/home")


async def token(database: str, *arguments: str) -> CompletedProcess[str]:
    return await asyncio.to_thread(run, _HOME, "token", *arguments, ATELIER_DATABASE_URL=database)


async def find(database: str, presented: str) -> FoundToken:
    pool = Database(database, size=1, timeout=30)
    try:
        return await TokenReader(pool).find(presented)
    finally:
        await pool.close()


async def listed(database: str) -> dict[str, dict[str, str | None]]:
    done = await token(database, "list", "--json")
    return {each["name"]: each for each in json.loads(done.stdout)}


@pytest.mark.parametrize("scope", [scope.text for scope in Scope])
async def test_a_token_is_the_last_line_and_valid(database: str, scope: str) -> None:
    done = await token(database, "create", "Anna Müller", "--scope", scope)
    assert done.returncode == 0, done.stderr
    *_, last = done.stdout.splitlines()
    assert len(last.split()) == 1
    found = await find(database, last)
    assert found == (TokenState.VALID, "Anna Müller", Scope[scope.upper()], None)
    assert await find(database, last + "x") == FoundToken()
    listing = (await token(database, "list")).stdout + (
        await token(database, "list", "--json")
    ).stdout
    assert "Anna Müller" in listing
    assert last.removeprefix("atelier_") not in listing


@pytest.mark.parametrize(("given", "days"), [("48h", 2), ("90d", 90)])
async def test_a_token_expires_after_the_time_given(database: str, given: str, days: int) -> None:
    await token(database, "create", "ci", "--scope", "read", "--expires", given)
    connection = await connect(database)
    assert await connection.fetchval(
        "SELECT expires_at = created_at + make_interval(hours => 24 * $1) FROM tokens", days
    )
    await connection.execute("UPDATE tokens SET expires_at = now()")
    await connection.close()
    assert (await listed(database))["ci"]["state"] == "expired"


@pytest.mark.parametrize("given", ["", "0d", "90", "1.5d", "-1d", "90 d", "1m", "999999d"])
async def test_a_time_that_cannot_be_understood_creates_no_token(database: str, given: str) -> None:
    done = await token(database, "create", "ci", "--scope", "read", "--expires", given)
    assert done.returncode == 2
    assert "such as 12h or 90d" in done.stderr
    assert await listed(database) == {}


@pytest.mark.parametrize("name", ["", " ci", "c\ni", "x" * 61, "\u202eci"], ids=ascii)
async def test_a_name_is_printable_and_short(database: str, name: str) -> None:
    done = await token(database, "create", name, "--scope", "read")
    assert (done.returncode, done.stdout) == (2, "")
    assert "printable characters" in done.stderr


async def test_a_revoked_token_is_rejected_and_its_name_is_not_used_again(database: str) -> None:
    created = (await token(database, "create", "ci", "--scope", "read")).stdout.split()[-1]
    for _ in range(2):
        assert (await token(database, "revoke", "ci")).returncode == 0
        revoked_at = (await listed(database))["ci"]["revoked_at"]
    assert revoked_at
    assert (await find(database, created)).state is TokenState.REVOKED
    again = await token(database, "create", "ci", "--scope", "operate")
    assert (again.returncode, again.stdout) == (1, "")
    assert "choose another name" in again.stderr


async def test_an_unknown_name_cannot_be_revoked(database: str) -> None:
    done = await token(database, "revoke", "nobody")
    assert done.returncode == 1
    assert done.stderr.startswith("atelier: There is no token named nobody")


async def test_tokens_and_their_sessions_survive_an_import_that_replaces_everything(
    database: str, tmp_path: Path
) -> None:
    connection = await connect(database)
    created = [
        await tokens.create(connection, name, Scope.MODERATE) for name in ("kept", "revoked")
    ]
    await tokens.revoke(connection, "revoked")
    await connection.close()
    pool = Database(database, size=1, timeout=5)
    sessions = Sessions(pool, timedelta(hours=1))
    secret = await sessions.open(created[0] or "")
    assert secret
    for _ in range(2):
        await load(database, write_export(tmp_path / "export"), replace=True)
        states = [(await find(database, each or "")).state for each in created]
        assert states == [TokenState.VALID, TokenState.REVOKED]
        session = await sessions.find(secret)
        assert session
        assert session.name == "kept"
    await pool.close()
    assert (await token(database, "create", "new", "--scope", "read")).returncode == 0


async def test_a_database_that_is_not_migrated_is_named_as_the_reason(database: str) -> None:
    connection = await connect(database)
    await connection.execute("DROP TABLE tokens CASCADE")
    await connection.close()
    done = await token(database, "list")
    assert (done.returncode, done.stdout) == (1, "")
    assert "run `atelier migrate` first" in done.stderr
