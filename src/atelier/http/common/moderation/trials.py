"""Trials of moderation rules at the request of a client."""

from typing import Any

from atelier.store.connections.database import Database
from atelier.store.moderation import rule_files, trial

DEFAULT_DAYS, DEFAULT_EXAMPLES = 90, 5

_MAX_SECONDS = 20
_ROWS = 100
_PAUSE = 1
"""A trial leaves the instance at least half of its time to others, as a large page does."""


async def run_trial(
    database: Database, source: str, days: int, examples: int = DEFAULT_EXAMPLES
) -> dict[str, Any]:
    """Return what the rules of a file would have done; raise InvalidRulesError."""
    report = await trial.run(
        database,
        rule_files.parse(source),
        days,
        examples=examples,
        max_seconds=_MAX_SECONDS,
        rows=_ROWS,
        pause=_PAUSE,
    )
    return trial.document(report)
