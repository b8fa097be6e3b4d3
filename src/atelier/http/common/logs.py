"""An instance's log: one JSON object per line, with the id of the request."""

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
from atelier.errors import describe_error, format_traceback

log = logging.getLogger("atelier")

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_LOG_INTERVAL_SECONDS = 1.0
_last_logged: dict[str, float] = {}


class _JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON, with its traceback but without values."""

    def __init__(self, instance: str) -> None:
        """Take the instance's name."""
        super().__init__()
        self._instance = instance

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
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
    """Return a record's message; asyncio's up to where it quotes the arguments of what failed."""
    message = record.getMessage()
    return re.split(r"[\n(<]", message, maxsplit=1)[0] if record.name == "asyncio" else message


def _exception(record: logging.LogRecord) -> str | None:
    error = record.exc_info[1] if record.exc_info else None
    return format_traceback(error) if error else None


class _StderrHandler(logging.Handler):
    """Writes each record unbuffered; counts those that a full disk rejects and logs the number.

    sys.stderr would buffer rejected data and write parts of it later.
    """

    _lost = 0
    _is_line_open = False
    """The last write ended within a line."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record; never raise."""
        try:
            if self._lost:
                self._write(
                    _warning(
                        "the log could not be written for a while: %d lines were lost", self._lost
                    )
                )
                self._lost = 0
            self._write(record)
        except OSError:
            self._lost += 1
        except Exception:  # noqa: BLE001 - logging's own handling prints all arguments
            self._write(_warning("a record could not be written: its message is malformed"))

    def _write(self, record: logging.LogRecord) -> None:
        data = b"\n" * self._is_line_open + f"{self.format(record)}\n".encode()
        while data:
            data = data[os.write(sys.stderr.fileno(), data) :]
            self._is_line_open = bool(data)


def _warning(message: str, *values: int) -> logging.LogRecord:
    return logging.LogRecord(log.name, logging.WARNING, "", 0, message, values, None)


def configure_logs(instance: str) -> None:
    """Log everything in this process to stderr as JSON."""
    handler = _StderrHandler()
    handler.setFormatter(_JsonFormatter(instance))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)


def request_id(req: falcon.asgi.Request) -> str | None:
    """Return the request id that nginx assigned; None without nginx or if it is malformed."""
    header = req.get_header("X-Request-ID")
    return header if header and _REQUEST_ID.fullmatch(header) else None


def log_rejection(reason: str, req: falcon.asgi.Request, cause: BaseException | None) -> None:
    """Log why a request was rejected, at most once a second per reason."""
    if monotonic() - _last_logged.get(reason, -inf) > _LOG_INTERVAL_SECONDS:
        _last_logged[reason] = monotonic()
        log.warning("%s: %s", reason, describe_error(cause), extra={"request": request_id(req)})


def request_suffix(req: falcon.asgi.Request) -> str:
    """Return the suffix that adds the request id to an error text; empty without an id."""
    identifier = request_id(req)
    return f" (request {identifier})" if identifier else ""
