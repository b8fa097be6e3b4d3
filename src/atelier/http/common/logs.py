"""What an instance says: one line of JSON an event, with the request it is about."""

import json
import logging
import os
import re
import sys
from datetime import UTC, datetime
from math import inf
from time import monotonic

import falcon.asgi

from atelier import __version__
from atelier.errors import described, traceback_of

log = logging.getLogger("atelier")

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_SECONDS_BETWEEN_REPORTS = 1.0
_reported_at: dict[str, float] = {}


class _JsonLines(logging.Formatter):
    """Writes a record as JSON; what went wrong in Python goes with it, without its values."""

    def __init__(self, instance: str) -> None:
        """Take the instance's name."""
        super().__init__()
        self._instance = instance

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "message": _message(record),
            "request": getattr(record, "request", None),
            "instance": self._instance,
            "version": __version__,
            "exception": _exception(record),
        }
        return json.dumps({name: value for name, value in fields.items() if value})


def _message(record: logging.LogRecord) -> str:
    """Return what a record says. asyncio shows the arguments of what failed: they are left out."""
    message = record.getMessage()
    return re.split(r"[\n(<]", message, maxsplit=1)[0] if record.name == "asyncio" else message


def _exception(record: logging.LogRecord) -> str | None:
    error = record.exc_info[1] if record.exc_info else None
    return traceback_of(error) if error else None


class _Stderr(logging.Handler):
    """Writes each event at once; what a full disk refuses is counted, and told when it is over.

    Not by sys.stderr, which would keep what was refused and write it later, in pieces.
    """

    _lost = 0
    _is_cut = False
    """The last that was written is the beginning of a line."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record. Nothing is raised, and nothing else written."""
        try:
            if self._lost:
                self._write(
                    _event(
                        "the log could not be written for a while: %d of its lines were lost",
                        self._lost,
                    )
                )
                self._lost = 0
            self._write(record)
        except OSError:
            self._lost += 1
        except Exception:  # noqa: BLE001 - logging's own way would show all arguments
            self._write(_event("an event could not be written: its message is malformed"))

    def _write(self, record: logging.LogRecord) -> None:
        data = b"\n" * self._is_cut + f"{self.format(record)}\n".encode()
        while data:
            data = data[os.write(sys.stderr.fileno(), data) :]
            self._is_cut = bool(data)


def _event(message: str, *values: int) -> logging.LogRecord:
    return logging.LogRecord(log.name, logging.WARNING, "", 0, message, values, None)


def configure_logs(instance: str) -> None:
    """Send everything that is logged in this process to stderr, as JSON."""
    handler = _Stderr()
    handler.setFormatter(_JsonLines(instance))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)


def request_id(req: falcon.asgi.Request) -> str | None:
    """Return the id that nginx gave to a request, None without nginx or where it is none."""
    found = req.get_header("X-Request-ID")
    return found if found and _REQUEST_ID.fullmatch(found) else None


def report(reason: str, req: falcon.asgi.Request, cause: BaseException | None) -> None:
    """Log why a request was turned away, once a second at most: there may be thousands."""
    if monotonic() - _reported_at.get(reason, -inf) > _SECONDS_BETWEEN_REPORTS:
        _reported_at[reason] = monotonic()
        log.warning("%s: %s", reason, described(cause), extra={"request": request_id(req)})


def request_suffix(req: falcon.asgi.Request) -> str:
    """Return the end of an error text, by which the request is found in the logs."""
    found = request_id(req)
    return f" (request {found})" if found else ""
