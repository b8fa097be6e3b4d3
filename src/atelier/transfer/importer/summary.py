"""The summary of an import or a dry run."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from atelier.errors import AtelierError
from atelier.transfer.files.layout import ExportFile
from atelier.transfer.files.rejects import Reason, strict_error
from atelier.transfer.importer.comparison import Comparison


@dataclass(frozen=True, slots=True)
class FileSummary:
    """Row counts of one file and of the table it is imported into."""

    name: str
    table: str
    before: int
    """Rows in the table before the import."""
    added: int
    """Accepted rows whose id was not in the table."""
    replaced: int
    """Accepted rows that replaced a different row with the same id."""
    unchanged: int
    """Accepted rows that were already in the table."""
    removed: int
    """Rows of the table that were removed because no accepted row has their id."""
    rejected: Counter[Reason]

    @classmethod
    def compared(
        cls,
        file: ExportFile,
        accepted: int,
        found: Comparison,
        rejected: Counter[Reason],
        *,
        replace: bool,
    ) -> Self:
        """Return the summary that follows from the comparison of a file with its table."""
        replaced = found.common - found.same if replace else 0
        return cls(
            file.name,
            file.table,
            before=found.before,
            added=accepted - replaced - found.same,
            replaced=replaced,
            unchanged=found.same,
            removed=found.before - found.common if replace else 0,
            rejected=rejected,
        )

    @property
    def accepted(self) -> int:
        """Rows of the file that are in the database after the import."""
        return self.added + self.replaced + self.unchanged

    @property
    def rows(self) -> int:
        """Data rows in the file: each is either accepted or rejected."""
        return self.accepted + self.rejected.total()

    @property
    def after(self) -> int:
        """Rows in the table after the import."""
        return self.before + self.added - self.removed


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """The result of an import, or of a dry run."""

    files: list[FileSummary]
    target: str
    """The database, its host and the schema."""
    seconds: float
    rejects: Path
    """The rejects file; it does not exist if no row was rejected."""
    warnings: list[str] = field(default_factory=list)
    had_rejects: bool = False
    """Whether the rejects of an earlier import were there."""
    dry_run: bool = False

    @property
    def rows(self) -> int:
        """Data rows in all files."""
        return sum(file.rows for file in self.files)

    @property
    def rejected(self) -> int:
        """Rejected rows in all files."""
        return sum(file.rejected.total() for file in self.files)

    @property
    def changed(self) -> bool:
        """Whether any row of the database was added, replaced or removed."""
        return any(file.added or file.replaced or file.removed for file in self.files)

    def check_strict(self) -> None:
        """Raise AtelierError if any row was rejected."""
        if self.rejected:
            raise AtelierError(strict_error(self.rejected, self.rejects))

    def render(self) -> RenderableType:
        """Return a line that names the database, a table of counts, and explanatory lines."""
        headline = "Dry run; nothing was changed in" if self.dry_run else "Imported into"
        return Group(
            Text(f"{headline} {self.target}."),
            self._table(),
            *(Text(line) for line in self._lines()),
        )

    def _table(self) -> Table:
        table = Table("rows", *(file.table for file in self.files), "total")
        for column in table.columns[1:]:
            column.justify = "right"
        self._add_row(table, "in the files", lambda file: file.rows)
        self._add_row(table, "rejected", lambda file: file.rejected.total())
        table.add_section()
        self._add_row(table, "in the database before", lambda file: file.before)
        self._add_row(table, "added", lambda file: file.added)
        self._add_row(table, "replaced", lambda file: file.replaced)
        self._add_row(table, "unchanged", lambda file: file.unchanged)
        self._add_row(table, "removed", lambda file: file.removed)
        after = "would be there after" if self.dry_run else "in the database now"
        self._add_row(table, after, lambda file: file.after)
        return table

    def _add_row(self, table: Table, label: str, number: Callable[[FileSummary], int]) -> None:
        numbers = [number(file) for file in self.files]
        table.add_row(label, *(f"{number:,}" for number in (*numbers, sum(numbers))))

    def _lines(self) -> list[str]:
        accepted = self.rows - self.rejected
        speed = self.rows / max(self.seconds, 1e-3)
        return [
            *self.warnings,
            *(_rejected_by_reason(file) for file in self.files if file.rejected),
            f"{self.rows:,} rows = {accepted:,} accepted + {self.rejected:,} rejected",
            f"{self.seconds:.1f} s, {speed:,.0f} rows/s",
            *([] if self.changed else [self._unchanged_line()]),
            self._rejects_line(),
        ]

    def _unchanged_line(self) -> str:
        if self.rows == 0:
            return "Nothing to import: the files have no rows."
        return "Nothing to change: the database had all accepted rows already."

    def _rejects_line(self) -> str:
        if self.rejected:
            instead = ", in place of earlier ones" if self.had_rejects else ""
            return f"The {self.rejected:,} rejected rows are in {self.rejects}{instead}."
        if self.had_rejects and not self.dry_run:
            return f"No row was rejected; the earlier {self.rejects} was removed."
        return "No row was rejected."


def _rejected_by_reason(file: FileSummary) -> str:
    counts = ", ".join(f"{number:,} {reason}" for reason, number in file.rejected.most_common())
    return f"{file.name}, rejected: {counts}"
