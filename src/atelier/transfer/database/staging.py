"""Files as they are, in unlogged tables of a schema of their own, or in temporary tables.

`<table>_lines` has the columns of the file in its order, so that its bytes need no change on
the way. `<table>_file` is a view on it with the columns of the table it is for.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, closing
from pathlib import Path

import asyncpg

from atelier.store.queries import queries
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

_LONGEST_FIRST = (ANSWERS, QUESTIONS, PHOTOS)
_MESSAGE = 256 << 10  # bytes sent to PostgreSQL at a time
_TYPES = {
    Kind.ID: "bigint",
    Kind.PRODUCT: "bigint",
    Kind.TEXT: "text",
    Kind.BOOLEAN: "boolean",
    Kind.COUNT: "integer",
}
# A float is exact to far less than a millisecond in all the years there are.
_FROM_EPOCH = "to_timestamp(date_written / float8 '1000')::timestamptz(3) AS date_written"

_QUERIES = queries("atelier.transfer.database")

TEMPORARY = "pg_temp"
"""The schema of temporary tables: of one connection, and gone with it, however it ends."""


class Staging:
    """The files of one export on their way into the database."""

    def __init__(self, folder: Path, schema: str) -> None:
        """Open the files; raise AtelierError if one is missing, unreadable or lacks a column."""
        self._kind = "TEMPORARY" if schema == TEMPORARY else "UNLOGGED"
        self.schema = schema
        self.rows = dict.fromkeys(FILES, 0)
        """How many rows the reader accepted."""
        self._paths = find(folder)
        self._open_files = ExitStack()
        self.readers = {file: self._open(file) for file in self._paths}

    def close(self) -> None:
        """Close the files."""
        self._open_files.close()

    def reader_again(self, file: ExportFile) -> Reader:
        """Return a new reader of a file, which the caller closes."""
        return Reader(self._paths[file], file)

    @property
    def warnings(self) -> list[str]:
        """What the user should know about the files."""
        return [
            f"{file.name}: the column {name!r} is unknown and was not loaded."
            for file, reader in self.readers.items()
            for name in reader.unknown_columns
        ]

    def accepted(self, file: ExportFile, rejected: Counter[Reason]) -> int:
        """Return how many rows neither the reader nor the database rejected."""
        return self.rows[file] - sum(rejected[reason] for reason in FOUND_BY_DATABASE)

    async def load(
        self, workers: Workers, progress: Progress, reject: Callable[[Reject], None]
    ) -> None:
        """Make the schema, which must not exist, and copy the files into it.

        TEMPORARY is there already, and takes a single worker.
        """
        if self.schema != TEMPORARY:
            await workers.connections[0].execute(f"CREATE SCHEMA {self.schema}")
        await workers.connections[0].execute(
            f"CREATE {self._kind} TABLE {self.schema}.rejected_rows "
            "(table_name text, id bigint, reason text)"
        )
        await workers.run(self._copying(file, progress, reject) for file in _LONGEST_FIRST)

    def _open(self, file: ExportFile) -> Reader:
        return self._open_files.enter_context(closing(Reader(self._paths[file], file)))

    def _copying(
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
        # A table made in the same transaction can be copied into frozen: then whoever reads it
        # first does not write it once more.
        async with transaction(connection):
            await connection.execute(self._tables(self.readers[file]))
            status = await connection.copy_to_table(
                f"{file.table}_lines",
                schema_name=self.schema,
                source=messages,
                format="csv",
                freeze=True,
                force_not_null=[c.name for c in file.columns if c.kind is Kind.TEXT],
            )
        return int(status.removeprefix("COPY "))

    def _tables(self, reader: Reader) -> str:
        date = "timestamptz" if reader.dialect.iso_dates else "bigint"
        types = _TYPES | {Kind.DATE: date}
        columns = [
            f"{column.name} {types[column.kind]}" if column else f"unknown_{position} text"
            for position, column in enumerate(reader.columns)
        ]
        table = f"{self.schema}.{reader.file.table}"
        selected = [_selected(column, date) for column in reader.file.columns]
        view = f"SELECT {', '.join(selected)} FROM {table}_lines"  # noqa: S608 - names of ours
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
            if len(message) >= _MESSAGE:
                yield bytes(message)
                lines += unreported
                task.advance(unreported)
                task.expect(round(lines / reader.fraction))
                message.clear()
                unreported = 0
        yield bytes(message)
        task.advance(unreported)
        task.expect(lines + unreported)


def _selected(column: Column, date_type: str) -> str:
    return _FROM_EPOCH if column.kind is Kind.DATE and date_type == "bigint" else column.name


async def reject_duplicates(connection: asyncpg.Connection, file: ExportFile) -> None:
    """Of several staged rows with one id keep the first; the others go to rejected_rows."""
    await connection.execute(_QUERIES["reject_duplicates"].format(table=file.table))


async def reject_orphans(connection: asyncpg.Connection, *, with_live: bool) -> None:
    """Reject staged rows whose parent is not staged nor, with `with_live`, in a live table."""
    parents = "staged_and_live" if with_live else "staged"
    for table in (ANSWERS.table, PHOTOS.table):
        await connection.execute(_QUERIES[f"{parents}_orphans_{table}"])
