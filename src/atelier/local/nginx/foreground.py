"""nginx as the only program of a container or a unit."""

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

from atelier.local.host.account import die_with_parent
from atelier.local.nginx.nginx import Front, in_front
from atelier.settings import Settings

_PIPE_BYTES = 65536


def run(front: Front, settings: Settings) -> int:
    """Run nginx until SIGTERM or SIGINT, then let it finish its requests; return its exit code."""
    with tempfile.TemporaryDirectory(prefix="atelier-nginx-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # root's workers are another user
        command = in_front(front, folder, settings)
        # nginx opens its standard output by name, which fails for a socket and for another user's
        # pipe, as in units and containers; it succeeds for a pipe of this process.
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGQUIT),  # noqa: PLW1509 - one prctl, no locks
        ) as nginx:
            for number in (signal.SIGTERM, signal.SIGINT):
                # nginx would drop requests at SIGTERM.
                signal.signal(number, lambda *_: nginx.send_signal(signal.SIGQUIT))
            if nginx.stdout:
                _copy(nginx.stdout, sys.stdout.fileno())
            return nginx.wait()


def _copy(log: IO[bytes], output: int) -> None:
    """Copy the access log; go on reading if nobody reads the output any more."""
    while chunk := os.read(log.fileno(), _PIPE_BYTES):
        with suppress(BrokenPipeError):
            while chunk:
                chunk = chunk[os.write(output, chunk) :]
