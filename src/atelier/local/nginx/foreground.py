"""nginx as the only program of a container or a unit."""

import signal
import subprocess
import tempfile
from pathlib import Path

from atelier.local.nginx.nginx import Front, in_front
from atelier.settings import Settings


def run(front: Front, settings: Settings) -> int:
    """Run nginx until SIGTERM or SIGINT, then let it finish its requests; return its exit code."""
    with tempfile.TemporaryDirectory(prefix="atelier-nginx-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # root's workers are another user
        with subprocess.Popen(in_front(front, folder, settings), start_new_session=True) as nginx:
            for number in (signal.SIGTERM, signal.SIGINT):
                # nginx would drop requests at SIGTERM.
                signal.signal(number, lambda *_: nginx.send_signal(signal.SIGQUIT))
            return nginx.wait()
