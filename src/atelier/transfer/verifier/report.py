"""The report of a verification."""

from dataclasses import dataclass, field
from itertools import groupby

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison of the database with the files, or with the view that defines documents."""

    section: str
    what: str
    """What was compared: a row count, a column or the documents."""
    expected: str
    found: str
    ok: bool
    ids: list[int] = field(default_factory=list)
    """The first differing ids."""


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """The result of all comparisons."""

    checks: list[Check]
    rejected: dict[str, int]
    """Number of rows per file that an import rejects; they are not compared."""
    seconds: float
    warnings: list[str]

    @property
    def ok(self) -> bool:
        """Whether all comparisons agree."""
        return all(check.ok for check in self.checks)

    def render(self) -> RenderableType:
        """Return a table of the comparisons and the lines below it."""
        table = Table("compared", "files", "database", "result")
        for _, checks in groupby(self.checks, lambda check: check.section):
            table.add_section()
            for check in checks:
                result, style = ("ok", None) if check.ok else ("differs", "bold red")
                table.add_row(check.what, check.expected, check.found, result, style=style)
        return Group(table, *(Text(line) for line in self._lines()))

    def _lines(self) -> list[str]:
        return [
            *self.warnings,
            *(
                f"{check.what} differs, first ids: {', '.join(map(str, check.ids))}"
                for check in self.checks
                if check.ids
            ),
            *(
                f"{name}: {number:,} rows that an import rejects were not compared."
                for name, number in self.rejected.items()
                if number
            ),
            f"{'All agree' if self.ok else 'NOT all agree'}. {self.seconds:.1f} s",
        ]
