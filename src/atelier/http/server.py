"""Runs one instance under uvicorn."""

import gc
from pathlib import Path

import uvicorn

from atelier.http.app import create_app
from atelier.settings import Settings

_DRAIN_SECONDS = 10


def serve(
    settings: Settings,
    *,
    database_url: str,
    host: str = "127.0.0.1",
    port: int | None = None,
    socket: Path | None = None,
) -> None:
    """Serve on a port or a unix socket until SIGTERM or SIGINT; finish what is under way."""
    app = create_app(settings, database_url)
    # What was made so far lives for ever: the collector need not walk it within a request.
    gc.collect()
    gc.freeze()
    uvicorn.run(
        app,
        host=host,
        port=port or 0,
        uds=str(socket) if socket else None,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nothing here asks who the client is; nginx logs that
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )
