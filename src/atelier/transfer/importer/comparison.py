"""Counts what an import adds to the live tables, replaces and removes."""

from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

from atelier.store.queries import queries
from atelier.transfer.database.session import Job, Workers
from atelier.transfer.files.layout import ANSWERS, FILES, PHOTOS, QUESTIONS, ExportFile
from atelier.transfer.progress import Progress

_QUERIES = queries("atelier.transfer.importer")


@dataclass(frozen=True, slots=True)
class Comparison:
    """A live table beside the new rows for it."""

    before: int = 0
    """The rows of the live table."""
    common: int = 0
    """Those whose id the new rows have, too."""
    same: int = 0
    """Those that the new rows have without a difference."""


NOTHING_BEFORE: Mapping[ExportFile, Comparison] = dict.fromkeys(FILES, Comparison())
"""The comparison with an empty database."""


async def compare(
    workers: Workers, progress: Progress, relations: Mapping[ExportFile, str]
) -> Mapping[ExportFile, Comparison]:
    """Compare the live table of each file with the relation that holds its new rows."""
    found: dict[ExportFile, Comparison] = {}

    def comparing(file: ExportFile) -> Job:
        query = _QUERIES["compare"].format(
            relation=relations[file],
            table=file.table,
            new=_columns(file, "n"),
            old=_columns(file, "o"),
        )

        async def run(connection: asyncpg.Connection) -> None:
            ((before, common, same),) = await connection.fetch(query)
            found[file] = Comparison(before, common, same)

        return run

    with progress.task("comparing with the rows in the database"):
        await workers.run(comparing(file) for file in (ANSWERS, QUESTIONS, PHOTOS))
    return found


def _columns(file: ExportFile, alias: str) -> str:
    return ", ".join(f"{alias}.{column.name}" for column in file.columns)


async def count_live_rows(connection: asyncpg.Connection) -> Mapping[ExportFile, int]:
    """Return the number of rows of each file's table, on a connection that finds the live ones."""
    ((*numbers,),) = await connection.fetch(_QUERIES["count_rows"])
    return dict(zip(FILES, numbers, strict=True))
