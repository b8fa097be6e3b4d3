"""The command that plans the hosts for a load."""
# ruff: noqa: PLC0415 - imports inside the commands keep the start of others quick

from math import isfinite
from typing import TYPE_CHECKING

import click

from atelier.cli.common import examples

if TYPE_CHECKING:
    from atelier.cloud.capacity import Capacity, Hosts, Part


_MAX_RATE = 1e9


class _Range(click.FloatRange):
    """A range of finite numbers: click takes `nan` for one of every range."""

    def convert(
        self, value: float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number; fail if it is not one."""
        number: float = super().convert(value, param, ctx)
        if not isfinite(number):
            self.fail(f"{value} is not a number.", param, ctx)
        return number


@click.command(
    "plan-capacity",
    epilog=examples(
        "atelier plan-capacity --rps 10000 --votes 500",
        "atelier plan-capacity --rps 10000 --votes 500 --cpus 4 --speed 0.7",
    ),
)
@click.option("--rps", type=_Range(0, _MAX_RATE), required=True, help="Pages per second.")
@click.option("--votes", type=_Range(0, _MAX_RATE), default=0, help="Votes per second, besides.")
@click.option(
    "--cpus",
    type=click.IntRange(1, 192),
    default=2,
    show_default=True,
    help="vCPUs of an instance's host and of an nginx host.",
)
@click.option(
    "--speed",
    type=_Range(0.05, 20),
    default=1.0,
    show_default=True,
    help="The speed of a vCPU, compared with a core of the measured machine.",
)
@click.option(
    "--busy",
    type=_Range(0.05, 1),
    default=0.6,
    show_default=True,
    help="How busy a CPU may be at the peak.",
)
def plan_capacity(rps: float, votes: float, cpus: int, speed: float, busy: float) -> None:
    """Say how many hosts of which size a load takes, with the arithmetic.

    It multiplies the load with the CPU time of each part for a page and a vote, as measured by
    `make profile` on one machine. It knows nothing of your network, disks and pages: confirm the
    plan with a load test.
    """
    from atelier.cloud.capacity import Hosts, Load, plan

    hosts = Hosts(cpus, speed, busy)
    _print(plan(Load(rps, votes), hosts), hosts)


def _print(capacity: "Capacity", hosts: "Hosts") -> None:
    from atelier.cloud.capacity import figures

    measured = figures()
    click.echo(f"CPU time per request: measured on {measured['date']}, {measured['machine']}.")
    for part in (capacity.nginx, capacity.instances):
        size = f"{hosts.cpus} vCPUs each, one of them in reserve"
        _print_part(part, f"{part.hosts} hosts with {size}")
    _print_part(capacity.primary, f"1 server with {capacity.primary.needed} vCPUs")
    if capacity.replicas:
        part = capacity.replicas
        _print_part(part, f"{part.hosts} servers for {part.needed} vCPUs, one in reserve")
    click.echo(f"WAL: {capacity.wal_mb:,.1f} MB/s at most, right after a checkpoint")
    for limit in capacity.limits:
        click.echo(f"One primary does not suffice: {limit} (docs/decisions/0025).")


def _print_part(part: "Part", result: str) -> None:
    click.echo(f"{part.name}: {result}")
    click.echo(f"    {part.arithmetic}")


COMMANDS = (plan_capacity,)
