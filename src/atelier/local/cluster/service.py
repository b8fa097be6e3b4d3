"""The running service: instances and nginx, with reload and scaling."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from atelier.errors import AtelierError
from atelier.local.cluster import orphans
from atelier.local.cluster.instances import InstanceGroup
from atelier.local.cluster.process import SupervisedProcess
from atelier.local.cluster.readiness import until_ready
from atelier.local.host.home import Home
from atelier.local.logs.collector import Logs
from atelier.local.nginx import nginx
from atelier.local.postgres.database import check_urls, service_url
from atelier.local.postgres.state import connections_missing, database_state
from atelier.settings import Settings, without_files

RELOADABLE = (
    "ATELIER_POOL_SIZE",
    "ATELIER_REQUEST_TIMEOUT",
    "ATELIER_IDEMPOTENCY_HOURS",
    "ATELIER_READ_DATABASE_URL",
    "ATELIER_STANDBY_MAX_LAG",
    "ATELIER_SPAM_REPEAT_MINUTES",
    "ATELIER_SPAM_MAX_LINKS",
    "ATELIER_SPAM_WORDS_FILE",
    "ATELIER_SPAM_HONEYPOT",
    "ATELIER_VOTE_ONCE",
    "ATELIER_VOTE_MEMORY_DAYS",
    "ATELIER_REPORTS_TO_HIDE",
    "ATELIER_RATE_READS",
    "ATELIER_RATE_VOTES",
    "ATELIER_RATE_POSTS",
    "ATELIER_RATE_SIGN_INS",
    "ATELIER_RATE_EXEMPT",
    "ATELIER_TRUSTED_PROXIES",
    "ATELIER_POSTS_PER_DAY",
    "ATELIER_REPORTS_PER_DAY",
    "ATELIER_CORS_ORIGINS",
    "ATELIER_ADMIN_NETWORKS",
    "ATELIER_LOG_ADDRESSES",
    "ATELIER_WEBHOOK_NETWORKS",
    "ATELIER_WEBHOOK_TIMEOUT",
    "ATELIER_PUBLIC_URL",
    "ATELIER_PRODUCT_URL",
    "ATELIER_LANGUAGE",
    "ATELIER_DEMO",
)
"""The settings that a reload changes."""

_ATELIER = (sys.executable, "-P", "-m", "atelier")


class Service:
    """Instances behind nginx that use one database."""

    def __init__(self, settings: Settings, home: Home, folder: Path, dsn: str, logs: Logs) -> None:
        """Take the settings, the home, the folder of the sockets, the admin URL and the logs."""
        self.settings = settings
        self.dsn = dsn
        """The admin URL, which instances never see: they connect as another role."""
        self.instances = InstanceGroup(folder, self._instance)
        self._home = home
        self._folder = folder
        self._logs = logs
        # The URL is passed in the environment: other users can read command lines.
        self._service_url = service_url(settings, dsn)
        self._environment = without_files(
            os.environ,
            ATELIER_DATABASE_URL=self._service_url,
            ATELIER_ADMIN_DATABASE_URL="",
            ATELIER_DEMO="on" if settings.has_demo else "off",
        )
        del self._environment["ATELIER_ADMIN_DATABASE_URL"]
        self._change_lock = asyncio.Lock()
        self._nginx: SupervisedProcess | None = None

    async def start(self) -> None:
        """Start everything; return when nginx is ready. Raises AtelierError."""
        await self.instances.grow(self.settings.instances)
        self._nginx = self._supervised("nginx", self._configure_nginx(), stop_signal=signal.SIGQUIT)
        self._nginx.start()
        preface = b"PROXY UNKNOWN\r\n" if self.settings.proxy_protocol == "on" else b""
        await until_ready(self.settings.port, self._nginx, preface)

    async def stop(self) -> None:
        """Stop everything, nginx first: it finishes the requests in progress."""
        if self._nginx:
            await self._nginx.stop()
        await self.instances.stop()

    def kill(self) -> None:
        """Kill all processes."""
        for process in self.processes:
            process.kill()

    @property
    def processes(self) -> list[SupervisedProcess]:
        """Return all supervised processes."""
        instances = [instance.process for instance in self.instances]
        return [*instances, self._nginx] if self._nginx else instances

    async def reload(self, changes: Mapping[str, str]) -> str:
        """Replace the instances' processes one after the other; return a message.

        `changes` are environment variables (of RELOADABLE) for the new processes. The installed
        version's migrations are applied first. Raises AtelierError; the remaining instances then
        keep their old processes.
        """
        async with self._change_lock:
            before = self._environment
            self._environment = before | {k: v for k, v in changes.items() if k in RELOADABLE}
            try:
                changed = Settings.from_environment(self._environment)
                check_urls(changed)
                await self._migrate()
                for instance in self.instances:
                    await self.instances.replace(instance)
                    self._logs.log(f"{instance.name} has a new process.")
            except BaseException:
                self._environment = before
                raise
            new_values = {name: getattr(changed, name) for name in nginx.SETTINGS}
            self.settings = replace(self.settings, **new_values)
            self._reload_nginx()
        return f"{len(self.instances)} instances have new processes."

    async def scale(self, size: int) -> str:
        """Change the number of instances; return a message. Raises AtelierError."""
        async with self._change_lock:
            state = await database_state(self._service_url)
            warning = connections_missing(state, self.settings, size)
            if size > len(self.instances):
                await self.instances.grow(size)
                self._reload_nginx()
            elif size < len(self.instances):
                self._reload_nginx(self.instances.sockets[:size])
                await self.instances.shrink(size)
        self._logs.log(f"Scaled: {size} instances.")
        return "\n".join(filter(None, (f"{size} instances serve.", warning)))

    async def _migrate(self) -> None:
        """Apply the migrations of the installed version, which may be newer than this process."""
        process = await asyncio.create_subprocess_exec(
            *_ATELIER,
            "migrate",
            env=self._environment | {"ATELIER_ADMIN_DATABASE_URL": self.dsn},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        if process.returncode:
            raise AtelierError(f"The migration failed: {output.decode(errors='replace').strip()}")

    def _configure_nginx(self, sockets: list[Path] | None = None) -> list[str]:
        return nginx.configure(
            self._folder,
            self.settings.port,
            self.instances.sockets if sockets is None else sockets,
            log=self._home.log("access.log").parent,
            settings=self.settings,
        )

    def _reload_nginx(self, sockets: list[Path] | None = None) -> None:
        before = (self._folder / "nginx.conf").read_text()
        self._configure_nginx(sockets)
        if self._nginx and (self._folder / "nginx.conf").read_text() != before:
            self._nginx.signal(signal.SIGHUP)

    def _instance(self, name: str, socket: Path) -> SupervisedProcess:
        return self._supervised(name, [*_ATELIER, "serve", "--socket", str(socket)])

    def _supervised(
        self, name: str, command: list[str], stop_signal: signal.Signals = signal.SIGTERM
    ) -> SupervisedProcess:
        return SupervisedProcess(
            name,
            command,
            stop_signal=stop_signal,
            environment=self._environment,
            log=self._logs.log,
            on_line=self._logs.listener(name),
            on_start=partial(orphans.record, self._home.processes),
        )
