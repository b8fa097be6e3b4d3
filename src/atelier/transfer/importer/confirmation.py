"""Confirmation before an import reduces the number of rows."""

import select
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from math import inf

import click

from atelier.errors import AtelierError
from atelier.transfer.files.layout import FILES, ExportFile

_ANSWERS = {"y": True, "yes": True, "n": False, "no": False, "": False}
_POLL_SECONDS = 0.1

Confirm = Callable[[str], bool]
"""Returns whether to proceed with what the message describes; may raise AtelierError instead."""


class LossGuard:
    """Requires confirmation before a table is left with fewer rows than it has."""

    def __init__(self, target: str, confirm: Confirm) -> None:
        """Use a description of the database, and the function that confirms."""
        self._target = target
        self._confirm = confirm
        self._confirmed: dict[ExportFile, int] = {}

    def check(self, before: Mapping[ExportFile, int], after: Mapping[ExportFile, int]) -> None:
        """Raise AtelierError if a table would shrink and that is not confirmed.

        Asks again only if a table will have fewer rows than already confirmed.
        """
        fewer = [
            file
            for file in FILES
            if after[file] < min(before[file], self._confirmed.get(file, inf))
        ]
        if fewer and not self._confirm(self._describe(fewer, before, after)):
            raise AtelierError("The import was cancelled: nothing was changed.")
        self._confirmed |= {file: after[file] for file in fewer}

    def _describe(
        self,
        files: list[ExportFile],
        before: Mapping[ExportFile, int],
        after: Mapping[ExportFile, int],
    ) -> str:
        numbers = ", ".join(
            f"{file.table} {after[file]:,} instead of {before[file]:,}" for file in files
        )
        return f"--replace would leave fewer rows in {self._target} than there are: {numbers}."


def confirmation(*, yes: bool, action: str = "import") -> Confirm:
    """Return a function that agrees (`yes`), asks on a terminal, or refuses without one."""
    if yes:
        return _agree
    if sys.stdin.isatty() and sys.stderr.isatty():
        return _ask
    return partial(refuse, action=action)


def refuse(message: str, action: str = "import") -> bool:
    """Raise AtelierError: there is no terminal to ask on."""
    raise AtelierError(f"{message} Nothing was changed; add --yes to {action} all the same.")


def _agree(_: str) -> bool:
    return True


def _ask(message: str) -> bool:
    with _interruptible():
        while True:
            click.echo(f"{message} Continue? [y/N]: ", err=True, nl=False)
            answer = _read_line().strip().lower()
            if answer in _ANSWERS:
                return _ANSWERS[answer]
            click.echo("Error: invalid input", err=True)


def _read_line() -> str:
    """Read a line from the terminal; raise click.Abort at its end.

    `input` misses a Ctrl-C that arrives just before it blocks (the signal's Python handler runs
    only when the read returns), so this waits in short steps.
    """
    while not select.select([sys.stdin], [], [], _POLL_SECONDS)[0]:
        pass
    line = sys.stdin.readline()
    if not line:
        raise click.Abort
    return line


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C interrupt the prompt: asyncio's handler would only cancel the task behind it."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
