"""Sends the journal of this host's units, and nginx's files, to CloudWatch Logs.

Not Amazon's agent: it does not read the journal, and Debian has no package of it, so that hosts
would run a program that no release pins.
"""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from atelier.cloud.hosts.host import Host

_POLL_SECONDS = 5.0
_JOURNAL = ("journalctl", "--output=json", "--unit=atelier*", "--unit=cloud-final.service")
_ERRORS, _ACCESS = Path("/var/log/nginx/error.log"), Path("/var/log/nginx/access.log")

# Of one PutLogEvents.
_MAX_EVENTS = 2_000
"""A fifth of what is permitted."""
_MAX_BYTES = 1_000_000
_EVENT_BYTES = 26
"""That each event counts beside its text."""
_MAX_TEXT = 16_000
"""Characters; what is longer is cut."""
_MAX_SPAN = 23 * 3_600_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a log."""

    time: int
    """Milliseconds since 1970."""
    text: str
    position: str
    """Where its source goes on after it."""


class Journal:
    """The journal of the units."""

    name = "journal"

    def __init__(self, command: tuple[str, ...] = _JOURNAL) -> None:
        """Take the command that prints the entries as JSON."""
        self._command = command

    def after(self, position: str) -> Generator[Entry, None, None]:
        """Return the entries after a position; those of this boot if it is empty."""
        start = f"--after-cursor={position}" if position else "--boot"
        with subprocess.Popen([*self._command, start], stdout=subprocess.PIPE) as running:
            assert running.stdout is not None  # noqa: S101 - a pipe
            try:
                for line in running.stdout:
                    yield _journal_entry(json.loads(line))
            finally:
                running.terminate()


def _journal_entry(found: dict[str, Any]) -> Entry:
    message = found.get("MESSAGE") or ""
    if isinstance(message, list):  # bytes that are not UTF-8
        message = bytes(message).decode(errors="replace")
    text = f"{found.get('_SYSTEMD_UNIT', '-')}: {message}"
    return Entry(int(found["__REALTIME_TIMESTAMP"]) // 1000, text, found["__CURSOR"])


class LogFile:
    """A file that others write, and replace when it is large."""

    def __init__(self, path: Path) -> None:
        """Take its path; its name is that of the stream."""
        self.name = f"nginx-{path.stem}"
        self._path = path

    def after(self, position: str) -> Generator[Entry, None, None]:
        """Return the complete lines after a position, with the present as their time."""
        with suppress(FileNotFoundError), self._path.open("rb") as file:
            inode, _, offset = position.partition(":")
            found = os.fstat(file.fileno())
            if inode == str(found.st_ino) and int(offset) <= found.st_size:
                file.seek(int(offset))
            now = int(time.time() * 1000)
            while (line := file.readline()).endswith(b"\n"):
                text = line.decode(errors="replace").rstrip("\n")
                yield Entry(now, text, f"{found.st_ino}:{file.tell()}")


class Sender:
    """Sends what is new in the logs; what was sent survives a restart."""

    def __init__(self, host: Host, folder: Path) -> None:
        """Take the host, and a folder for what has been sent."""
        self._host = host
        self._positions = folder / "positions.json"
        self._client = host.client("logs")
        self._streams: set[str] = set()

    def send(self, source: Journal | LogFile) -> int:
        """Send what is new in a log; return the number of entries."""
        sent = 0
        positions = self._read()
        with closing(source.after(positions.get(source.name, ""))) as entries:
            for batch in batches(entries):
                self._put(source.name, batch)
                positions[source.name] = batch[-1].position
                self._write(positions)
                sent += len(batch)
        return sent

    def _put(self, name: str, batch: list[Entry]) -> None:
        group, stream = self._host.inputs["LOG_GROUP"], f"{self._host.instance}/{name}"
        if stream not in self._streams:
            with suppress(self._client.exceptions.ResourceAlreadyExistsException):
                self._client.create_log_stream(logGroupName=group, logStreamName=stream)
            self._streams.add(stream)
        ordered = sorted(batch, key=lambda entry: entry.time)
        events = [{"timestamp": each.time, "message": each.text or " "} for each in ordered]
        self._client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)

    def _read(self) -> dict[str, str]:
        if not self._positions.exists():
            return {}
        positions: dict[str, str] = json.loads(self._positions.read_text())
        return positions

    def _write(self, positions: Mapping[str, str]) -> None:
        temporary = self._positions.with_suffix(".new")
        temporary.write_text(json.dumps(positions))
        temporary.rename(self._positions)


def batches(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    """Divide entries into batches that one request may have."""
    batch: list[Entry] = []
    size = 0
    for entry in (Entry(each.time, each.text[:_MAX_TEXT], each.position) for each in entries):
        added = len(entry.text.encode()) + _EVENT_BYTES
        if batch and (
            len(batch) == _MAX_EVENTS
            or size + added > _MAX_BYTES
            or abs(entry.time - batch[0].time) > _MAX_SPAN
        ):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += added
    if batch:
        yield batch


def run(host: Host) -> int:
    """Send the logs until the host ends."""
    sender = Sender(host, Path(host.inputs["STATE_DIRECTORY"]))
    sources: list[Journal | LogFile] = [Journal(), LogFile(_ERRORS)]
    if host.inputs.get("ACCESS_LOGS") == "true":
        sources.append(LogFile(_ACCESS))
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    while not over.wait(_POLL_SECONDS):
        _send(sender, sources)
    _send(sender, sources)
    return 0


def _send(sender: Sender, sources: Sequence[Journal | LogFile]) -> None:
    """Send what is new in all logs; what cannot be sent now is sent the next time."""
    for source in sources:
        try:
            sender.send(source)
        except (BotoCoreError, ClientError, OSError) as error:
            print(f"{source.name} is not sent: {error}", flush=True)  # noqa: T201 - the journal
