"""What a verification found, for people."""

from dataclasses import dataclass, field
from itertools import groupby

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison of the files, or of the view that defines documents, with the tables."""

    table: str
    what: str
    """A column, `rows` or `documents`."""
    expected: str
    found: str
    ok: bool
    ids: list[int] = field(default_factory=list)
    """The first ids that differ."""

    @property
    def result(self) -> str:
        """In words."""
        if self.ok:
            return "ok"
        return f"differs: id {', '.join(map(str, self.ids))}" if self.ids else "differs"


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """All comparisons."""

    checks: list[Check]
    rejected: dict[str, int]
    """How many rows of each file an import rejects; they are not compared."""
    seconds: float
    warnings: list[str]

    @property
    def ok(self) -> bool:
        """Whether all agree."""
        return all(check.ok for check in self.checks)

    def render(self) -> RenderableType:
        """Return one table and the lines below it."""
        table = Table("table", "compared", "files", "database", "result")
        for name, checks in groupby(self.checks, lambda check: check.table):
            table.add_section()
            for check in checks:
                style = None if check.ok else "bold red"
                cells = (name, check.what, check.expected, check.found, check.result)
                table.add_row(*cells, style=style)
        return Group(table, *(Text(line) for line in self._lines()))

    def _lines(self) -> list[str]:
        return [
            *self.warnings,
            *(
                f"{name}: {number:,} rows that an import rejects were not compared."
                for name, number in self.rejected.items()
                if number
            ),
            f"{'All agree' if self.ok else 'NOT all agree'}. {self.seconds:.1f} s",
        ]
