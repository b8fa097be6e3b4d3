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
"""Per instance; docs/decisions/0007-overload-and-reload.md."""
MAX_CONCURRENT_REQUESTS = 250
"""Requests of all kinds per instance."""

MAX_INSTANCES = 64
"""Behind one nginx."""

MAX_OPEN_FILES = 8192
"""Open files of nginx under `atelier up`, which allow half as many client connections."""
_MAX_OPEN_FILES_ON_HOST = 65536
_LOOPBACK = ("127.0.0.0/8", "::1")
SETTINGS = (
    *("request_timeout", "rate_reads", "rate_votes", "rate_posts", "rate_sign_ins"),
    "rate_exempt",
    *("trusted_proxies", "cors_origins", "admin_networks", "log_addresses"),
)
"""The settings of nginx that a reload changes."""
_SLACK_SECONDS = 0.5
_MAX_WAIT_SECONDS = 30
"""How long a client may wait for changes (http/admin/changes.py)."""
_PATH_SEGMENTS = (
    "qa",
    "questions",
    "answers",
    "products",
    "vote",
    "reports",
    "posts",
    "rules",
    "try",
    "helpful",
    "report",
    "similar",
    "v1",
    "admin",
    "token",
    "queue",
    "search",
    "decisions",
    "undo",
    "unanswered",
    "changes",
    "webhooks",
    "pause",
    "resume",
    "test",
    "secret",
    "deliveries",
    "replay",
    "console",
    "imports",
    "sign-in",
    "sign-out",
    "audit",
    "export",
    "tokens",
    "revoke",
    "files",
    "vendor",
    r"(?:common|imports|overview|queue|unanswered)\.js",
    r"console\.css",
    r"uplot-[0-9.]+\.(?:js|css)",
    "live",
    "ready",
    "reads",
    "metrics",
    r"openapi\.yaml",
    "docs",
    r"page\.css",
    r"page\.js",
    r"swagger-ui\.css",
    r"swagger-ui-bundle\.js",
    "pages",
    r"robots\.txt",
    r"sitemap(?:\.xml)?",
    r"[0-9]{1,19}\.xml",
    "demo",
    r"shop\.css",
    r"[a-z]+\.svg",
    "photos",
    r"[0-9]{1,19}-[a-z-]{1,20}\.jpg",
    "widget",
    r"atelier-questions\.js",
)
"""Path segments that the access log shows, besides numbers; see nginx.conf."""
_QUERY_PARAMETERS = (
    r"(?:product_id|page|count|limit|wait|answers|fragment)=-?[0-9]{1,19}",
    r"(?:sort|filter)=(?:helpful|newest|oldest|most_answers|answered|unanswered|seller|photos)",
    r"lang=(?:en|de|ar)",
    r"state=(?:pending|delivered|failed)",
    r"after=(?:now|[0-9]{1,18}-[0-9]{1,18})",
)
"""Query parameters that the access log shows: `name=value`, where a value identifies nobody."""
_KEEPALIVE_MIN_TIMEOUT_VERSION = (1, 27, 4)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate for HTTPS with its private key, as files on nginx's host."""

    chain: Path
    """The certificate, followed by those of the authorities between it and the root."""
    key: Path

    def directives(self) -> str:
        """Return the TLS directives of a server."""
        return (
            f'        ssl_certificate "{self.chain}";\n'
            f'        ssl_certificate_key "{self.key}";\n'
            f"{_TLS}"
        )


@dataclass(frozen=True, slots=True)
class Redirect:
    """A server without TLS, which sends clients to the one with TLS."""

    listen: str
    """A port, or an address and port."""
    webroot: Path
    """The folder from which it answers the challenges of a certificate authority (ACME)."""

    def server(self) -> str:
        """Return the server."""
        return (
            "    server {\n"
            f"        listen {self.listen};\n"
            f'        location /.well-known/acme-challenge/ {{ root "{self.webroot}"; }}\n'
            "        location / { return 308 https://$host$request_uri; }\n"
            "    }\n"
        )


