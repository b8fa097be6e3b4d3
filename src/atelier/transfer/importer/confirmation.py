"""Asks before rows are lost."""

import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from math import inf

import click

from atelier.errors import AtelierError
from atelier.transfer.files.layout import FILES, ExportFile

Confirm = Callable[[str], bool]
"""Says whether to do what a sentence describes; may raise AtelierError instead."""


class LossGuard:
    """Has it confirmed that a table will have fewer rows than before."""

    def __init__(self, target: str, confirm: Confirm) -> None:
        """Take a description of the database, and what confirms."""
        self._target = target
        self._confirm = confirm
        self._confirmed: dict[ExportFile, int] = {}

    def check(self, before: Mapping[ExportFile, int], after: Mapping[ExportFile, int]) -> None:
        """Raise AtelierError unless no table loses rows on balance, or it is confirmed.

        Asks again only if a table will have fewer rows than was confirmed.
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


def confirmation(*, yes: bool, doing: str = "import") -> Confirm:
    """Return what answers yes, or asks on a terminal, or refuses where there is none."""
    if yes:
        return _agree
    if sys.stdin.isatty() and sys.stderr.isatty():
        return _ask
    return partial(refuse, doing=doing)


def refuse(what: str, doing: str = "import") -> bool:
    """Raise AtelierError: there is nobody to ask."""
    raise AtelierError(f"{what} Nothing was changed; add --yes to {doing} all the same.")


def _agree(_: str) -> bool:
    return True


def _ask(what: str) -> bool:
    with _interruptible():
        return click.confirm(f"{what} Continue?", default=False, err=True)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end a question: asyncio's handler would only cancel what waits for the answer."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
