"""How many instances one machine needs: the cost of a request behind one, two, three and four."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace

from bench import report
from bench.load import WORKLOADS
from bench.plan import Plan
from bench.profile.cost import measure
from bench.results import Cost
from bench.runner import stage_for
from bench.systems import ours, running
from bench.tables import spread, table

_NUMBERS = (1, 2, 3, 4)
_MEASURED = ("uniform", "votes")
_PARTS = ("nginx", "instances", "PostgreSQL")


def compare_instances(plan: Plan, log: Callable[[str], None]) -> str:
    """Load each number of instances in turn; return what was measured, with tables."""
    with stage_for(plan, log) as stage, ExitStack() as stack:
        system = ours(stage.catalogue.dsn)
        systems = [
            stack.enter_context(running(replace(system, name=str(number)), stage.folder, number))
            for number in _NUMBERS
        ]
        tables = [
            f"**{WORKLOADS[name]}**\n\n{_table(measure(stage, name, systems))}"
            for name in _MEASURED
        ]
        facts = report.facts(stage.results)
    head = (
        f"Measured by `python -m bench instances` on {facts['date']}, each for "
        f"{plan.seconds} s in turn, {plan.rounds} times; {facts['machine']}; {facts['data']}."
    )
    return "\n\n".join((head, *tables))


def _table(costs: dict[str, list[Cost]]) -> str:
    head = ["instances", "requests/s", *(f"{part}, µs" for part in _PARTS)]
    return table(head, [_row(number, costs[number]) for number in costs])


def _row(number: str, costs: Sequence[Cost]) -> list[str]:
    parts = [spread([cost.parts[part] for cost in costs], 0) for part in _PARTS]
    return [number, spread([cost.rate for cost in costs], 0), *parts]
