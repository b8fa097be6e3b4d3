"""Staging tables: the files as they are, in a schema of unlogged tables or in temporary tables.

`<table>_lines` has the file's columns in the file's order, so that its bytes can be copied
unchanged. `<table>_file` is a view on it with the columns of the target table.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, closing
from pathlib import Path

import asyncpg

from atelier.transfer.database.session import Job, Workers, transaction
from atelier.transfer.files.folder import find
from atelier.transfer.files.layout import (
    ANSWERS,
    FILES,
    PHOTOS,
    QUESTIONS,
    Column,
    ExportFile,
    Kind,
)
from atelier.transfer.files.rejects import FOUND_BY_DATABASE, Reason, Reject
from atelier.transfer.progress import Progress, Task
from atelier.transfer.reader.reader import Reader

_LARGEST_FIRST = (ANSWERS, QUESTIONS, PHOTOS)
_MESSAGE_SIZE = 256 << 10  # bytes sent to PostgreSQL at a time
_TYPES = {
    Kind.ID: "bigint",
    Kind.PRODUCT: "bigint",
    Kind.TEXT: "text",
    Kind.BOOLEAN: "boolean",
    Kind.COUNT: "integer",
}
# float8 is exact to well below a millisecond in the years 1 to 9999.
_FROM_EPOCH = "to_timestamp(date_written / float8 '1000')::timestamptz(3) AS date_written"

TEMPORARY = "pg_temp"
"""The schema of temporary tables, which exist only for one connection."""


class Staging:
    """Copies the files of one export into staging tables."""

    def __init__(self, folder: Path, schema: str) -> None:
        """Open the files; raise AtelierError if one is missing, unreadable or lacks a column."""
        self._kind = "TEMPORARY" if schema == TEMPORARY else "UNLOGGED"
        self.schema = schema
        self.rows = dict.fromkeys(FILES, 0)
        """The number of rows of each file that the reader accepted."""
        self._paths = find(folder)
        self._open_files = ExitStack()
        self.readers = {file: self._open(file) for file in self._paths}

    def close(self) -> None:
        """Close the files."""
        self._open_files.close()

    def reopen(self, file: ExportFile) -> Reader:
        """Return a new reader of a file; the caller closes it."""
        return Reader(self._paths[file], file)

    @property
    def warnings(self) -> list[str]:
        """Warnings about the files, one line each."""
        return [
            f"{file.name}: the column {name!r} is unknown and was not loaded."
            for file, reader in self.readers.items()
            for name in reader.unknown_columns
        ]

    def accepted(self, file: ExportFile, rejected: Counter[Reason]) -> int:
        """Return the number of rows that neither the reader nor the database rejected."""
        return self.rows[file] - sum(rejected[reason] for reason in FOUND_BY_DATABASE)

    async def load(
        self, workers: Workers, progress: Progress, reject: Callable[[Reject], None]
    ) -> None:
        """Create the schema, which must not exist, and copy the files into it.

        TEMPORARY always exists, and requires a single worker.
        """
        if self.schema != TEMPORARY:
            await workers.connections[0].execute(f"CREATE SCHEMA {self.schema}")
        await workers.connections[0].execute(
            f"CREATE {self._kind} TABLE {self.schema}.rejected_rows "
            "(table_name text, id bigint, reason text)"
        )
        await workers.run(self._copy_job(file, progress, reject) for file in _LARGEST_FIRST)

    def _open(self, file: ExportFile) -> Reader:
        return self._open_files.enter_context(closing(Reader(self._paths[file], file)))

    def _copy_job(
        self, file: ExportFile, progress: Progress, reject: Callable[[Reject], None]
    ) -> Job:
        async def copy(connection: asyncpg.Connection) -> None:
            with progress.task(file.name, unit="lines") as task:
                messages = self._messages(self.readers[file], task, reject)
                self.rows[file] = await self._copy(connection, file, messages)

        return copy

    async def _copy(
        self, connection: asyncpg.Connection, file: ExportFile, messages: AsyncIterator[bytes]
    ) -> int:
        # COPY FREEZE needs a table created in the same transaction. It spares the first reader
        # from rewriting the pages to set hint bits.
        async with transaction(connection):
            await connection.execute(self._ddl(self.readers[file]))
            status = await connection.copy_to_table(
                f"{file.table}_lines",
                schema_name=self.schema,
                source=messages,
                format="csv",
                freeze=True,
                force_not_null=[c.name for c in file.columns if c.kind is Kind.TEXT],
            )
        return int(status.removeprefix("COPY "))

    def _ddl(self, reader: Reader) -> str:
        date = "timestamptz" if reader.dialect.iso_dates else "bigint"
        types = _TYPES | {Kind.DATE: date}
        columns = [
            f"{column.name} {types[column.kind]}" if column else f"unknown_{position} text"
            for position, column in enumerate(reader.columns)
        ]
        table = f"{self.schema}.{reader.file.table}"
        selected = [_selected(column, date) for column in reader.file.columns]
        view = f"SELECT {', '.join(selected)} FROM {table}_lines"  # noqa: S608 - constant names
        return (
            f"CREATE {self._kind} TABLE {table}_lines ({', '.join(columns)});"
            f"CREATE VIEW {table}_file AS {view}"
        )

    async def _messages(
        self, reader: Reader, task: Task, reject: Callable[[Reject], None]
    ) -> AsyncIterator[bytes]:
        message = bytearray()
        lines = unreported = 0
        for chunk in reader.chunks(reject):
            message += chunk.csv
            unreported += chunk.lines
            if len(message) >= _MESSAGE_SIZE:
                yield bytes(message)
                lines += unreported
                task.advance(unreported)
                task.set_total(round(lines / reader.fraction))
                message.clear()
                unreported = 0
        yield bytes(message)
        task.advance(unreported)
        task.set_total(lines + unreported)


def _selected(column: Column, date_type: str) -> str:
    return _FROM_EPOCH if column.kind is Kind.DATE and date_type == "bigint" else column.name
