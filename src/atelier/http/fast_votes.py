"""Votes and reports on the fast path (docs/decisions/0010-fast-path.md)."""

import asyncio
import re
from collections.abc import Mapping
from time import perf_counter
from typing import Any, NamedTuple

from atelier.http.common.writing import idempotency
from atelier.http.common.writing.votes import Counters
from atelier.http.ops.metrics import request_seconds
from atelier.store.batcher import OverloadedError
from atelier.store.writes import Action, Outcome, Target, Vote

_PATH = re.compile(r"/qa/(question|answer)s/([0-9]{1,18})/(helpful|report)")
_OTHERS = frozenset({b"idempotency-key", b"transfer-encoding"})
"""The headers that only the ASGI path understands."""
_MAX_LENGTH_DIGITS = 3
"""A longer body, though ignored, would have to be received slowly."""

_NO_CONTENT = b"HTTP/1.1 204 No Content\r\n"


class PendingVote(NamedTuple):
    """A vote that is being counted."""

    result: asyncio.Future[Outcome]
    target: Target
    route: str
    set_cookie: bytes | None
    """The header to send if the vote counts."""
    started_at: float

    def response(self) -> tuple[bytes, bytes]:
        """Return the beginning of the response's head, and its body, once the vote is counted.

        Records the response time. Raises ApiError if there is nothing to vote for.
        """
        outcome = self.result.result()
        head = _NO_CONTENT
        for name, value in idempotency.outcome_headers(outcome, self.target).items():
            head += f"{name.lower()}: {value}\r\n".encode()
        if self.set_cookie and outcome is Outcome.DONE:
            head += b"set-cookie: %b\r\n" % self.set_cookie
        request_seconds("PUT", self.route, 204).observe(perf_counter() - self.started_at)
        return head, b""


class FastVotes:
    """Starts counting the vote of a simple request."""

    def __init__(self, counters: Counters) -> None:
        """Take the counters of votes and of reports."""
        self._counters = {"helpful": counters.votes, "report": counters.reports}

    def start(self, scope: Mapping[str, Any]) -> PendingVote | None:
        """Start counting the vote of a PUT request; return None if it is not eligible."""
        match = _PATH.fullmatch(scope["path"])
        headers = dict(scope["headers"])
        if not match or not _is_simple(scope, headers, match[3]):
            return None
        target: Target = match[1]  # type: ignore[assignment] # one of the two in the expression
        action: Action = match[3]  # type: ignore[assignment] # likewise
        try:
            started = self._counters[action].start(
                scope, headers, Vote(target, int(match[2]), action)
            )
        except OverloadedError:  # the ASGI path responds with the error
            return None
        route = f"/qa/{target}s/{{target_id}}/{action}"
        return started and PendingVote(
            started.result, target, route, started.set_cookie, perf_counter()
        )


def _is_simple(scope: Mapping[str, Any], headers: Mapping[bytes, bytes], action: str) -> bool:
    """Return whether no header is repeated, and neither a header nor a body means anything."""
    length = headers.get(b"content-length", b"0")
    return (
        len(headers) == len(scope["headers"])
        and _OTHERS.isdisjoint(headers)
        and (length == b"0" or (action == "helpful" and len(length) <= _MAX_LENGTH_DIGITS))
    )
