"""The command that makes units of systemd."""
# ruff: noqa: PLC0415 - imports inside the commands keep the start of others quick

import os
from pathlib import Path

import click

from atelier.cli.common import examples

_USUAL = Path("/etc/systemd/system")


@click.group()
def systemd() -> None:
    """Run the service on one host by systemd, without `atelier up`."""


@systemd.command(
    epilog=examples(
        "atelier systemd install | less",
        "atelier systemd install --output /etc/systemd/system --instances 2",
    )
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to write the units to; without it, they are printed.",
)
@click.option(
    "--instances",
    type=click.IntRange(1, 64),
    default=lambda: os.cpu_count() or 1,
    show_default="one per CPU",
    help="The number of instances.",
)
@click.option(
    "--listen", default="80", show_default=True, help="nginx's port, or address and port."
)
def install(output: Path | None, instances: int, listen: str) -> None:
    """Make the units of this host, and print what to enable.

    They are instances (atelier@9001, atelier@9002, ..., named after their ports), nginx, a nightly
    backup, and a nightly import of an export that was put into /var/lib/atelier-import. All are
    sandboxed, none runs as root but nginx, and only the nightly ones get the owner's database.
    Nothing is enabled. docs/deploy-hosts.md describes the steps.
    """
    from atelier.cloud.systemd import units

    program = units.installed_program()
    made = units.units(program, units.installed_nginx())
    if output is None:
        for name, text in made.items():
            click.echo(f"# {_USUAL / name}\n{text}")
    else:
        units.write(made, output)
        click.echo(f"# Wrote {', '.join(made)}. Then:")
    told = units.steps(program, output or _USUAL, instances, listen)
    click.echo(told, nl=False, err=output is None)


COMMANDS = (systemd,)
