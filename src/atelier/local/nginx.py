"""nginx in front of the instances: its configuration and its command."""

import grp
import os
import pwd
import resource
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from string import Template

from atelier.local.programs import nginx_program

_MOST_FILES = 8192


def configure(run: Path, port: int, sockets: Iterable[Path]) -> list[str]:
    """Write nginx's configuration into the run folder; return the command that runs it.

    nginx listens on a port of 127.0.0.1 and passes requests to the instances' sockets.
    """
    most_files = _most_files()
    template = Template((files(__package__) / "nginx.conf").read_text())
    text = template.substitute(
        user=_user(),
        files=most_files,
        connections=most_files // 2,  # one to the client, one to the instance
        port=port,
        servers="\n".join(f"        server unix:{socket} fail_timeout=1s;" for socket in sockets),
    )
    (run / "nginx.conf").write_text(text)
    return [str(nginx_program()), "-p", f"{run}/", "-c", "nginx.conf", "-e", "stderr"]


def _user() -> str:
    """Return the directive that makes root's workers `nobody`; others have no choice."""
    if os.geteuid() != 0:
        return ""
    account = pwd.getpwnam("nobody")
    return f"user nobody {grp.getgrgid(account.pw_gid).gr_name};"


def _most_files() -> int:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return _MOST_FILES if limit == resource.RLIM_INFINITY else min(limit, _MOST_FILES)
