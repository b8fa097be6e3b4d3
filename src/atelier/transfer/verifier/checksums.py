"""Checksums of tables: one number per column, independent of the order of rows."""

from dataclasses import dataclass

import asyncpg

from atelier.store.queries import queries
from atelier.transfer.files.layout import ExportFile

_QUERIES = queries("atelier.transfer.verifier")


@dataclass(frozen=True, slots=True)
class Checksums:
    """The row count and column checksums of one table."""

    rows: int
    columns: dict[str, int]


async def staged_checksums(connection: asyncpg.Connection, file: ExportFile) -> Checksums:
    """Return the checksums of a staged file."""
    return await _checksums(connection, file, f"{file.table}_file")


async def live_checksums(connection: asyncpg.Connection, file: ExportFile) -> Checksums:
    """Return the checksums of the live table of a file."""
    return await _checksums(connection, file, file.table)


async def _checksums(connection: asyncpg.Connection, file: ExportFile, relation: str) -> Checksums:
    query = _QUERIES[f"checksums_{file.table}"].format(relation=relation)
    ((rows, *sums),) = await connection.fetch(query)
    names = (column.name for column in file.columns)
    return Checksums(rows, {name: int(sum_ or 0) for name, sum_ in zip(names, sums, strict=True)})


async def differing_ids(
    connection: asyncpg.Connection, file: ExportFile, column: str, limit: int
) -> list[int]:
    """Return the first `limit` ids whose rows differ in a column."""
    query = _QUERIES["differing_rows"].format(table=file.table, column=column)
    return [row[0] for row in await connection.fetch(query, limit)]
