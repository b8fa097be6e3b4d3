"""Runs one instance under uvicorn."""

import asyncio
import gc
import signal
import socket as sockets
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import uvicorn

from atelier.http.app import Service, create_service
from atelier.http.common.logs import configure_logs
from atelier.http.protocol import CONNECTION_CLOSE, protocol
from atelier.settings import Settings

_KEEP_ALIVE_SECONDS = 75  # nginx closes first: it knows whether it is sending a request
_CONNECTION_CLOSE_SECONDS = 4.0  # above nginx's keepalive_timeout to instances
_DRAIN_SECONDS = 10
_POLL_SECONDS = 0.05


class _Server(uvicorn.Server):
    """Drains its connections before it stops, so that no request meets a closed connection.

    It keeps serving, with `Connection: close` in each response, until no client is connected;
    nginx closes its idle connections itself. Ctrl-C skips the draining.
    """

    _skip_drain = False

    def __init__(self, config: uvicorn.Config, stop_waiting: Callable[[], None]) -> None:
        """Take the configuration, and what ends the requests that wait for an event."""
        super().__init__(config)
        self._stop_waiting = stop_waiting

    async def shutdown(self, sockets: list[sockets.socket] | None = None) -> None:
        """Drain the connections, then finish the requests in progress."""
        self.server_state.default_headers = [
            *self.server_state.default_headers,
            CONNECTION_CLOSE,
        ]
        self._stop_waiting()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _CONNECTION_CLOSE_SECONDS
        while self._has_connections() and loop.time() < deadline:  # noqa: ASYNC110 - uvicorn has no event
            await asyncio.sleep(_POLL_SECONDS)
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Skip draining at Ctrl-C or a second signal."""
        self._skip_drain = self.should_exit or sig == signal.SIGINT
        super().handle_exit(sig, frame)

    def _has_connections(self) -> bool:
        return bool(self.server_state.connections) and not self._skip_drain


def serve(
    settings: Settings,
    *,
    database_url: str,
    host: str = "127.0.0.1",
    port: int | None = None,
    socket: Path | None = None,
) -> None:
    """Serve on a port or a unix socket until SIGTERM or SIGINT, then shut down gracefully."""
    instance = socket.name.partition(".")[0] if socket else f"{host}:{port}"
    configure_logs(instance)
    service = create_service(settings, database_url, instance=instance)
    config = configuration(service, host, port, socket)
    # Exclude the long-lived objects created so far from later garbage collections.
    gc.collect()
    gc.freeze()
    _Server(config, service.stop_waiting).run()


def configuration(
    service: Service, host: str = "127.0.0.1", port: int | None = None, socket: Path | None = None
) -> uvicorn.Config:
    """Return uvicorn's configuration for a port or a unix socket."""
    return uvicorn.Config(
        service.app,
        host=host,
        port=port or 0,
        uds=str(socket) if socket else None,
        loop="uvloop",
        http=protocol(service.fast_path, service.cors),
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # see http/common/client_address.py
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )
