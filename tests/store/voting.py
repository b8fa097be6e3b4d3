"""Votes and reports as the service's statement counts them."""

import asyncpg

_COUNT = "SELECT * FROM count_votes($1, $2, $3, $4, $5, $6, '1 day')"


async def vote(
    connection: asyncpg.Connection,
    *targets: tuple[str, int],
    action: str = "helpful",
    times: int = 1,
) -> set[int]:
    """Count votes without keys in one call; return the positions of those that counted."""
    number = len(targets)
    kinds, ids = map(list, zip(*targets, strict=True))
    nothing = [None] * number
    rows = await connection.fetch(
        *(_COUNT, kinds, ids, [action] * number, [times] * number, nothing, nothing)
    )
    return {row[0] for row in rows}
