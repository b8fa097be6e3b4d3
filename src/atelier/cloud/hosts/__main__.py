"""`python -m atelier.cloud.hosts NAME` runs one of the programs of a host."""

import os
import sys
from collections.abc import Callable

from atelier.cloud.hosts import follow, job, logs, ready, secrets, watch
from atelier.cloud.hosts.host import Host
from atelier.errors import AtelierError

_PROGRAMS: dict[str, Callable[[Host], int]] = {
    "follow": follow.run,
    "job": job.run,
    "logs": logs.run,
    "ready": ready.run,
    "secrets": secrets.run,
    "watch": watch.run,
}


def main() -> int:
    """Run the program that the first argument names; return the exit code."""
    try:
        return _PROGRAMS[sys.argv[1]](Host(os.environ))
    except AtelierError as error:
        sys.stderr.write(f"atelier: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
