"""Rejects staged rows for the reasons that only the database can find."""

import asyncpg

from atelier.store.queries import queries
from atelier.transfer.files.layout import ExportFile

_QUERIES = queries("atelier.transfer.database")


async def reject_duplicates(connection: asyncpg.Connection, file: ExportFile) -> None:
    """Move staged rows to rejected_rows, except the first of several with the same id."""
    await connection.execute(_QUERIES["reject_duplicates"].format(table=file.table))


async def reject_orphans(connection: asyncpg.Connection, *, use_live: bool) -> None:
    """Move staged rows without a parent to rejected_rows; `use_live` accepts live parents, too."""
    prefix = "orphans" if use_live else "staged_orphans"
    for table in ("answers", "photos"):
        await connection.execute(_QUERIES[f"{prefix}_{table}"])
