"""The commands for webhooks: endpoints that are sent each change of questions and answers."""
# ruff: noqa: PLC0415 - each command imports what it needs, so that all start quickly

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from atelier.cli.common import connected, examples, operator
from atelier.errors import AtelierError
from atelier.settings import Settings

if TYPE_CHECKING:
    from atelier.store.webhooks.endpoints import Endpoints

T = TypeVar("T")

_POLL_SECONDS = 0.2
_MAX_LOGGED = 1000
_ID = click.argument("webhook_id", metavar="ID", type=click.IntRange(1, 2**63 - 1))
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _events(_context: click.Context, _parameter: click.Parameter, given: str | None) -> list[str]:
    from atelier.store.webhooks.endpoints import EVENTS

    names = list(EVENTS) if given is None else [each.strip() for each in given.split(",")]
    if not set(names) <= {*EVENTS}:
        raise click.BadParameter(f"must be some of {','.join(EVENTS)}, separated by commas.")
    return [event for event in EVENTS if event in names]


@click.group()
def webhook() -> None:
    """Send each change of questions and answers to other programs, over HTTPS.

    The instances send the events of the change feed, signed as Standard Webhooks specifies. What
    cannot be delivered is tried again for three days.
    """


@webhook.command(
    epilog=examples(
        "atelier webhook add https://shop.example/hooks/questions",
        "atelier webhook add https://mail.example/new --events asked,answered",
    )
)
@click.argument("url")
@click.option(
    "--events",
    callback=_events,
    metavar="KINDS",
    help="asked, answered, reported, held, removed, restored, edited, erased, imported; by default "
    "all of them.",
)
@click.pass_obj
def add(settings: Settings, url: str, events: Sequence[str]) -> None:
    """Send events to URL from now on, and print the secret of their signatures on the last line.

    It cannot be shown again; `rotate-secret` makes a new one.
    """
    from atelier.http.webhooks import urls
    from atelier.http.webhooks.addresses import PermittedAddresses
    from atelier.store.webhooks.endpoints import MAX_ENDPOINTS

    try:
        PermittedAddresses(settings.webhook_networks).check(urls.parse(url))
    except urls.InvalidUrlError as error:
        raise AtelierError(f"The URL must {error}.") from error
    added = _run(settings, lambda endpoints: endpoints.add(url, events, operator()))
    if added is None:
        raise AtelierError(f"There are {MAX_ENDPOINTS} webhooks already: remove one first.")
    click.echo(f"The webhook {added.id} is added: `atelier webhook test {added.id}` tries it.")
    click.echo("This secret is shown only once; the receiver checks signatures with it:")
    click.echo(added.secret)


@webhook.command("list")
@_JSON
@click.pass_obj
def list_(settings: Settings, *, as_json: bool) -> None:
    """List all webhooks with their state and what is pending, but not their secrets."""
    found = _run(settings, lambda endpoints: endpoints.all())
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    names = ("id", "url", "events", "state", "pending", "delivered_at", "failing_since")
    _print_table(names, [{**each, "events": _shown_events(each["events"])} for each in found])


@webhook.command(epilog=examples("atelier webhook remove 1"))
@_ID
@click.pass_obj
def remove(settings: Settings, webhook_id: int) -> None:
    """Remove a webhook, with what is pending and its log."""
    _check(webhook_id, found=_run(settings, lambda endpoints: endpoints.remove(webhook_id)))
    click.echo(f"The webhook {webhook_id} is removed.")


@webhook.command(epilog=examples("atelier webhook pause 1"))
@_ID
@click.pass_obj
def pause(settings: Settings, webhook_id: int) -> None:
    """Send nothing to a webhook until it is resumed; events are kept for it."""
    _check(webhook_id, found=_run(settings, lambda endpoints: endpoints.pause(webhook_id)))
    click.echo(f"The webhook {webhook_id} is paused.")


@webhook.command(epilog=examples("atelier webhook resume 1"))
@_ID
@click.pass_obj
def resume(settings: Settings, webhook_id: int) -> None:
    """Send what is pending at once, and new events; also after the receiver answered 410."""
    _check(webhook_id, found=_run(settings, lambda endpoints: endpoints.resume(webhook_id)))
    click.echo(f"The webhook {webhook_id} is active.")


@webhook.command(epilog=examples("atelier webhook test 1"))
@_ID
@click.option(
    "--wait",
    type=click.IntRange(0, 600),
    default=30,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the result.",
)
@click.pass_obj
def test(settings: Settings, webhook_id: int, wait: int) -> None:
    """Have a running instance send an event `test`, and print what the receiver answered."""
    entry = _run(settings, lambda endpoints: _tested(endpoints, webhook_id, wait))
    if entry["state"] == "delivered":
        click.echo(f"Delivered: status {entry['status']} after {entry['milliseconds']} ms.")
        return
    if not entry["attempts"]:
        raise AtelierError("No instance has sent it so far: is the service running?")
    status = f" (status {entry['status']})" if entry["status"] else ""
    raise AtelierError(f"Not delivered: {entry['error'] or 'no answer yet'}{status}.")


