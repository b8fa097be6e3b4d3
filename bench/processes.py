"""The benchmark's child processes, which end when it does."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from atelier.errors import AtelierError
from atelier.local.host.account import die_with_parent

ROOT = Path(__file__).parents[1]
"""The checkout and working directory, so that displayed commands contain no local paths."""

_NOTHING: Mapping[str, str] = {}
_START_SECONDS = 30
_STOP_SECONDS = 15
_POLL_SECONDS = 0.02


@contextmanager
def started(
    command: Sequence[str], *, log: Path, environment: Mapping[str, str] = _NOTHING
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program while the context lasts."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environment},
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - one prctl, no locks
            start_new_session=True,  # Ctrl-C must reach only the benchmark
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    finally:
        _stop(process)


def run(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] = _NOTHING,
    exit_codes: Sequence[int] = (0,),
    seconds: float = 600,
) -> str:
    """Run a program; return its output, or raise AtelierError with the end of the output."""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - one prctl, no locks
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise AtelierError(f"{Path(command[0]).name} took over {seconds:g} s.") from error
        finally:
            _stop(process)
    if process.returncode not in exit_codes:
        raise AtelierError(f"{Path(command[0]).name} failed: {output.strip()[-2000:]}")
    return output


def finish(process: subprocess.Popen[bytes], log: Path, seconds: float) -> None:
    """Wait until a program succeeds; raise AtelierError with the end of its log if it fails."""
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired as error:
        raise AtelierError(f"{log.stem} took over {seconds:g} s.") from error
    if code:
        raise AtelierError(f"{log.stem} failed: {log.read_text()[-2000:]}")


def wait_for_socket(path: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a program listens on its unix socket; raise AtelierError if it does not."""
    deadline = time.monotonic() + _START_SECONDS
    while not _is_listening(path):
        if process.poll() is not None or time.monotonic() > deadline:
            raise AtelierError(f"{path.stem} did not start: {log.read_text()[-2000:]}")
        time.sleep(_POLL_SECONDS)


def process_tree(pid: int) -> list[int]:
    """Return a process and its descendants; an empty list if it has ended."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(each for child in children for each in process_tree(int(child)))]


def free_port() -> int:
    """Return a free port of 127.0.0.1."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _is_listening(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
        return True


def _stop(process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
