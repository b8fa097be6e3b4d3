"""What an import did, for people."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from atelier.transfer.rejects import Reason


@dataclass(frozen=True, slots=True)
class FileSummary:
    """What became of the data rows of one file."""

    name: str
    new: int
    unchanged: int
    rejected: Counter[Reason]

    @property
    def accepted(self) -> int:
        """The rows that are in the database now."""
        return self.new + self.unchanged

    @property
    def rows(self) -> int:
        """The data rows of the file: each is either accepted or rejected."""
        return self.accepted + self.rejected.total()


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What an import did."""

    files: list[FileSummary]
    seconds: float
    rejects: Path
    """Where the rejected rows are; there is no such file if none was rejected."""
    warnings: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """The data rows of all files."""
        return sum(file.rows for file in self.files)

    @property
    def rejected(self) -> int:
        """The rejected rows of all files."""
        return sum(file.rejected.total() for file in self.files)

    @property
    def changed(self) -> bool:
        """Whether the database has rows that it did not have before."""
        return any(file.new for file in self.files)

    def render(self) -> RenderableType:
        """Return a table and the lines below it."""
        return Group(self._table(), *(Text(line) for line in self._lines()))

    def _table(self) -> Table:
        table = Table()
        table.add_column("file")
        for name in ("rows", "accepted", "new", "unchanged", "rejected"):
            table.add_column(name, justify="right")
        for file in self.files:
            numbers = (file.rows, file.accepted, file.new, file.unchanged, file.rejected.total())
            table.add_row(file.name, *(f"{number:,}" for number in numbers))
        return table

    def _lines(self) -> list[str]:
        accepted = self.rows - self.rejected
        speed = self.rows / max(self.seconds, 1e-3)
        lines = [
            *self.warnings,
            *(_reasons(file) for file in self.files if file.rejected),
            f"{self.rows:,} rows = {accepted:,} accepted + {self.rejected:,} rejected",
            f"{self.seconds:.1f} s, {speed:,.0f} rows/s",
        ]
        if not self.changed:
            lines.append("Nothing changed: the database had all accepted rows already.")
        if self.rejected:
            lines.append(f"The {self.rejected:,} rejected rows are in {self.rejects}.")
        else:
            lines.append("No row was rejected.")
        return lines


def _reasons(file: FileSummary) -> str:
    counts = ", ".join(f"{number:,} {reason}" for reason, number in file.rejected.most_common())
    return f"{file.name}, rejected: {counts}"
