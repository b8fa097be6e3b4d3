"""The commands that run and manage the service."""
# ruff: noqa: PLC0415 - imports inside the commands keep the start of others quick

from __future__ import annotations

import functools
import os
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from atelier.cli.common import examples
from atelier.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from atelier.local.nginx.nginx import Front

_PATH = click.Path(path_type=Path)
_UNLIMITED = 100_000
"""The columns of what is not a terminal: each setting has its line, for grep."""


@click.command(epilog=examples("atelier up", "PORT=8081 INSTANCES=2 atelier up"))
@click.option("-v", "--verbose", is_flag=True, help="Print all output of the components.")
@click.pass_obj
def up(settings: Settings, *, verbose: bool) -> None:
    """Run the whole service until Ctrl-C.

    That is the database, the instances and nginx. Sample data is loaded into an empty database.
    """
    from atelier.local.supervisor.supervisor import up as run

    run(settings, verbose=verbose)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def status(settings: Settings, *, as_json: bool) -> None:
    """Show the state of a running service: its instances and PostgreSQL.

    The exit code is 0 only if at least one instance serves requests.
    """
    import json

    from rich.console import Console

    from atelier.local.cluster.control import request
    from atelier.local.host.home import Home
    from atelier.local.monitoring.status import is_served, render

    state = request(Home.at(settings.home), "status")
    if as_json:
        click.echo(json.dumps(state, indent=2))
    else:
        Console(width=max(Console().width, 110)).print(render(state))
    sys.exit(0 if is_served(state) else 1)


@click.command(epilog=examples("atelier reload", "ATELIER_POOL_SIZE=10 atelier reload"))
@click.pass_obj
def reload(settings: Settings) -> None:
    """Switch to the installed code and to new settings without losing a request.

    The instances' processes are replaced one after the other. Settings of the instances in this
    command's environment replace the current ones; all others are kept.
    """
    from atelier.local.cluster.control import request
    from atelier.local.cluster.service import RELOADABLE
    from atelier.local.host.home import Home

    changes = {name: os.environ[name] for name in RELOADABLE if name in os.environ}
    click.echo(request(Home.at(settings.home), "reload", changes=changes))


@click.command(epilog=examples("atelier scale 5"))
@click.argument("instances", type=click.IntRange(1, 64))
@click.pass_obj
def scale(settings: Settings, instances: int) -> None:
    """Change the number of instances to INSTANCES without losing a request."""
    from atelier.local.cluster.control import request
    from atelier.local.host.home import Home

    click.echo(request(Home.at(settings.home), "scale", instances=instances))


