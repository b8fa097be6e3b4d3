"""Instances that read from standbys."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.cluster import program, wait_until_ready
from tests.support.postgres import temporary_folder


@contextmanager
def running_instances(url: str, read_url: str, count: int = 2) -> Iterator[Sequence[Path]]:
    """Yield the sockets of instances, without a proxy."""
    environment = {
        "ATELIER_DATABASE_URL": url,
        "ATELIER_READ_DATABASE_URL": read_url,
        "ATELIER_STANDBY_MAX_LAG": "600",
    }
    with temporary_folder() as folder, ExitStack() as stack:
        sockets = [folder / f"{n}.sock" for n in range(count)]
        for socket in sockets:
            command = [sys.executable, "-P", "-m", "atelier", "serve", "--socket", str(socket)]
            stack.enter_context(program(command, **environment))
        for socket in sockets:
            wait_until_ready(socket)
        yield sockets
