"""Page reads on a catalogue of which memory holds only a quarter, beside Express + pg."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import report
from bench.database_memory import limit
from bench.plan import CONNECTIONS, Plan
from bench.processes import process_tree
from bench.profile.cost import cost, postmaster
from bench.results import Cost
from bench.runner import stage_for
from bench.stage import Stage, rotated
from bench.systems import EXPRESS, OURS, TITLES, Running, express, ours
from bench.tables import spread, table
from bench.targets import Spread, Target

_FRACTION = 4
_PAGE = "uniform"
_MEGABYTE = 1 << 20
_SIZE = """
    SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class
    WHERE relnamespace = 'peer'::regnamespace AND relkind = 'r'
"""


def compare_larger(plan: Plan, log: Callable[[str], None]) -> str:
    """Measure both systems in turn; return what was measured, with a table.

    Memory is a quarter of the plain tables and their indexes, all of it PostgreSQL's: the files
    are read past the kernel's page cache. Each system first fills it with its own pages.
    """
    with stage_for(plan, log) as stage:
        size = stage.count(_SIZE)
    with stage_for(plan, log, partial(limit, size=size // _FRACTION)) as stage:
        dsn = stage.catalogue.dsn
        with stage.running(ours(dsn), express(dsn)) as running:
            found = _measure(stage, running)
        facts = report.facts(stage.results)
    return (
        f"Measured by `python -m bench larger-than-memory` on {facts['date']}, each for "
        f"{plan.seconds} s in turn, {plan.rounds} times; {facts['data']}. The plain tables have "
        f"{size // _MEGABYTE:,} MB with their indexes; `shared_buffers` is a quarter of that, and "
        f"`debug_io_direct = data` bypasses the page cache.\n\n{_table(found)}"
    )


@dataclass(frozen=True, slots=True)
class _Round:
    cost: Cost
    read: float
    """Bytes read from the disk per request."""


def _measure(stage: Stage, running: Sequence[Running]) -> dict[str, list[_Round]]:
    found: dict[str, list[_Round]] = {system.name: [] for system in running}
    for number in range(stage.plan.rounds):
        stage.log(f"Round {number + 1} of {stage.plan.rounds}.")
        for system in rotated(running, number):
            stage.load.saturate(
                system, _PAGE, stage.plan.seconds, seed=50 + number, connections=CONNECTIONS
            )
            found[system.name].append(_round(stage, system, number))
    return found


def _round(stage: Stage, system: Running, number: int) -> _Round:
    before = _read_bytes(postmaster(stage.embedded))
    measured = cost(stage, system, _PAGE, number)
    read = _read_bytes(postmaster(stage.embedded)) - before
    return _Round(measured, read / max(measured.rate * stage.plan.seconds, 1))


def _read_bytes(pid: int) -> int:
    """Return the bytes that a process and its descendants have read from the disk."""
    return sum(map(_read_bytes_of, process_tree(pid)))


def _read_bytes_of(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/io").read_text().split()
    except OSError:
        return 0
    return int(fields[fields.index("read_bytes:") + 1])


def _table(found: Mapping[str, list[_Round]]) -> str:
    ratio = Spread.of(
        [
            one.cost.rate / other.cost.rate
            for one, other in zip(found[OURS], found[EXPRESS], strict=True)
        ]
    )
    target = Target("page reads, ours ÷ Express + pg, memory a quarter of the data", "≥", 3, ratio)
    head = ["", "requests/s", "instances, µs", "PostgreSQL, µs", "read from disk, bytes", "errors"]
    rows = [[TITLES[name], *_cells(rounds)] for name, rounds in found.items()]
    return f"{report.targets_table([target])}\n\n{table(head, rows)}"


def _cells(rounds: Sequence[_Round]) -> list[str]:
    return [
        spread((each.cost.rate for each in rounds), 0),
        *(
            spread((each.cost.parts[part] for each in rounds), 0)
            for part in ("instances", "PostgreSQL")
        ),
        spread((each.read for each in rounds), 0),
        str(sum(each.cost.errors for each in rounds)),
    ]