@dataclass(frozen=True, slots=True)
class Front:
    """Where an nginx listens, and the instances behind it."""

    listen: str
    """A port, or an address and port."""
    servers: Sequence[str]
    """The instances: `unix:PATH` or `HOST:PORT`."""
    resolver: str = ""
    """The address of a name server: the instances are all addresses that their names have now."""
    certificate: Certificate | None = None
    """The certificate for HTTPS, if nginx is to terminate TLS."""
    redirect: Redirect | None = None
    """The server for clients without TLS, beside the one with a certificate."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """The variable parts of an nginx configuration."""

    front: Front
    settings: Settings = field(default_factory=Settings)
    user: str = ""
    """The directive for the workers' user, if needed."""
    pid: str = "nginx.pid"
    access_log: str = "access.log"
    error_log: str = "stderr"
    folder: str = ""
    """The folder for buffered request bodies, with a trailing slash."""
    trusted: Sequence[str] = ()
    """Networks of proxies whose X-Forwarded-For is trusted."""
    max_open_files: int = MAX_OPEN_FILES
    version: tuple[int, ...] = ()
    """nginx's version; by default, nothing that needs a new one is used."""

    def render(self) -> str:
        """Return the configuration file."""
        template = Template((files(__package__) / "nginx.conf").read_text(encoding="utf-8"))
        settings, front = self.settings, self.front
        read_timeout = settings.request_timeout + _SLACK_SECONDS
        uses_proxy_protocol = settings.proxy_protocol == "on"
        rates = limits.rates(settings)
        return template.substitute(
            user=self.user,
            files=self.max_open_files,
            connections=self.max_open_files // 2,
            pid=self.pid,
            access_log=self.access_log,
            error_log=self.error_log,
            folder=self.folder,
            paths="|".join(_PATH_SEGMENTS),
            parameters="|".join(_QUERY_PARAMETERS),
            listen=f"{front.listen} ssl" if front.certificate else front.listen,
            tls=front.certificate.directives() if front.certificate else "",
            redirect=front.redirect.server() if front.redirect else "",
            resolver=f"    resolver {front.resolver} valid=2s;" if front.resolver else "",
            trusted="\n".join(f"    set_real_ip_from {network};" for network in self.trusted),
            trusted_ids=_geo_members(self.trusted),
            real_ip_header="proxy_protocol" if uses_proxy_protocol else "X-Forwarded-For",
            proxy_protocol=" proxy_protocol" if uses_proxy_protocol else "",
            masked_address=clients.MASKED_ADDRESS if settings.log_addresses == "masked" else "",
            logged_address=clients.LOGGED_ADDRESSES[settings.log_addresses],
            cors=clients.allowed_origin(settings.cors_origins),
            error_languages=_languages(settings.language),
            vary="Accept" if "*" in settings.cors_origins else '"Accept, Origin"',
            admin_networks=_geo_members(settings.admin_networks),
            exempt=_geo_members(settings.rate_exempt),
            rate_zones=limits.zones(rates),
            rate_checks=limits.checks(rates),
            keepalive_min_timeout=_KEEPALIVE_MIN_TIMEOUT
            if self.version >= _KEEPALIVE_MIN_TIMEOUT_VERSION
            else "",
            max_reads=MAX_CONCURRENT_READS
            * (MAX_INSTANCES if front.resolver else len(front.servers)),
            servers="\n".join(self._server(address) for address in front.servers),
            read_timeout=f"{read_timeout * 1000:.0f}ms",
            admin_read_timeout=f"{(read_timeout + _MAX_WAIT_SECONDS) * 1000:.0f}ms",
            retry_timeout=f"{read_timeout * 2000:.0f}ms",
        )

    def _server(self, address: str) -> str:
        limits = f"max_conns={MAX_CONCURRENT_REQUESTS} max_fails=1 fail_timeout=2s"
        return f"        server {address} {limits}{' resolve' if self.front.resolver else ''};"


# https://ssl-config.mozilla.org, "intermediate"
_TLS = """\
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20;
        ssl_session_cache shared:tls:10m;  # about 40,000 clients
        ssl_session_timeout 1d;
        ssl_session_tickets off;
"""
_KEEPALIVE_MIN_TIMEOUT = (
    "    keepalive_min_timeout 2s;  # a reload must not close a connection that gets a request"
)