@webhook.command(
    epilog=examples("atelier webhook log 1", "atelier webhook log 1 --state failed --json")
)
@_ID
@click.option("--state", type=click.Choice(("pending", "delivered", "failed")))
@click.option("--limit", type=click.IntRange(1, _MAX_LOGGED), default=20, show_default=True)
@_JSON
@click.pass_obj
def log(
    settings: Settings, webhook_id: int, *, state: str | None, limit: int, as_json: bool
) -> None:
    """Show the deliveries of a webhook, the latest first."""
    found = _run(settings, lambda endpoints: _logged(endpoints, webhook_id, state, limit))
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    names = ("id", "type", "target", "target_id", "state", "attempts", "status", "error")
    _print_table((*names, "attempted_at", "due_at"), found)


@webhook.command(
    epilog=examples("atelier webhook replay 1 42 43", "atelier webhook replay 1 --failed")
)
@_ID
@click.argument("deliveries", metavar="[DELIVERY]...", nargs=-1, type=click.IntRange(1, 2**62))
@click.option("--failed", is_flag=True, help="All that failed and are still in the log.")
@click.pass_obj
def replay(
    settings: Settings, webhook_id: int, deliveries: tuple[int, ...], *, failed: bool
) -> None:
    """Send deliveries of the log again, with their ids and the present content."""
    if failed == bool(deliveries):
        raise click.UsageError(
            "Give either deliveries, as `atelier webhook log` shows, or --failed."
        )
    number = _run(settings, lambda endpoints: _replayed(endpoints, webhook_id, deliveries))
    click.echo(f"Pending again: {number}.")


@webhook.command("rotate-secret", epilog=examples("atelier webhook rotate-secret 1"))
@_ID
@click.option(
    "--keep-old",
    type=click.IntRange(0, 7 * 24),
    default=24,
    show_default=True,
    metavar="HOURS",
    help="How long events are signed with the old secret, too.",
)
@click.pass_obj
def rotate_secret(settings: Settings, webhook_id: int, keep_old: int) -> None:
    """Make a new secret, and print it on the last line; it cannot be shown again."""
    keep = timedelta(hours=keep_old)
    secret = _run(settings, lambda endpoints: endpoints.rotate_secret(webhook_id, keep))
    _check(webhook_id, found=secret is not None)
    click.echo("This secret is shown only once; the receiver checks signatures with it:")
    click.echo(secret)


def _run(settings: Settings, operation: "Callable[[Endpoints], Awaitable[T]]") -> T:
    """Run an operation on the endpoints, as the role that owns the tables."""
    from atelier.local.postgres.database import database
    from atelier.store.webhooks.endpoints import Endpoints

    async def connect_and_run(dsn: str) -> T:
        async with connected(dsn, "Access to the webhooks") as connection:
            return await operation(Endpoints(connection.fetch))

    with database(settings) as dsn:
        return asyncio.run(connect_and_run(dsn))


async def _tested(endpoints: "Endpoints", webhook_id: int, wait: int) -> dict[str, Any]:
    """Plan a test; return its entry in the log after the first attempt, or after the wait."""
    await _existing(endpoints, webhook_id)
    planned = await endpoints.test(webhook_id)
    if planned is None:
        raise AtelierError(f"The webhook {webhook_id} is not active: resume it first.")
    for _ in range(int(wait / _POLL_SECONDS)):
        entry = await endpoints.delivery(webhook_id, planned) or {}
        if entry.get("milliseconds") is not None:
            return entry
        await asyncio.sleep(_POLL_SECONDS)
    return await endpoints.delivery(webhook_id, planned) or {}


async def _logged(
    endpoints: "Endpoints", webhook_id: int, state: str | None, limit: int
) -> list[dict[str, Any]]:
    await _existing(endpoints, webhook_id)
    return (await endpoints.deliveries(webhook_id, state=state, limit=limit)).deliveries


async def _replayed(endpoints: "Endpoints", webhook_id: int, deliveries: Sequence[int]) -> int:
    """Replay deliveries, or all failed ones, the oldest first; return the number of new ones."""
    await _existing(endpoints, webhook_id)
    chosen = sorted(deliveries) or [each["id"] for each in await _all_failed(endpoints, webhook_id)]
    planned = [await endpoints.replay(webhook_id, each) for each in chosen]
    if deliveries and None in planned:
        missing = chosen[planned.index(None)]
        raise AtelierError(f"The delivery {missing} is pending, or not in the log.")
    return sum(each is not None for each in planned)


async def _all_failed(endpoints: "Endpoints", webhook_id: int) -> list[dict[str, Any]]:
    found, below = [], None
    while True:
        page = await endpoints.deliveries(
            webhook_id, state="failed", below=below, limit=_MAX_LOGGED
        )
        found += page.deliveries
        if page.next is None:
            return found[::-1]
        below = page.next


async def _existing(endpoints: "Endpoints", webhook_id: int) -> None:
    _check(webhook_id, found=await endpoints.get(webhook_id) is not None)


def _check(webhook_id: int, *, found: bool) -> None:
    if not found:
        raise AtelierError(
            f"There is no webhook {webhook_id}: `atelier webhook list` shows all of them."
        )


def _shown_events(events: Sequence[str]) -> str:
    from atelier.store.webhooks.endpoints import EVENTS

    return "all" if list(events) == list(EVENTS) else " ".join(events)


def _print_table(names: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*(name.removesuffix("_at").replace("_", " ") for name in names))
    for row in rows:
        table.add_row(*(Text("" if row[name] is None else str(row[name])) for name in names))
    Console(width=max(Console().width, 140)).print(table)


COMMANDS = (webhook,)