def _complete_part(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    from atelier.local.host.home import log_folder
    from atelier.local.logs.reader import parts

    settings = context.find_object(Settings) or Settings.from_environment()
    return [part for part in parts(log_folder(settings.home)) if part.startswith(incomplete)]


@click.command(epilog=examples("atelier logs", "atelier logs instance-1 -f -n 0 | jq .message"))
@click.argument("part", required=False, shell_complete=_complete_part)
@click.option("-f", "--follow", is_flag=True, help="Print new lines until Ctrl-C.")
@click.option(
    "-n",
    "--lines",
    type=click.IntRange(0),
    default=100,
    show_default=True,
    help="Number of last lines to print.",
)
@click.pass_obj
def logs(settings: Settings, part: str | None, *, follow: bool, lines: int) -> None:
    """Print the service's logs, whether it is running or not.

    PART is access, supervisor, nginx, postgresql, instance-1 and so on; its lines are printed
    unchanged. Without PART, the lines of all parts are merged in order of time, each with its part.
    """
    from atelier.local.host.home import log_folder
    from atelier.local.logs.reader import LogReader, show

    with closing(LogReader(log_folder(settings.home), part)) as reader:
        show(reader, lines=lines, follow=follow)


def _front(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say where nginx listens and what is behind it."""

    @click.option(
        "--server", "servers", multiple=True, required=True, help="HOST:PORT or unix:PATH."
    )
    @click.option("--listen", default="80", show_default=True, help="A port, or address and port.")
    @click.option(
        "--resolver",
        default="",
        help="A name server (address or address:port), or `system`. nginx then asks it every 2 s "
        "for the servers' names and uses all their addresses, up to 64 (nginx 1.27.3 or newer).",
    )
    @click.option("--certificate", type=_PATH, help="The certificate for HTTPS,")
    @click.option("--key", type=_PATH, help="and its private key.")
    @click.option(
        "--redirect",
        help="A port (80), or address and port: also listen there, and send clients to HTTPS.",
    )
    @click.option(
        "--webroot",
        type=_PATH,
        default=Path("/var/lib/atelier-acme"),
        show_default=True,
        help="With --redirect: the folder where certbot puts its answers to challenges.",
    )
    @click.pass_obj  # type: ignore[arg-type] # its types know no other options
    @functools.wraps(command)
    def with_options(  # noqa: PLR0913, PLR0917 - options
        settings: Settings,
        servers: tuple[str, ...],
        listen: str,
        resolver: str,
        certificate: Path | None,
        key: Path | None,
        redirect: str | None,
        webroot: Path,
        **others: tuple[int, ...],
    ) -> None:
        from atelier.local.nginx.nginx import Certificate, Front, Redirect
        from atelier.local.nginx.resolver import name_server

        if (certificate is None) != (key is None):
            raise click.UsageError("Give both --certificate and --key, or neither.")
        pair = Certificate(certificate, key) if certificate and key else None
        if redirect and not pair:
            raise click.UsageError("--redirect needs --certificate and --key.")
        plain = Redirect(redirect, webroot.absolute()) if redirect else None
        command(settings, Front(listen, servers, name_server(resolver), pair, plain), **others)

    return with_options


def _version(_context: click.Context, _option: click.Parameter, text: str) -> tuple[int, ...]:
    try:
        return tuple(map(int, text.split(".")))
    except ValueError:
        raise click.BadParameter("give numbers with dots between, such as 1.28.0") from None


@click.command(
    "nginx-config",
    epilog=examples(
        "atelier nginx-config --listen 80 --server 10.0.1.5:9000 --server 10.0.1.6:9000",
        "atelier nginx-config --server 10.0.1.5:9000 --listen 443 "
        "--certificate /etc/ssl/shop.pem --key /etc/ssl/private/shop.key",
    ),
)
@click.option(
    "--nginx-version",
    default="0",
    metavar="VERSION",
    callback=_version,
    help="The version of nginx on its host. From 1.27.4 on, connections stay open for 2 s after a "
    "reload, so that no request meets a closed one.",
)
@_front
def nginx_config(settings: Settings, front: Front, nginx_version: tuple[int, ...]) -> None:
    """Print a configuration for nginx on its own host."""
    from atelier.local.nginx.nginx import host_configuration

    click.echo(host_configuration(front, settings, nginx_version), nl=False)


@click.command(
    epilog=examples("atelier proxy --listen 8080 --server instances:9000 --resolver system")
)
@_front
def proxy(settings: Settings, front: Front) -> None:
    """Run nginx in front of instances that run elsewhere, as in containers.

    SIGTERM and Ctrl-C end it after the requests in progress. The access log is written to standard
    output.
    """
    from atelier.local.nginx.foreground import run

    sys.exit(run(front, settings))


@click.command(
    epilog=examples("atelier serve --port 9000", "atelier serve --socket /run/atelier/1.sock")
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Listen on this address,")
@click.option("--port", type=click.IntRange(1, 65535), help="and on this port;")
@click.option("--socket", type=click.Path(path_type=Path), help="or on this unix socket.")
@click.pass_obj
def serve(settings: Settings, host: str, port: int | None, socket: Path | None) -> None:
    """Run one instance, for use behind your own proxy.

    It starts even if the database is unavailable; GET /ready then responds with 503.
    """
    from atelier.http.server import serve as run
    from atelier.local.postgres.database import address, check_urls

    check_urls(settings)
    if (port is None) == (socket is None):
        raise click.UsageError("Give either --port or --socket.")
    with address(settings) as dsn:
        run(settings, database_url=dsn, host=host, port=port, socket=socket)


@click.command()
@click.pass_obj
def config(settings: Settings) -> None:
    """Show every setting, its value and where it came from; secrets are not shown."""
    from rich.console import Console
    from rich.table import Table

    from atelier.settings import effective

    table = Table("setting", "value", "from")
    for column in table.columns:
        column.overflow = "fold"
    for each in effective(settings, os.environ):
        table.add_row(*each)
    Console(width=None if Console().is_terminal else _UNLIMITED).print(table)


COMMANDS = (up, config, status, reload, scale, logs, nginx_config, proxy, serve)
