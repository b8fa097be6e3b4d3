"""Backups of the whole database with pg_dump and pg_restore: rows, functions and privileges."""

import os
import re
import subprocess
from pathlib import Path

from atelier.errors import AtelierError
from atelier.local.host.programs import postgres_programs
from atelier.local.postgres.connection_errors import describe
from atelier.local.postgres.psql import connection
from atelier.store.connections.database import connect_directly

_EXISTS = "SELECT to_regnamespace('atelier') IS NOT NULL"


def back_up(dsn: str, file: Path) -> int:
    """Write a consistent backup while the service runs; return its size in bytes.

    An interrupted or failed backup leaves no file. Raises AtelierError if the file exists.
    """
    if file.exists():
        raise AtelierError(f"{file} exists: choose another name, or remove it.")
    unfinished = file.with_name(f"{file.name}.unfinished")
    try:
        # Its rows contain personal data: other users of this machine must not read it.
        os.close(os.open(unfinished, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
        _run("pg_dump", dsn, "--format=custom", f"--file={unfinished.absolute()}")
        with unfinished.open("rb") as written:
            os.fsync(written.fileno())
        unfinished.rename(file)
    except OSError as error:
        raise AtelierError(f"Cannot write {file}: {error.strerror}.") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return file.stat().st_size


async def check_empty(dsn: str) -> None:
    """Raise AtelierError if the database already has the service's schema."""
    connected = await connect_directly(dsn)
    try:
        exists = await connected.fetchval(_EXISTS)
    finally:
        await connected.close()
    if exists:
        raise AtelierError(
            f"{describe(dsn)} has data already: restore into an empty database. Set ATELIER_HOME "
            "to a new folder, or ATELIER_DATABASE_URL to a new database."
        )


def restore(dsn: str, file: Path) -> None:
    """Restore a backup into an empty database, completely or not at all."""
    options = ("--single-transaction", "--exit-on-error", "--no-owner")
    _run("pg_restore", dsn, *options, str(file.absolute()))


def _run(program: str, dsn: str, *arguments: str) -> None:
    url, environment = connection(dsn)
    command = [str(postgres_programs() / program), *arguments, f"--dbname={url}"]
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    if done.returncode:
        reason = re.search(r"(?:error|fatal): +(.*)", done.stderr)
        raise AtelierError(f"{program} failed: {reason[1] if reason else done.stderr.strip()}")
