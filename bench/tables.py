"""Markdown tables of figures."""

from collections.abc import Iterable, Sequence

from bench.targets import Spread

NOT_MEASURED = "Not measured."


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = list(rows)
    if not lines:
        return NOT_MEASURED
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *lines))


def spread(values: Iterable[float], digits: int) -> str:
    """Return the median of some values and, in brackets, their minimum and maximum."""
    return Spread.of(list(values)).text(digits)
