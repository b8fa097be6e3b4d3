"""The one way in which a request's write is applied: within its limit, once per key."""

from collections.abc import Awaitable, Callable

import falcon.asgi

from atelier.http.common.writing import idempotency
from atelier.http.common.writing.daily_limits import DailyLimit
from atelier.store.limits import UNLIMITED, Quota
from atelier.store.writes import Target, Written

Write = Callable[[Quota], Awaitable[Written]]


async def apply(
    req: falcon.asgi.Request,
    resp: falcon.asgi.Response,
    target: Target,
    write: Write,
    limit: DailyLimit | None = None,
) -> Written:
    """Apply a write with the client's quota, set the headers of its outcome and return it.

    Raises ApiError if the quota is used up, the target does not exist, or the key belongs to
    another request.
    """
    written = await write(await limit.quota(req) if limit else UNLIMITED)
    if limit:
        limit.check(written.outcome)
    idempotency.apply_outcome(written.outcome, resp, target)
    return written
