"""The commands for tokens, which the API under /admin requires."""
# ruff: noqa: PLC0415 - each command imports what it needs, so that all start quickly

import asyncio
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from atelier.cli.common import connected, examples, moment
from atelier.errors import AtelierError
from atelier.settings import Settings

if TYPE_CHECKING:
    from atelier.store.tokens import Token

_SCOPES = ("read", "moderate", "operate")
_LIFETIME = re.compile(r"([1-9][0-9]{0,4})([hd])", re.ASCII)
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}
_MAX_NAME_LENGTH = 60
_RULE_PREFIX = "rule "
"""With which the names of moderation rules begin in the audit trail."""


def _name(_context: click.Context, _parameter: click.Parameter, given: str) -> str:
    if not 1 <= len(given) <= _MAX_NAME_LENGTH or not given.isprintable() or given != given.strip():
        raise click.BadParameter(
            f"must have 1 to {_MAX_NAME_LENGTH} printable characters, and no space around them."
        )
    if given.startswith(_RULE_PREFIX):
        raise click.BadParameter(f"must not begin with {_RULE_PREFIX!r}, as moderation rules do.")
    return given


def _lifetime(
    _context: click.Context, _parameter: click.Parameter, given: str | None
) -> timedelta | None:
    if given is None:
        return None
    match = _LIFETIME.fullmatch(given)
    if not match:
        raise click.BadParameter("must be a number of hours or days, such as 12h or 90d.")
    return int(match[1]) * _UNITS[match[2]]


_NAME = click.argument("name", callback=_name)


@click.group()
def token() -> None:
    """Create, list and revoke the tokens that the API under /admin requires.

    A request sends its token in the header `Authorization: Bearer TOKEN`. Only hashes of tokens
    are stored.
    """


@token.command(
    epilog=examples(
        "atelier token create anna --scope moderate --expires 90d",
        "TOKEN=$(atelier token create dashboard --scope read | tail -n 1)",
    )
)
@_NAME
@click.option(
    "--scope",
    type=click.Choice(_SCOPES),
    required=True,
    help="What it permits; each scope includes those before it.",
)
@click.option(
    "--expires", callback=_lifetime, metavar="TIME", help="12h, 90d; by default it does not expire."
)
@click.pass_obj
def create(settings: Settings, name: str, scope: str, expires: timedelta | None) -> None:
    """Create a token for NAME, a person or a program, and print it on the last line.

    It cannot be shown again. Records of moderation keep NAME, so a name is used only once.
    """
    from atelier.local.postgres.database import database

    with database(settings) as dsn:
        created = asyncio.run(_create(dsn, name, scope, expires))
    click.echo("This token is shown only once; keep it like a password:")
    click.echo(created)


@token.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_(settings: Settings, *, as_json: bool) -> None:
    """List all tokens: name, scope, state and dates, but not the tokens themselves."""
    import json

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from atelier.local.postgres.database import database

    with database(settings) as dsn:
        rows = [_row(each) for each in asyncio.run(_all(dsn))]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    table = Table("name", "scope", "state", "created", "expires", "revoked")
    for row in rows:
        table.add_row(*(Text(value or "") for value in row.values()))
    Console(width=max(Console().width, 120)).print(table)


@token.command(epilog=examples("atelier token revoke anna"))
@_NAME
@click.pass_obj
def revoke(settings: Settings, name: str) -> None:
    """Revoke the token of NAME: every request with it is rejected from now on."""
    from atelier.local.postgres.database import database

    with database(settings) as dsn:
        asyncio.run(_revoke(dsn, name))
    click.echo(f"The token {name} is revoked.")


async def _create(dsn: str, name: str, scope: str, lifetime: timedelta | None) -> str:
    from atelier.store import tokens

    async with connected(dsn, "Creating the token") as connection:
        created = await tokens.create(connection, name, tokens.Scope[scope.upper()], lifetime)
    if created is None:
        raise AtelierError(
            f"There is, or was, a token named {name}: choose another name. "
            "`atelier token list` shows all of them."
        )
    return created


async def _all(dsn: str) -> "list[Token]":
    from atelier.store import tokens

    async with connected(dsn, "Listing the tokens") as connection:
        return await tokens.all_tokens(connection)


async def _revoke(dsn: str, name: str) -> None:
    from atelier.store import tokens

    async with connected(dsn, "Revoking the token") as connection:
        if not await tokens.revoke(connection, name):
            raise AtelierError(
                f"There is no token named {name}: `atelier token list` shows all of them."
            )


def _row(token: "Token") -> dict[str, str | None]:
    return {
        "name": token.name,
        "scope": token.scope,
        "state": token.state,
        "created_at": _moment(token.created_at),
        "expires_at": _moment(token.expires_at),
        "revoked_at": _moment(token.revoked_at),
    }


def _moment(value: datetime | None) -> str | None:
    return moment(value) if value else None


COMMANDS = (token,)
