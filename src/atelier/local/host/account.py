"""The account that runs PostgreSQL, which refuses to run as root (docs/decisions/0002)."""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from atelier.errors import AtelierError

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Account:
    """Starts programs as another user, with an optional command prefix that adds capabilities."""

    uid: int | None = None
    """None: the current user."""
    gid: int | None = None
    prefix: tuple[str, ...] = ()

    def run(
        self, *command: str | Path, folder: Path = Path("/"), keep_open: Sequence[int] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, in a folder; return its result and output.

        It also gets the files `keep_open`, so that it holds their locks even if this process ends.
        """
        return subprocess.run(
            [*self.prefix, *map(str, command)],
            **self._options() | {"cwd": folder, "pass_fds": keep_open},
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",  # paths in the output need not be UTF-8
        )

    def start(
        self, *command: str | Path, log: IO[bytes], parent_death_signal: signal.Signals
    ) -> subprocess.Popen[bytes]:
        """Start a program that gets a signal when this process ends."""
        return subprocess.Popen(
            [*self.prefix, *map(str, command)],
            **self._options(),
            preexec_fn=die_with_parent(parent_death_signal),  # noqa: PLW1509 - one prctl, no locks
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )

    def can_enter(self, *paths: Path) -> bool:
        """Return whether programs started this way can access all files and folders."""
        try:
            return all(self.run("test", "-x", path).returncode == 0 for path in paths)
        except OSError:
            return False

    def own(self, path: Path) -> None:
        """Change the owner of a file or folder to the account."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def _options(self) -> dict[str, Any]:
        options = {"cwd": "/", "env": {**os.environ, "LC_ALL": "C"}}
        if self.uid is None or self.prefix:
            return options
        return options | {"user": self.uid, "group": self.gid, "extra_groups": []}


def nobody() -> Account:
    """Return the unprivileged account `nobody`."""
    entry = pwd.getpwnam("nobody")
    return Account(entry.pw_uid, entry.pw_gid)


def account_of(data: Path, programs: Path) -> Account:
    """Return the account to run these programs with on a data folder, which may not exist yet.

    As root: the folder's owner, or `nobody` for a new one. If that user cannot enter a parent
    folder, its processes get the capability that allows it. Raises AtelierError if none helps.
    """
    if os.geteuid() != 0:
        return Account()
    plain = nobody()
    if data.exists():
        owner = data.stat()
        plain = Account(owner.st_uid, owner.st_gid)
    capabilities = ("dac_read_search", "dac_override")
    for account in (plain, *(with_capability(plain, each) for each in capabilities)):
        if account.can_enter(programs / "postgres", data if data.exists() else data.parent):
            return account
    raise AtelierError(
        f"PostgreSQL does not run as root, and other users cannot enter {data.parent} or "
        f"{programs}: move the checkout, or run this as an ordinary user."
    )


def with_capability(account: Account, capability: str) -> Account:
    """Add an ambient capability; no_setuid_fixup makes access(2) respect it, too."""
    prefix = (
        "setpriv",
        f"--reuid={account.uid}",
        f"--regid={account.gid}",
        "--clear-groups",
        "--securebits=+no_setuid_fixup",
        f"--inh-caps=-all,+{capability}",
        f"--ambient-caps=-all,+{capability}",
        "--pdeathsig=keep",
    )
    return Account(account.uid, account.gid, prefix)


def die_with_parent(number: signal.Signals) -> Callable[[], None]:
    """Return a preexec function: the child gets a signal when its parent ends."""

    def set_parent_death_signal() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, number)

    return set_parent_death_signal
