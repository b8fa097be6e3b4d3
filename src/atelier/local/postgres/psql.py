"""Runs psql on a database, in the service's schema."""

import os
import signal
import subprocess
from collections.abc import Sequence

from atelier.local.host.programs import postgres_programs
from atelier.store.connections.database import SCHEMA
from atelier.store.connections.url import DatabaseUrl


def psql(dsn: str, arguments: Sequence[str]) -> int:
    """Run psql on this terminal and return its exit code."""
    url, environment = connection(dsn)
    environment["PGOPTIONS"] = f"-c search_path={SCHEMA}"
    # Ctrl-C must interrupt only psql's query; a handler, unlike SIG_IGN, is not inherited.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        command = [str(postgres_programs() / "psql"), url, *arguments]
        return subprocess.run(command, check=False, env=environment).returncode
    finally:
        signal.signal(signal.SIGINT, before)


def connection(dsn: str) -> tuple[str, dict[str, str]]:
    """Return the URL without its password, which a command line would show, and an environment."""
    url = DatabaseUrl.parse(dsn)
    password = {"PGPASSWORD": url.password} if url.password else {}
    return str(url.without_password()), os.environ | password
