"""Votes and reports on the fast path (docs/decisions/0010-fast-path.md)."""

import re
from collections.abc import Mapping
from typing import Any

from atelier.http.common.writing import idempotency
from atelier.http.common.writing.votes import Counters, StartedVote
from atelier.http.pending import Pending, Respond
from atelier.http.request_head import SimpleRequest
from atelier.store.batcher import OverloadedError
from atelier.store.writes import Action, Outcome, Target, Vote

_PATH = re.compile(r"/qa/(question|answer)s/([0-9]{1,18})/(helpful|report)")

_NO_CONTENT = b"HTTP/1.1 204 No Content\r\n"


class PendingVote(Pending):
    """A vote that is being counted."""

    method = "PUT"

    def __init__(self, started: StartedVote, target: Target, route: str, respond: Respond) -> None:
        """Take the vote, what it is for, the route, and what to call."""
        super().__init__(route)
        self._started = started
        self._target: Target = target
        started.result.add_done_callback(lambda _result: respond(self))

    def response(self) -> tuple[bytes, bytes]:
        """See Pending; raises ApiError if there is nothing to vote for."""
        outcome = self._started.result.result()
        head = _NO_CONTENT
        for name, value in idempotency.outcome_headers(outcome, self._target).items():
            head += f"{name.lower()}: {value}\r\n".encode()
        if self._started.set_cookie and outcome is Outcome.DONE:
            head += b"set-cookie: %b\r\n" % self._started.set_cookie
        self.record("204")
        return head, b""


class FastVotes:
    """Starts counting the vote of a simple request."""

    def __init__(self, counters: Counters) -> None:
        """Take the counters of votes and of reports."""
        self._counters = {"helpful": counters.votes, "report": counters.reports}

    def start(
        self, request: SimpleRequest, connection: Mapping[str, Any], respond: Respond
    ) -> PendingVote | None:
        """Start counting the vote of a PUT request; return None if it is not eligible.

        Takes the connection's part of the ASGI scope, and what to call once the vote is counted.
        """
        match = _PATH.fullmatch(request.path)
        if not match:
            return None
        pairs = request.pairs()
        headers = dict(pairs)
        if len(headers) != len(pairs) or not _is_simple(headers, match[3]):
            return None
        target: Target = match[1]  # type: ignore[assignment] # one of the two in the expression
        action: Action = match[3]  # type: ignore[assignment] # likewise
        try:
            started = self._counters[action].start(
                connection, headers, Vote(target, int(match[2]), action)
            )
        except OverloadedError:  # the ASGI path responds with the error
            return None
        route = f"/qa/{target}s/{{target_id}}/{action}"
        return started and PendingVote(started, target, route, respond)


def _is_simple(headers: Mapping[bytes, bytes], action: str) -> bool:
    """Return whether neither a header nor a body means anything."""
    length = headers.get(b"content-length", b"0")
    return b"idempotency-key" not in headers and (length == b"0" or action == "helpful")
