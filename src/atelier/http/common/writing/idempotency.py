"""The header `Idempotency-Key`: a write with a key can be retried and is applied once."""

import hashlib
import json
import re
from http import HTTPStatus

import falcon.asgi

from atelier.http.common.errors import ApiError, not_found
from atelier.store.writes import Key, Outcome, Target

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def key(req: falcon.asgi.Request, content: object = None) -> Key | None:
    """Return the key of a write with the digest of the request; None without the header.

    `content` is the parsed body, so that equivalent encodings have the same digest.
    """
    name = req.get_header("Idempotency-Key")
    if name is None:
        return None
    if not _KEY.fullmatch(name):
        raise ApiError(
            HTTPStatus.BAD_REQUEST,
            "Error: invalid Idempotency-Key provided: send 1 to 255 visible ASCII characters",
        )
    request = json.dumps((req.method, req.path, content))
    return Key(name, hashlib.sha256(request.encode()).digest())


def apply_outcome(outcome: Outcome, resp: falcon.asgi.Response, target: Target) -> None:
    """Raise ApiError for a write that was not applied; set headers for replays and duplicates."""
    resp.set_headers(outcome_headers(outcome, target))


def outcome_headers(outcome: Outcome, target: Target) -> dict[str, str]:
    """Return the headers for replays and duplicates; raise ApiError for a write not applied."""
    if outcome is Outcome.NO_TARGET:
        raise not_found(target)
    if outcome is Outcome.CONFLICT:
        raise ApiError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "Error: this Idempotency-Key was used for another request",
        )
    return _HEADERS.get(outcome, {})


_HEADERS = {
    Outcome.REPLAYED: {"Idempotency-Replayed": "true"},
    Outcome.DUPLICATE: {"Vote-Counted": "false"},
}
