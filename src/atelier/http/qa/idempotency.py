"""The header `Idempotency-Key`: a write that carries one may be sent again and is done once."""

import hashlib
import json
import re
from http import HTTPStatus

import falcon.asgi

from atelier.http.common.errors import ApiError, not_found
from atelier.store.writes import Key, Outcome, Target

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def key(req: falcon.asgi.Request, content: object = None) -> Key | None:
    """Return the key of a write, with the digest of what it asks for; None without the header.

    `content` is what was read from the body, so that the same thing put differently is the same.
    """
    name = req.get_header("Idempotency-Key")
    if name is None:
        return None
    if not _KEY.fullmatch(name):
        raise ApiError(
            HTTPStatus.BAD_REQUEST,
            "Error: invalid Idempotency-Key provided: send 1 to 255 visible ASCII characters",
        )
    asked = json.dumps((req.method, req.path, content))
    return Key(name, hashlib.sha256(asked.encode()).digest())


def apply_outcome(outcome: Outcome, resp: falcon.asgi.Response, target: Target) -> None:
    """Refuse what was not done; mark what had been done before, or was not counted."""
    if outcome is Outcome.NO_TARGET:
        raise not_found(target)
    if outcome is Outcome.CONFLICT:
        raise ApiError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "Error: this Idempotency-Key was used for another request",
        )
    if outcome is Outcome.REPLAYED:
        resp.set_header("Idempotency-Replayed", "true")
    if outcome is Outcome.REPEATED:
        resp.set_header("Vote-Counted", "false")
