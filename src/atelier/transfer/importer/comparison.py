"""Counts the rows that an import adds, replaces and removes."""

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
    """The comparison of a live table with its new rows."""

    before: int = 0
    """Rows in the live table."""
    common: int = 0
    """Live rows whose id is among the new rows."""
    same: int = 0
    """Live rows that are identical in the new rows."""


EMPTY_DATABASE: Mapping[ExportFile, Comparison] = dict.fromkeys(FILES, Comparison())
"""The comparison with an empty database."""


async def compare(
    workers: Workers, progress: Progress, relations: Mapping[ExportFile, str]
) -> Mapping[ExportFile, Comparison]:
    """Compare the live table of each file with the relation that contains its new rows."""
    found: dict[ExportFile, Comparison] = {}

    def compare_job(file: ExportFile) -> Job:
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
        await workers.run(compare_job(file) for file in (ANSWERS, QUESTIONS, PHOTOS))
    return found


def _columns(file: ExportFile, alias: str) -> str:
    return ", ".join(f"{alias}.{column.name}" for column in file.columns)


async def count_live_rows(connection: asyncpg.Connection) -> Mapping[ExportFile, int]:
    """Return the number of live rows per file; the search path must find the live tables."""
    ((*numbers,),) = await connection.fetch(_QUERIES["count_rows"])
    return dict(zip(FILES, numbers, strict=True))
