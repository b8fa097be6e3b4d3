"""The process that keeps an embedded PostgreSQL running while commands use it.

It prints `ready`, `already held` (another holder is running) or an error in one line; it ends
when no process holds the lock `users`.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

from atelier.errors import AtelierError
from atelier.local.host.locks import exclusive
from atelier.local.postgres.embedded import ALREADY_HELD, READY, Embedded
from atelier.local.postgres.server import stop

_POLL_SECONDS = 0.1


def main() -> None:
    """Hold the server of the home folder in the first argument, in the background."""
    if os.fork():
        return
    try:
        embedded = Embedded.open(Path(sys.argv[1]))
        with exclusive(embedded.home.lock("holder"), wait=False):
            _hold(embedded)
    except BlockingIOError:
        sys.stdout.write(ALREADY_HELD)
    except AtelierError as error:
        sys.stdout.write(str(error))


def _hold(embedded: Embedded) -> None:
    embedded.home.make_run_folder()
    embedded.keep_file.unlink(missing_ok=True)
    try:
        if not embedded.server.data.exists():
            embedded.server.create()
        postgres = embedded.server.start()
        _report_ready(embedded.server.log)
        Thread(target=_stop_when_unused, args=(embedded, postgres), daemon=True).start()
        postgres.wait()
    finally:
        embedded.server.clean_up()
        embedded.home.clean_up()


def _report_ready(log: Path) -> None:
    """Print READY, then redirect the output inherited from the starting command to the log."""
    sys.stdout.write(READY)
    sys.stdout.flush()
    with log.open("ab") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())


def _stop_when_unused(embedded: Embedded, postgres: subprocess.Popen[bytes]) -> None:
    while True:
        with exclusive(embedded.home.lock("users")):
            if not embedded.keep_file.exists():
                stop(postgres)
                return
        time.sleep(_POLL_SECONDS)


if __name__ == "__main__":
    main()
