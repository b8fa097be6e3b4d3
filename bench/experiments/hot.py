"""The number of page lookups in PostgreSQL per request for a hot product."""

from bench import systems
from bench.plan import CONNECTIONS
from bench.sql import SQL
from bench.stage import Stage


def measure(stage: Stage) -> None:
    """Load a newly started service with requests for one product.

    PostgreSQL's sessions may delay their statistics for seconds, but not beyond their end, so the
    counter is read before the service starts and after it has stopped.
    """
    stage.log("Lookups of a hot product.")
    for number in range(stage.plan.rounds):
        before = stage.count(SQL["page_lookups"])
        with stage.running(systems.ours(stage.catalogue.dsn, "hot")) as [system]:
            sample = stage.load.saturate(
                system, "hot", stage.plan.seconds, seed=number, connections=CONNECTIONS
            )
        lookups = stage.count(SQL["page_lookups"]) - before
        sample.lookups = lookups / (sample.rate * stage.plan.seconds)
        stage.results.hot.append(sample)
    stage.results.commands["hot lookups"] = stage.load.shown("hot", stage.plan.seconds)
