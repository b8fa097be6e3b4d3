"""The command `atelier`; one module per group of commands."""

import logging
import os
import sys
from types import TracebackType

import click

from atelier import __version__
from atelier.cli import (
    aws,
    capacity,
    database,
    moderation,
    privacy,
    rules,
    search,
    service,
    stats,
    systemd,
    tokens,
    transfer,
    webhooks,
)
from atelier.errors import AtelierError, format_traceback
from atelier.local.host.open_files import raise_open_files
from atelier.local.host.utf8 import use_utf8
from atelier.settings import Settings, unknown_variables

_INTERRUPTED = 130


def main() -> None:
    """Run a command; print an AtelierError as one line on stderr and exit with code 1."""
    sys.excepthook = _print_unexpected
    use_utf8()
    raise_open_files()
    # pogo-core warns of every migration; the commands print the applied ones themselves.
    logging.getLogger("pogo_core").setLevel(logging.ERROR)
    try:
        atelier.main(standalone_mode=False)
    except AtelierError as error:
        click.echo(f"atelier: {error}", err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:  # the reader of the output has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print_unexpected(
    _kind: type[BaseException], error: BaseException, _at: TracebackType | None
) -> None:
    """Print an unhandled exception without values of rows: terminals are logged, too."""
    click.echo(f"{format_traceback(error)}\natelier: This is a bug in atelier.", err=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="atelier %(version)s")
@click.pass_context
def atelier(context: click.Context) -> None:
    """Questions and answers behind a shop's product pages.

    All commands use the database of ATELIER_DATABASE_URL or, if that is not set, an embedded
    PostgreSQL in ATELIER_HOME (.atelier), which they start if needed. Only `up` and `db start`
    create one.
    """
    context.obj = Settings.from_environment()
    for name, similar in unknown_variables(os.environ).items():
        hint = f"; do you mean {similar}?" if similar else "."
        click.echo(f"atelier: {name} is not a setting{hint}", err=True)


for _module in (
    service,
    database,
    transfer,
    privacy,
    tokens,
    stats,
    moderation,
    search,
    webhooks,
    aws,
    capacity,
    systemd,
):
    for _command in _module.COMMANDS:
        atelier.add_command(_command)
for _command in rules.COMMANDS:
    moderation.moderate.add_command(_command)
