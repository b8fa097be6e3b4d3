"""psql on any database, in the service's schema."""

import os
import signal
import subprocess
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from atelier.local.programs import postgres_programs
from atelier.store.database import SCHEMA


def psql(dsn: str, arguments: Sequence[str]) -> int:
    """Run psql on this terminal and return its exit code."""
    parts = urlsplit(dsn)
    environment = os.environ | {"PGOPTIONS": f"-c search_path={SCHEMA}"}
    if parts.password:  # others can read a command line
        environment["PGPASSWORD"] = unquote(parts.password)
        user, _, host = parts.netloc.rpartition("@")
        parts = parts._replace(netloc=f"{user.partition(':')[0]}@{host}")
    # Ctrl-C is for the query in psql; a handler, unlike SIG_IGN, is not inherited.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        command = [str(postgres_programs() / "psql"), parts.geturl(), *arguments]
        return subprocess.run(command, check=False, env=environment).returncode
    finally:
        signal.signal(signal.SIGINT, before)
