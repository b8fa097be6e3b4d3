"""The results of decisions, and the audit trail, as JSON."""

import json
from collections.abc import AsyncGenerator
from http import HTTPStatus
from typing import Any

from atelier.http.common.errors import ApiError
from atelier.store.moderation.decisions import Outcome, Result

JSON_LINES = "application/jsonl"
NO_TARGET = "there is no such question or answer: it may have been deleted"
CONFLICTS = {
    Outcome.CONFLICT: "another decision was made since: see `decision`, and read the item again",
    Outcome.CHANGED: "the text was changed since: read the item again",
    Outcome.ERASED: "the old text was erased with its author's personal data",
}


def no_decision() -> ApiError:
    """Return the error for a decision that does not exist."""
    return ApiError(
        HTTPStatus.NOT_FOUND, "there is no such decision, or the post that it was about is deleted"
    )


def member(result: Result) -> dict[str, Any]:
    """Return the result of one of several decisions, with its own status."""
    if result.outcome is Outcome.DONE:
        return {"status": HTTPStatus.CREATED, "decision": result.decision}
    if result.outcome is Outcome.NO_TARGET:
        return {"status": HTTPStatus.NOT_FOUND, "detail": NO_TARGET}
    detail = CONFLICTS[result.outcome]
    return {"status": HTTPStatus.CONFLICT, "detail": detail, "decision": result.decision}


async def lines(decisions: AsyncGenerator[dict[str, Any], None]) -> AsyncGenerator[bytes, None]:
    """Yield decisions as JSON Lines."""
    async for decision in decisions:
        yield json.dumps(decision, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
