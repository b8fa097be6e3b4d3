"""PostgreSQL's part of a page, if nothing but its statement ran."""

import time

from bench import pgbench
from bench.profile import cpu
from bench.profile.cost import postmaster
from bench.results import Cost
from bench.stage import Stage

FLOOR = "pgbench"
"""The name of the floor beside the systems."""
_PAGES = 50
"""Pages of a query: about as many as a busy instance asks for at once."""
_END_SECONDS = 0.5
"""The time of a session counts once PostgreSQL has noticed its end."""


def statement_cost(stage: Stage) -> Cost:
    """Run the page statement in batches in pgbench; return PostgreSQL's cost of a page."""
    root, seconds = postmaster(stage.embedded), stage.plan.seconds
    command = pgbench.command(
        stage.embedded.server.programs,
        pgbench.write_script(stage.load.scratch, _PAGES),
        stage.catalogue,
        seconds,
    )
    before = cpu.tree_seconds(root)
    rate = pgbench.pages_per_second(command, _PAGES, seconds)
    time.sleep(_END_SECONDS)
    used = cpu.tree_seconds(root) - before
    return Cost(rate, {"PostgreSQL": 1e6 * used / max(rate * seconds, 1)})
