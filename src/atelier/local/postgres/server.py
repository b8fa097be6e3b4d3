"""A PostgreSQL server: its data folder and its process."""

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
_MAX_SHARED_BUFFERS = 8192
_MEGABYTE = 1 << 20
_PREDECESSOR_SECONDS = 30
_STOP_SECONDS = 60
_PID_FILE_LINES = 8
_POLL_SECONDS = 0.02
_NO_SETTINGS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Server:
    """A server's programs, data folder, run folder, log, and the account that runs it."""

    programs: Path
    data: Path
    run: Path
    log: Path
    account: Account

    @property
    def sockets(self) -> Path:
        """The folder of its unix socket, accessible to the account and root only."""
        return self.run / "postgresql"

    @property
    def _configuration(self) -> Path:
        return self.run / "postgresql.conf"

    def dsn(self, database: str = "postgres") -> str:
        """Return the URL of one of its databases."""
        return f"postgresql://{USER}@/{database}?host={quote(str(self.sockets))}&port={PORT}"

    def create(self) -> None:
        """Create the data folder atomically: if killed, it leaves none or a complete one."""
        unfinished = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        self._make_folder(unfinished)
        initdb = self.account.run(
            self.programs / "initdb", *_initdb_options(self.programs), "-D", unfinished
        )
        with self.log.open("a", errors="replace") as log:
            log.write(initdb.stdout)
        if initdb.returncode:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise self._failure("initdb failed", initdb.stdout)
        unfinished.rename(self.data)

    def start(self, settings: Mapping[str, str] = _NO_SETTINGS) -> subprocess.Popen[bytes]:
        """Start the server with additional settings; return once it accepts connections.

        Raises AtelierError with the error line of the log.
        """
        self._remove_stale_pid_file()
        self._make_folder(self.sockets)
        self._configuration.write_text(_configuration(self.sockets, self.programs))
        self._configuration.chmod(0o644)
        deadline = time.monotonic() + _PREDECESSOR_SECONDS
        while True:
            begin = self.log.stat().st_size if self.log.exists() else 0
            process = self._launch(settings)
            if self._accepts_connections(process):
                return process
            output = self.log.read_bytes()[begin:].decode(errors="replace")
            if not _has_predecessor(output) or time.monotonic() > deadline:
                raise self._failure("PostgreSQL did not start", output)

    def is_ready(self) -> bool:
        """Return whether the server is running and accepts connections."""
        pid, status = self._pid_file()
        return status == "ready" and self._is_postmaster(pid)

    def clean_up(self) -> None:
        """Remove a stopped server's files from the run folder."""
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
                parent_death_signal=signal.SIGINT,
            )

    def _accepts_connections(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait until it does, or has ended; crash recovery may take long."""
        while process.poll() is None:
            # Compare the pid: an earlier server that is still stopping may be `ready`, too.
            if self._pid_file() == (str(process.pid), "ready"):
                return True
            time.sleep(_POLL_SECONDS)
        return False

    def _remove_stale_pid_file(self) -> None:
        """Remove what a killed server left; its pid may belong to another process now."""
        pid, _ = self._pid_file()
        if not (pid and self._is_postmaster(pid)):
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            shutil.rmtree(self.sockets, ignore_errors=True)

    def _pid_file(self) -> tuple[str, str]:
        """Return the pid and status in lines 1 and 8 of postmaster.pid; empty if missing."""
        try:
            lines = (self.data / "postmaster.pid").read_text(errors="replace").splitlines()
        except FileNotFoundError:
            lines = []
        lines += [""] * _PID_FILE_LINES
        return lines[0].strip(), lines[_PID_FILE_LINES - 1].strip()

    def _is_postmaster(self, pid: str) -> bool:
        """Return whether a process runs in the data folder; assume so without /proc."""
        try:
            return Path(f"/proc/{pid}/cwd").samefile(self.data)
        except OSError:
            return not Path("/proc/self").exists()

    def _make_folder(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self.account.own(folder)

    def _failure(self, what: str, output: str) -> AtelierError:
        reason = re.search(r"(?:PANIC|FATAL|ERROR|error): +(.*)", output)
        line = reason[1] if reason else "no reason given"
        if "No space left" in output or "Check free disk space" in output:
            return AtelierError(
                f"{what}: {line}. Free some disk space, or set ATELIER_HOME to another disk."
            )
        return AtelierError(f"{what}: {line}. See {self.log}.")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop a server cleanly; after a minute, immediately (its next start then recovers)."""
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
    """Return initdb's options: sort by code point, the same on every machine and version."""
    options = ["-E", "UTF8", "--locale=C", "-U", USER, "--auth=trust", "--data-checksums"]
    if major_version(programs) >= _FIRST_WITH_BUILTIN_LOCALES:
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return options


def _configuration(sockets: Path, programs: Path) -> str:
    memory = total_memory() // _MEGABYTE
    template = Template((files(__package__) / "postgresql.conf").read_text())
    return template.substitute(
        sockets=sockets,
        shared_buffers=min(memory // 4, _MAX_SHARED_BUFFERS),
        effective_cache_size=memory // 2,
        dynamic_shared_memory=dynamic_shared_memory(),
        preloaded="pg_prewarm" if has_library(programs, "pg_prewarm") else "",
    )


def _has_predecessor(output: str) -> bool:
    """Return whether it failed because an earlier server of the folder is still stopping."""
    return "is still in use" in output or '"postmaster.pid" already exists' in output


_CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")
_POSIX_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - only its size is read
_MIN_FOR_PARALLEL_QUERIES = 256 << 20


def total_memory() -> int:
    """Return the memory of the machine, or of the container if less, in bytes."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(machine, int(_CONTAINER_LIMIT.read_text()))
    except (OSError, ValueError):  # no container, or no limit
        return machine


def dynamic_shared_memory() -> str:
    """Return `posix`, or `sysv` if /dev/shm is missing or small, as in many containers."""
    try:
        size = shutil.disk_usage(_POSIX_SHARED_MEMORY).total
    except OSError:
        return "sysv"
    return "posix" if size >= _MIN_FOR_PARALLEL_QUERIES else "sysv"
