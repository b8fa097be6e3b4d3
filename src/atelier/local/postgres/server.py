"""One PostgreSQL server: its data folder, made once, and its process."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from urllib.parse import quote

from atelier.errors import AtelierError
from atelier.local.host.account import Account
from atelier.local.host.programs import has_library, major_version

USER = "atelier"
PORT = 5432
"""Part of the socket's name; nothing listens on a network."""

_FIRST_WITH_BUILTIN_LOCALES = 17
_LARGEST_SHARED_BUFFERS = 8192
_MEGABYTE = 1 << 20
_PREDECESSOR_SECONDS = 30
_STOP_SECONDS = 60
_PID_FILE_LINES = 8
_POLL_SECONDS = 0.02
_NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server's programs, data, run files and log are, and as whom it runs."""

    programs: Path
    data: Path
    run: Path
    log: Path
    account: Account

    @property
    def sockets(self) -> Path:
        """The folder of its unix socket, closed to everyone but the account and root."""
        return self.run / "postgresql"

    @property
    def _configuration(self) -> Path:
        return self.run / "postgresql.conf"

    def dsn(self, database: str = "postgres") -> str:
        """Return the address of one of its databases."""
        return f"postgresql://{USER}@/{database}?host={quote(str(self.sockets))}&port={PORT}"

    def create(self) -> None:
        """Make the data folder; killed at any moment, none or a whole one is there."""
        unfinished = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        self._make_folder(unfinished)
        done = self.account.run(
            self.programs / "initdb", *_initdb_options(self.programs), "-D", unfinished
        )
        with self.log.open("a", errors="replace") as log:
            log.write(done.stdout)
        if done.returncode:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise self._failure("initdb failed", done.stdout)
        unfinished.rename(self.data)

    def start(self, settings: Mapping[str, str] = _NOTHING) -> subprocess.Popen[bytes]:
        """Start the server, with settings beside the file's; return once it accepts connections.

        Raises AtelierError with the line of the log that matters.
        """
        self._forget_dead_postmaster()
        self._make_folder(self.sockets)
        self._configuration.write_text(_configuration(self.sockets, self.programs))
        self._configuration.chmod(0o644)
        deadline = time.monotonic() + _PREDECESSOR_SECONDS
        while True:
            begin = self.log.stat().st_size if self.log.exists() else 0
            process = self._launch(settings)
            if self._accepts_connections(process):
                return process
            said = self.log.read_bytes()[begin:].decode(errors="replace")
            if not _has_predecessor(said) or time.monotonic() > deadline:
                raise self._failure("PostgreSQL did not start", said)

    def answers(self) -> bool:
        """Say whether the server runs and accepts connections."""
        pid, status = self._pid_file()
        return status == "ready" and self._is_postmaster(pid)

    def clean_up(self) -> None:
        """Remove what a server that has ended leaves in the run folder."""
        shutil.rmtree(self.sockets, ignore_errors=True)
        self._configuration.unlink(missing_ok=True)

    def _launch(self, settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
        options = {"config_file": str(self._configuration), **settings}
        flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            return self.account.start(
                self.programs / "postgres",
                "-D",
                self.data,
                *flags,
                log=log,
                at_parents_death=signal.SIGINT,
            )

    def _accepts_connections(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait until it does, or has ended; recovery after a crash may take its time."""
        while process.poll() is None:
            # Its own pid: an earlier server that is still on its way out may be `ready`, too.
            if self._pid_file() == (str(process.pid), "ready"):
                return True
            time.sleep(_POLL_SECONDS)
        return False

    def _forget_dead_postmaster(self) -> None:
        """Remove what a kill -9 left, whose number may now belong to another program."""
        pid, _ = self._pid_file()
        if not (pid and self._is_postmaster(pid)):
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            shutil.rmtree(self.sockets, ignore_errors=True)

    def _pid_file(self) -> tuple[str, str]:
        """Return the postmaster's pid and status, its first and eighth lines (empty: not there)."""
        try:
            lines = (self.data / "postmaster.pid").read_text(errors="replace").splitlines()
        except FileNotFoundError:
            lines = []
        lines += [""] * _PID_FILE_LINES
        return lines[0].strip(), lines[_PID_FILE_LINES - 1].strip()

    def _is_postmaster(self, pid: str) -> bool:
        """Say whether a process works in the data folder; where there is no /proc, believe it."""
        try:
            return Path(f"/proc/{pid}/cwd").samefile(self.data)
        except OSError:
            return not Path("/proc/self").exists()

    def _make_folder(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self.account.own(folder)

    def _failure(self, what: str, said: str) -> AtelierError:
        reason = re.search(r"(?:PANIC|FATAL|ERROR|error): +(.*)", said)
        line = reason[1] if reason else "no reason given"
        if "No space left" in said or "Check free disk space" in said:
            return AtelierError(
                f"{what}: {line}. Make room on the disk, or set ATELIER_HOME to one with room."
            )
        return AtelierError(f"{what}: {line}. More in {self.log}.")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop a server cleanly; after a minute, at once (it then recovers at its next start)."""
    for number in (signal.SIGINT, signal.SIGQUIT):
        process.send_signal(number)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        return
    process.kill()
    process.wait()


def _initdb_options(programs: Path) -> list[str]:
    """Sort by code point, the same on every machine and version."""
    options = ["-E", "UTF8", "--locale=C", "-U", USER, "--auth=trust", "--data-checksums"]
    if major_version(programs) >= _FIRST_WITH_BUILTIN_LOCALES:
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return options


def _configuration(sockets: Path, programs: Path) -> str:
    memory = total_memory() // _MEGABYTE
    template = Template((files(__package__) / "postgresql.conf").read_text())
    return template.substitute(
        sockets=sockets,
        shared_buffers=min(memory // 4, _LARGEST_SHARED_BUFFERS),
        effective_cache_size=memory // 2,
        dynamic_shared_memory=dynamic_shared_memory(),
        preloaded="pg_prewarm" if has_library(programs, "pg_prewarm") else "",
    )


def _has_predecessor(said: str) -> bool:
    """Say whether it failed because an earlier server of this folder is still on its way out."""
    return "is still in use" in said or '"postmaster.pid" already exists' in said


_CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")
_POSIX_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - asked for its size, nothing is put there
_LEAST_FOR_PARALLEL_QUERIES = 256 << 20


def total_memory() -> int:
    """Return the bytes of memory of the machine, or of the container if that is less."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(machine, int(_CONTAINER_LIMIT.read_text()))
    except (OSError, ValueError):  # no container, or one without a limit
        return machine


def dynamic_shared_memory() -> str:
    """Return `posix`, or `sysv` where /dev/shm is missing or as small as in many containers."""
    try:
        size = shutil.disk_usage(_POSIX_SHARED_MEMORY).total
    except OSError:
        return "sysv"
    return "posix" if size >= _LEAST_FOR_PARALLEL_QUERIES else "sysv"
