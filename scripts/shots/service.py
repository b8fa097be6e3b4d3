"""A service of its own for pictures and measurements."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

CHROMIUM = "/usr/bin/chromium"


class Service(NamedTuple):
    """A running service: its address, and the environment of its commands."""

    url: str
    environment: dict[str, str]


@contextmanager
def service() -> Iterator[Service]:
    """Run `atelier up` in a temporary folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    with tempfile.TemporaryDirectory(prefix="atelier-shots-") as home:
        variables = {"ATELIER_HOME": home, "PORT": port, "INSTANCES": "1"}
        command = [sys.executable, "-m", "atelier", "up"]
        with subprocess.Popen(
            command, env=os.environ | variables, stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                if not any(line.startswith("Ready") for line in process.stdout or ()):
                    sys.exit("shots: the service did not start")
                yield Service(f"http://127.0.0.1:{port}", os.environ | variables)
            finally:
                process.terminate()
