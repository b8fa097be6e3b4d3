"""nginx in front of the instances: its configuration and its command."""

import grp
import os
import pwd
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from string import Template

from atelier.local.host.open_files import raise_open_files
from atelier.local.host.programs import nginx_program
from atelier.local.nginx import clients, limits
from atelier.settings import PRIVATE_NETWORKS, Settings

MAX_CONCURRENT_READS = 200
"""For each instance; docs/decisions/0007-overload-and-reload.md."""
MAX_CONCURRENT_REQUESTS = 250
"""Requests of all kinds that one instance is given at once."""

MAX_OPEN_FILES = 8192
"""That nginx on this machine may have open: half as many connections of clients."""
_MOST_FILES_OF_A_HOST = 65536
_THIS_MACHINE = ("127.0.0.0/8", "::1")
SETTINGS = (
    *("request_timeout", "rate_reads", "rate_votes", "rate_posts", "rate_exempt"),
    *("trusted_proxies", "cors_origins", "log_addresses"),
)
"""The settings that nginx takes at a reload."""
_SLACK_SECONDS = 0.5
_KEEPS_CONNECTIONS = (1, 27, 4)


@dataclass(frozen=True, slots=True)
class Proxy:
    """What differs between one nginx and another."""

    listen: str
    """An address and port, or a port."""
    servers: Sequence[str]
    """The instances: `unix:PATH` or `HOST:PORT`."""
    settings: Settings = field(default_factory=Settings)
    user: str = ""
    """The directive that says whose the workers are, if it is needed."""
    pid: str = "nginx.pid"
    access_log: str = "access.log"
    error_log: str = "stderr"
    folder: str = ""
    """Where request bodies are kept that do not fit in memory, with a slash at its end."""
    trusted: Sequence[str] = ()
    """Networks of the proxies before this one: they say whom a request is from."""
    max_open_files: int = MAX_OPEN_FILES
    keeps_connections: bool = False
    """Whether this nginx knows keepalive_min_timeout."""

    def render(self) -> str:
        """Return the configuration file."""
        template = Template((files(__package__) / "nginx.conf").read_text())
        settings = self.settings
        read_timeout = settings.request_timeout + _SLACK_SECONDS
        limited = limits.rates(settings)
        return template.substitute(
            user=self.user,
            files=self.max_open_files,
            connections=self.max_open_files // 2,
            pid=self.pid,
            access_log=self.access_log,
            error_log=self.error_log,
            folder=self.folder,
            listen=self.listen,
            trusted="\n".join(f"    set_real_ip_from {network};" for network in self.trusted),
            trusted_ids=_members(self.trusted),
            client_from="X-Forwarded-For" if settings.proxy_protocol == "off" else "proxy_protocol",
            proxy_protocol="" if settings.proxy_protocol == "off" else " proxy_protocol",
            logged_address=clients.LOGGED_ADDRESS if settings.log_addresses == "masked" else "",
            logged_as=clients.LOGGED_AS[settings.log_addresses],
            cors=clients.allowed_origin(settings.cors_origins),
            vary="Accept" if "*" in settings.cors_origins else '"Accept, Origin"',
            exempt=_members(settings.rate_exempt),
            rate_zones=limits.zones(limited),
            rate_checks=limits.checks(limited),
            keepalive_min_timeout=_KEEPALIVE_MIN_TIMEOUT if self.keeps_connections else "",
            max_reads=MAX_CONCURRENT_READS * len(self.servers),
            servers="\n".join(map(_server, self.servers)),
            read_timeout=f"{read_timeout * 1000:.0f}ms",
            retry_timeout=f"{read_timeout * 2000:.0f}ms",
        )


_KEEPALIVE_MIN_TIMEOUT = (
    "    keepalive_min_timeout 2s;  # at a reload, lest a request meet a connection being closed"
)


def configure(
    run: Path,
    port: int,
    sockets: Iterable[Path],
    *,
    log: Path | None = None,
    settings: Settings | None = None,
) -> list[str]:
    """Write nginx's configuration into the run folder; return the command that runs it.

    nginx listens on a port of 127.0.0.1 and passes requests to the instances' sockets. `log` is
    the folder of its access log, else the run folder. The settings are those for instances, too;
    None means the defaults.
    """
    settings = settings or Settings()
    if log:
        (run / "log").unlink(missing_ok=True)
        (run / "log").symlink_to(log)  # whose path may hold what nginx would take for its own
    proxy = Proxy(
        listen=f"127.0.0.1:{port}",
        servers=[f"unix:{socket}" for socket in sockets],
        settings=settings,
        user=_user(),
        access_log="log/access.log" if log else "access.log",
        trusted=_trusted(settings, _THIS_MACHINE if settings.proxy_protocol == "on" else ()),
        max_open_files=max_open_files(),
        keeps_connections=_version() >= _KEEPS_CONNECTIONS,
    )
    unfinished = run / "nginx.conf.new"
    unfinished.write_text(proxy.render())
    unfinished.rename(run / "nginx.conf")
    return [str(nginx_program()), "-p", f"{run}/", "-c", "nginx.conf", "-e", "stderr"]


def host_configuration(listen: str, servers: Sequence[str], settings: Settings) -> str:
    """Return the configuration of an nginx that has a host of its own, as Debian installs it."""
    return Proxy(
        listen=listen,
        servers=servers,
        settings=settings,
        user="user www-data;",
        pid="/run/nginx.pid",
        access_log="/var/log/nginx/access.log",
        error_log="/var/log/nginx/error.log",
        folder="/var/lib/nginx/",
        trusted=_trusted(settings, PRIVATE_NETWORKS),
        max_open_files=_MOST_FILES_OF_A_HOST,
    ).render()


def _trusted(settings: Settings, otherwise: Sequence[str]) -> Sequence[str]:
    return otherwise if settings.trusted_proxies is None else settings.trusted_proxies


def _members(networks: Iterable[str]) -> str:
    """Return networks as the lines of a `geo` block."""
    return "\n".join(f"        {network} 1;" for network in networks)


def _server(address: str) -> str:
    return (
        f"        server {address} max_conns={MAX_CONCURRENT_REQUESTS} max_fails=1 fail_timeout=2s;"
    )


def _user() -> str:
    """Return the directive that makes root's workers `nobody`; others have no choice."""
    if os.geteuid() != 0:
        return ""
    account = pwd.getpwnam("nobody")
    return f"user nobody {grp.getgrgid(account.pw_gid).gr_name};"


def max_open_files() -> int:
    """Return how many files nginx on this machine may have open, as far as the limit allows."""
    return min(raise_open_files(), MAX_OPEN_FILES)


def _version() -> tuple[int, ...]:
    said = subprocess.run([nginx_program(), "-v"], check=True, capture_output=True, text=True)
    found = re.search(r"nginx/([\d.]+)", said.stderr)
    return tuple(map(int, found[1].split("."))) if found else ()
