"""The results of a fault: checked against their limits, and recorded for the table."""

from dataclasses import dataclass, field

from tests.chaos.plan import FULL


@dataclass
class Finding:
    """A row of the table."""

    fault: str
    promise: str
    measured: list[str] = field(default_factory=list)
    outcome: str = "not run"

    def record(self, text: str) -> None:
        self.measured.append(text)

    def within(self, what: str, value: float, limit: float, unit: str = "s") -> None:
        """Record a figure, and check its upper limit in the full set, which runs alone."""
        self.record(f"{what} {value:.3g} {unit} (limit {limit:.3g})")
        assert value <= limit or not FULL, self.measured[-1]

    def at_least(self, what: str, value: float, limit: float, unit: str) -> None:
        """Record a figure, and check its lower limit in the full set."""
        self.record(f"{what} {value:.3g} {unit} (at least {limit:.3g})")
        assert value >= limit or not FULL, self.measured[-1]


def table(findings: list[Finding]) -> str:
    """Return the findings as a Markdown table."""
    lines = ["| fault | must show | measured | |", "|---|---|---|---|"]
    for found in findings:
        measured = "; ".join(found.measured)
        lines.append(f"| {found.fault} | {found.promise} | {measured} | {found.outcome} |")
    return "\n".join(lines) + "\n"
