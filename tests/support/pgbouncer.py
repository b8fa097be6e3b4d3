"""PgBouncer in front of a PostgreSQL of the tests, with the settings that the guide recommends."""

import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from atelier.local.postgres.server import Server
from tests.support.cluster import free_port, wait_for_port
from tests.support.parts import require_or_skip

_NEEDED = (1, 21)
_GUIDE = Path(__file__).parents[2] / "docs" / "deploy-hosts.md"


def guide(language: str) -> str:
    """Return the block of a language (ini, sql) in the guide's part about PgBouncer."""
    part = _GUIDE.read_text().partition("**PgBouncer**")[2]
    return part.partition(f"```{language}\n")[2].partition("```")[0]


@contextmanager
def pgbouncer(server: Server, database: str, folder: Path, ignored: str = "") -> Iterator[int]:
    """Run PgBouncer in front of a database; yield its port. Two connections serve all clients."""
    program, port = _program(), free_port()
    users = folder / "pgbouncer-users"
    users.write_text('"atelier" ""\n"atelier_service" ""\n')
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(
        f"[databases]\n{database} = host={server.sockets}\n"
        f"[pgbouncer]\n{guide('ini').rstrip()}{ignored}\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = trust\nauth_file = {users}\ndefault_pool_size = 2\n"
    )
    with (folder / "pgbouncer.log").open("wb") as log:
        process = server.account.start(
            program, configuration, log=log, parent_death_signal=signal.SIGTERM
        )
        try:
            wait_for_port(port)
            yield port
        finally:
            process.kill()
            process.wait()


def _program() -> str:
    """Return the path of a PgBouncer that knows prepared statements; else skip the test."""
    found = shutil.which("pgbouncer")
    if found:
        told = subprocess.run([found, "--version"], check=True, capture_output=True, text=True)
        version = re.search(r"PgBouncer (\d+)\.(\d+)", told.stdout)
        if not version or tuple(map(int, version.groups())) < _NEEDED:
            found = None
    reason = "PgBouncer 1.21 or newer is not installed (Debian 13's; .ci/pgbouncer installs it)"
    return require_or_skip(found, reason)
