"""docs/profile.md: the template bench/profile/profile.md, filled from what was measured."""

from collections.abc import Sequence
from pathlib import Path
from string import Template

from bench import report
from bench.load import WORKLOADS
from bench.profile import cpu, ratios
from bench.profile.floor import FLOOR
from bench.profile.run import NGINX, PARTS
from bench.results import Cost, Profile, Results
from bench.systems import BARE, CEILING, OURS, TITLES
from bench.tables import spread, table

_TEMPLATE = Path(__file__).with_name("profile.md")
_COMPONENTS = (*cpu.PARTS, cpu.REST)
_NGINX_TITLE = "page of a product, through two nginx to the same instances at the same time"
_TITLES = {
    **TITLES,
    f"{OURS}{BARE}": f"{TITLES[OURS]}, behind a bare proxy",
    f"{CEILING}{BARE}": f"{TITLES[CEILING]}, behind a bare proxy",
    FLOOR: "the statement alone, in batches of 50 (pgbench)",
}


def write(profile: Profile, explained: str, document: Path) -> None:
    """Write the document of a profile; `explained` is the plan of the page statement."""
    newest = max(profile.values(), key=lambda part: part.date)
    text = Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        report.facts(newest),
        targets=report.targets_table(ratios.targets(profile)),
        tables="\n\n".join(_table(name, profile[name]) for name in PARTS if name in profile),
        explained=explained,
    )
    document.write_text(text, encoding="utf-8")


def _table(name: str, part: Results) -> str:
    components = ("nginx",) if name == NGINX else _COMPONENTS
    head = ["", "requests/s", *(f"{each}, µs" for each in components), "WAL, bytes"]
    rows = [[_TITLES[system], *_cells(found, components)] for system, found in part.costs.items()]
    title = _NGINX_TITLE if name == NGINX else WORKLOADS[name]
    return f"### {title}\n\n{_measured(name, part)}\n\n{table(head, rows)}"


def _measured(name: str, part: Results) -> str:
    """Return a line that says how and on what a part was measured."""
    data = part.data
    return (
        f"`python -m bench profile --only {name} --products {data['products']} --rounds "
        f"{part.rounds} --seconds {part.seconds}` on {part.date}: {data['rows']:,} rows."
    )


def _cells(costs: Sequence[Cost], components: Sequence[str]) -> list[str]:
    rate = spread((cost.rate for cost in costs), 0)
    log = spread((cost.log_bytes for cost in costs), 0)
    return [rate, *(_micros(costs, component) for component in components), log]


def _micros(costs: Sequence[Cost], component: str) -> str:
    found = [cost.parts[component] for cost in costs if component in cost.parts]
    return spread(found, 0) if found else ""
