"""Liveness and readiness."""

import asyncio
import json
from http import HTTPStatus

import falcon
import falcon.asgi

from atelier.http.common.logs import log_rejection
from atelier.store.connections.database import Database
from atelier.store.health import Fault, check_reads, check_writes

_RETRY_SECONDS = "5"


class Live:
    """`/live`: the process is running."""

    async def on_get(self, _req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send `live`."""
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = "live"

    on_head = on_get


class Ready:
    """`/ready`: pages can be read, and the primary accepts writes."""

    def __init__(self, reads: Database, writes: Database) -> None:
        """Take the databases for reads and for writes."""
        self._reads = reads
        self._writes = writes

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send what can be served, with 200 if reads and writes can be, else 503."""
        reads, writes = await asyncio.gather(check_reads(self._reads), check_writes(self._writes))
        served = {"reads": not reads, "writes": not writes}
        state = "read-only" if writes and not reads else "not ready"
        _send(req, resp, served, state, reads or writes)

    on_head = on_get


class ReadyForReads:
    """`/ready/reads`: pages can be read; writes are not checked."""

    def __init__(self, reads: Database) -> None:
        """Take the database that pages are read from."""
        self._reads = reads

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send 200 if pages can be read, else 503."""
        fault = await check_reads(self._reads)
        _send(req, resp, {"reads": not fault}, "not ready", fault)

    on_head = on_get


def _send(
    req: falcon.asgi.Request,
    resp: falcon.asgi.Response,
    served: dict[str, bool],
    state: str,
    fault: Fault | None,
) -> None:
    """Send what is served; with a fault also the instance's state, and status 503."""
    resp.set_header("Cache-Control", "no-store")
    if fault is None:
        resp.text = json.dumps({"status": "ready", **served})
        return
    log_rejection(fault.text, req, fault.cause)
    resp.status = HTTPStatus.SERVICE_UNAVAILABLE
    resp.set_header("Retry-After", _RETRY_SECONDS)
    resp.text = json.dumps({"status": state, **served, "detail": fault.text})
