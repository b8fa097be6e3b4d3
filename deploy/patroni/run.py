#!/usr/bin/env python3
"""Runs a PostgreSQL cluster of three nodes on this machine, with automatic failover, until Ctrl-C.

A node consists of etcd, Patroni, and the PostgreSQL that Patroni manages. See README.md.
"""

import asyncio
import json
import os
import secrets
import shlex
import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.request import urlopen

import asyncpg
import click
from nodes import Node, address, etcd_command, patroni_command, patroni_configuration

from atelier.errors import AtelierError
from atelier.local.cluster.process import SupervisedProcess, running
from atelier.local.host.account import Account, nobody, with_capability
from atelier.local.host.programs import postgres_programs
from atelier.local.host.utf8 import use_utf8
from atelier.store.connections.hosts import connect_to_primary

_NODES = 3
_READY_SECONDS = 180
_SUPERUSER, _USER, _DATABASE = "postgres", "atelier", "atelier"


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--home", type=click.Path(path_type=Path), default=".atelier/patroni", help="Data.")
@click.option("--port", type=click.IntRange(1024, 65000), default=15400, help="The first of 40.")
def main(home: Path, port: int) -> None:
    """Run three PostgreSQL nodes under Patroni and etcd on this machine, until Ctrl-C."""
    home = home.absolute()
    nodes = [Node(number, home / f"node{number}", port) for number in range(1, _NODES + 1)]
    try:
        check_path(home)
        check_programs()
        account = with_capability(nobody(), "dac_read_search") if os.geteuid() == 0 else Account()
        passwords = prepare(home, nodes, account)
        with suppress(asyncio.CancelledError):
            asyncio.run(run(home, nodes, account, passwords))
        stop_orphans(nodes, account)
    except AtelierError as error:
        click.echo(f"patroni: {error}", err=True)
        sys.exit(1)


def check_path(home: Path) -> None:
    """Raise AtelierError if the path cannot be written to Patroni's configuration."""
    try:
        str(home).encode()
    except UnicodeEncodeError:
        raise AtelierError(f"The path {home} is not UTF-8: set --home to another.") from None


def check_programs() -> None:
    """Raise AtelierError if a program is not installed."""
    if not shutil.which("etcd"):
        raise AtelierError("etcd is not installed: apt install etcd-server.")
    if not find_spec("patroni"):
        raise AtelierError(
            "Patroni is not installed: "
            ".venv/bin/pip install --require-hashes -r requirements/patroni.txt."
        )


def prepare(home: Path, nodes: Sequence[Node], account: Account) -> dict[str, str]:
    """Create the folders and configurations; return the passwords."""
    home.mkdir(mode=0o711, parents=True, exist_ok=True)
    (home / "environment").unlink(missing_ok=True)
    passwords = read_passwords(home / "passwords.json")
    for node in nodes:
        node.folder.mkdir(mode=0o700, exist_ok=True)
        account.own(node.folder)
        file = node.folder / "patroni.yml"
        write_secret(file, patroni_configuration(node, nodes, passwords))
        account.own(file)
    return passwords


def read_passwords(file: Path) -> dict[str, str]:
    """Return the passwords, which are generated when the home is created."""
    if not file.exists():
        names = ("superuser", "replication", "rewind", _USER)
        write_secret(file, json.dumps({name: secrets.token_hex(16) for name in names}))
    passwords: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return passwords


def write_secret(file: Path, text: str) -> None:
    """Write a file that only its owner can read."""
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")


async def run(
    home: Path, nodes: Sequence[Node], account: Account, passwords: Mapping[str, str]
) -> None:
    """Run everything until a signal; restart processes that end."""
    task = asyncio.current_task()
    assert task  # noqa: S101 - always set in a coroutine
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    etcds = [process(f"etcd{n.number}", etcd_command(n, nodes), n, account) for n in nodes]
    patronis = [process(f"patroni{n.number}", patroni_command(n), n, account) for n in nodes]
    click.echo(f"Starting {len(nodes)} nodes; their data and logs are in {home}.")
    async with running(etcds), running(patronis):
        await until_ready(home, nodes)
        await make_database(nodes, passwords)
        print_settings(home / "environment", address(nodes, _USER, passwords[_USER], _DATABASE))
        await asyncio.Event().wait()


def process(name: str, command: Sequence[str], node: Node, account: Account) -> SupervisedProcess:
    """Return a supervised process of a node; its output is written to a log file."""
    return SupervisedProcess(
        name,
        [*account.prefix, *command],
        stop_signal=signal.SIGTERM,
        environment=os.environ | {"LC_ALL": "C", "HOME": str(node.folder)},
        log=click.echo,
        on_line=logger(node.folder.with_name(f"{name}.log")),
    )


def logger(path: Path) -> Callable[[str], None]:
    """Return a function that appends a line to a file."""
    file = path.open("a", encoding="utf-8", buffering=1)
    return lambda line: print(line, file=file)


async def until_ready(home: Path, nodes: Sequence[Node]) -> None:
    """Wait until there are a primary, a synchronous standby, and all nodes."""
    try:
        async with asyncio.timeout(_READY_SECONDS):
            while not await asyncio.to_thread(is_complete, nodes):  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.5)
    except TimeoutError as error:
        raise AtelierError(f"not ready after {_READY_SECONDS} s: see {home}/*.log.") from error


def is_complete(nodes: Sequence[Node]) -> bool:
    """Return whether Patroni reports a role for every node."""
    try:
        with urlopen(f"http://127.0.0.1:{nodes[0].rest}/cluster", timeout=5) as response:
            members = json.load(response)["members"]
    except (OSError, ValueError, KeyError):
        return False
    roles = [each["role"] for each in members if each["state"] in {"running", "streaming"}]
    return len(roles) == len(nodes) and {"leader", "sync_standby"} <= set(roles)


async def make_database(nodes: Sequence[Node], passwords: Mapping[str, str]) -> None:
    """Create the service's role and database if missing."""
    url = address(nodes, _SUPERUSER, passwords["superuser"], "postgres")
    connection = await connect_to_primary(url)
    with suppress(asyncpg.DuplicateObjectError):
        await connection.execute(f"CREATE ROLE {_USER} LOGIN PASSWORD '{passwords[_USER]}'")
    with suppress(asyncpg.DuplicateDatabaseError):
        await connection.execute(f"CREATE DATABASE {_DATABASE} OWNER {_USER}")
    await connection.close()


def print_settings(file: Path, url: str) -> None:
    """Print the settings for the service, and write them to a file."""
    lines = (
        f"export ATELIER_DATABASE_URL='{url}?target_session_attrs=primary'\n"
        f"export ATELIER_READ_DATABASE_URL='{url}'\n"
    )
    write_secret(file, lines)
    click.echo(f"Ready. To run the service on it:\n{lines}make up")
    click.echo(
        f"Or `. {shlex.quote(str(file))} && make up`. Ctrl-C stops the nodes; the data stays."
    )


def stop_orphans(nodes: Sequence[Node], account: Account) -> None:
    """Stop a PostgreSQL whose Patroni was killed before it could stop it."""
    for node in nodes:
        data = node.folder / "data"
        if (data / "postmaster.pid").exists():
            account.run(postgres_programs() / "pg_ctl", "stop", "-m", "immediate", "-D", data)


if __name__ == "__main__":
    use_utf8()
    main()
