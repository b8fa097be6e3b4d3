"""The process that keeps an embedded PostgreSQL running while commands use it.

It says `ready`, `taken` (another came first) or in one line why not; it ends when nobody holds
the lock `users` any more.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

from atelier.errors import AtelierError
from atelier.local.host.locks import exclusive
from atelier.local.postgres.embedded import READY, TAKEN, Embedded
from atelier.local.postgres.server import stop

_POLL_SECONDS = 0.1


def main() -> None:
    """Keep the server of the home folder given as the first argument, in the background."""
    if os.fork():
        return
    try:
        embedded = Embedded.open(Path(sys.argv[1]))
        with exclusive(embedded.home.lock("keeper"), wait=False):
            _keep(embedded)
    except BlockingIOError:
        sys.stdout.write(TAKEN)
    except AtelierError as error:
        sys.stdout.write(str(error))


def _keep(embedded: Embedded) -> None:
    embedded.home.make_run_folder()
    embedded.kept.unlink(missing_ok=True)
    try:
        if not embedded.server.data.exists():
            embedded.server.create()
        postgres = embedded.server.start()
        _say_ready(embedded.server.log)
        Thread(target=_stop_when_unused, args=(embedded, postgres), daemon=True).start()
        postgres.wait()
    finally:
        embedded.server.clean_up()
        embedded.home.clean_up()


def _say_ready(log: Path) -> None:
    """Say so, and let go of the streams of the command that started this process."""
    sys.stdout.write(READY)
    sys.stdout.flush()
    with log.open("ab") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())


def _stop_when_unused(embedded: Embedded, postgres: subprocess.Popen[bytes]) -> None:
    while True:
        with exclusive(embedded.home.lock("users")):
            if not embedded.kept.exists():
                stop(postgres)
                return
        time.sleep(_POLL_SECONDS)


if __name__ == "__main__":
    main()
