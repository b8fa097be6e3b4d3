"""An instance's log: one JSON object per line, with the id of the request."""

import json
import logging
import os
import sys
from datetime import UTC, datetime
from math import inf
from time import monotonic

import falcon.asgi

from atelier import __version__

log = logging.getLogger("atelier")

_LOG_INTERVAL_SECONDS = 1.0
_last_logged: dict[str, float] = {}


class _JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON, its traceback included."""

    def __init__(self, instance: str) -> None:
        """Take the instance's name."""
        super().__init__()
        self._instance = instance

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "message": record.getMessage(),
            "request": getattr(record, "request", None),
            "instance": self._instance,
            "version": __version__,
            "exception": record.exc_info and self.formatException(record.exc_info),
        }
        return json.dumps({name: value for name, value in fields.items() if value})


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
                self._write(_loss_record(self._lost))
                self._lost = 0
            self._write(record)
        except OSError:
            self._lost += 1
        except Exception:  # noqa: BLE001 - a format error, handled as in logging's own handlers
            self.handleError(record)

    def _write(self, record: logging.LogRecord) -> None:
        data = b"\n" * self._is_line_open + f"{self.format(record)}\n".encode()
        while data:
            data = data[os.write(sys.stderr.fileno(), data) :]
            self._is_line_open = bool(data)


def _loss_record(count: int) -> logging.LogRecord:
    message = "the log could not be written for a while: %d lines were lost"
    return logging.LogRecord(log.name, logging.WARNING, "", 0, message, (count,), None)


def configure_logs(instance: str) -> None:
    """Log everything in this process to stderr as JSON."""
    handler = _StderrHandler()
    handler.setFormatter(_JsonFormatter(instance))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)


def request_id(req: falcon.asgi.Request) -> str | None:
    """Return the request id that nginx assigned; None without nginx."""
    return req.get_header("X-Request-ID")


def log_rejection(reason: str, req: falcon.asgi.Request, cause: BaseException | None) -> None:
    """Log why a request was rejected, at most once a second per reason."""
    if monotonic() - _last_logged.get(reason, -inf) > _LOG_INTERVAL_SECONDS:
        _last_logged[reason] = monotonic()
        log.warning("%s: %r", reason, cause, extra={"request": request_id(req)})


def request_suffix(req: falcon.asgi.Request) -> str:
    """Return the suffix that adds the request id to an error text; empty without an id."""
    identifier = request_id(req)
    return f" (request {identifier})" if identifier else ""