def configure(
    run: Path,
    port: int,
    sockets: Iterable[Path],
    *,
    log: Path | None = None,
    settings: Settings | None = None,
) -> list[str]:
    """Write nginx's configuration to the run folder; return the command that runs it.

    nginx listens on a port of 127.0.0.1 and passes requests to the instances' sockets. `log` is
    the folder of its access log, by default the run folder. Without settings, the defaults apply.
    """
    settings = settings or Settings()
    if log:
        (run / "log").unlink(missing_ok=True)
        (run / "log").symlink_to(log)  # the path may contain characters special to nginx
    proxy = Proxy(
        Front(f"127.0.0.1:{port}", [f"unix:{socket}" for socket in sockets]),
        settings,
        user=user(),
        access_log="log/access.log" if log else "access.log",
        trusted=_trusted(settings, _LOOPBACK if settings.proxy_protocol == "on" else ()),
        max_open_files=max_open_files(),
        version=version(nginx_program()),
    )
    return _write(proxy, run)


def in_front(front: Front, folder: Path, settings: Settings) -> list[str]:
    """Write the configuration of an nginx that needs only a folder; return the command to run it.

    The access log goes to standard output, which must be a file or pipe of the same user.
    """
    proxy = Proxy(
        front,
        settings,
        user=user(),
        access_log="/dev/stdout",
        trusted=_trusted(settings, PRIVATE_NETWORKS),
        max_open_files=raise_open_files(),
        version=version(nginx_program()),
    )
    return _write(proxy, folder)


def _write(proxy: Proxy, folder: Path) -> list[str]:
    temporary = folder / "nginx.conf.new"
    temporary.write_text(proxy.render(), encoding="utf-8")
    temporary.rename(folder / "nginx.conf")
    return command(folder)


def command(folder: Path) -> list[str]:
    """Return the command that runs nginx with the nginx.conf in a folder."""
    return [str(nginx_program()), "-p", f"{folder}/", "-c", "nginx.conf", "-e", "stderr"]


def host_configuration(front: Front, settings: Settings, release: tuple[int, ...] = ()) -> str:
    """Return the configuration of an nginx on its own host, with Debian's paths.

    `release` is the version of that nginx; by default, any old one.
    """
    return Proxy(
        front,
        settings,
        user="user www-data;",
        pid="/run/nginx.pid",
        access_log="/var/log/nginx/access.log",
        error_log="/var/log/nginx/error.log",
        folder="/var/lib/nginx/",
        trusted=_trusted(settings, PRIVATE_NETWORKS),
        max_open_files=_MAX_OPEN_FILES_ON_HOST,
        version=release,
    ).render()


def _trusted(settings: Settings, default: Sequence[str]) -> Sequence[str]:
    return default if settings.trusted_proxies is None else settings.trusted_proxies


def _geo_members(networks: Iterable[str]) -> str:
    """Return networks as the members of a `geo` block."""
    return "\n".join(f"        {network} 1;" for network in networks)


def _languages(setting: str) -> str:
    """Return the members of the map from Accept-Language to a language: the first one counts."""
    return '"~*^de" de; "~*^ar" ar; default en' if setting == "auto" else f"default {setting}"


def user() -> str:
    """Return the directive that runs root's workers as `nobody`; empty for other users."""
    if os.geteuid() != 0:
        return ""
    account = pwd.getpwnam("nobody")
    return f"user nobody {grp.getgrgid(account.pw_gid).gr_name};"


def max_open_files() -> int:
    """Return the number of files that nginx may have open, within the process limit."""
    return min(raise_open_files(), MAX_OPEN_FILES)


def version(program: Path) -> tuple[int, ...]:
    """Return the version of an nginx."""
    result = subprocess.run([program, "-v"], check=True, capture_output=True, text=True)
    match = re.search(r"nginx/([\d.]+)", result.stderr)
    return tuple(map(int, match[1].split("."))) if match else ()
