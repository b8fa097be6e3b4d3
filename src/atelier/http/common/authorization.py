"""Bearer tokens (RFC 6750) and their scopes."""

import re
from http import HTTPStatus
from typing import NamedTuple

import falcon.asgi

from atelier.http.common.errors import ApiError
from atelier.store.tokens import Scope, TokenReader, TokenState

_BEARER = re.compile(r"Bearer +([A-Za-z0-9._~+/-]+=*)", re.ASCII | re.IGNORECASE)
_CHALLENGE = 'Bearer realm="atelier"'
_MISSING = (
    "This route needs a token: send it in the header `Authorization: Bearer TOKEN`. "
    "`atelier token create` prints one."
)
_MALFORMED = "The header Authorization must be `Bearer TOKEN`, and be sent once."
_INVALID = {
    TokenState.UNKNOWN: "This token does not exist: send one that `atelier token create` printed.",
    TokenState.EXPIRED: "This token has expired: `atelier token create` prints a new one.",
    TokenState.REVOKED: "This token was revoked: `atelier token create` prints a new one.",
}


class Actor(NamedTuple):
    """Who sends a request: the owner of a valid token."""

    name: str
    """The token's name, which records of decisions keep."""
    scope: Scope
    expires_at: str | None
    """ISO 8601; None means never."""


class Authorizer:
    """Admits requests with a token of sufficient scope."""

    def __init__(self, tokens: TokenReader) -> None:
        """Take the reader of tokens."""
        self._tokens = tokens

    async def require(self, req: falcon.asgi.Request, scope: Scope) -> Actor:
        """Return who sends a request; raise the 401 or 403 unless its token includes the scope.

        Unknown, expired, revoked and valid tokens cost the same: one statement, which compares
        hashes. Without a well-formed token, no connection is used.
        """
        token = await self._tokens.find(_presented(req))
        if token.state is not TokenState.VALID:
            raise _unauthorized(_INVALID[token.state], ', error="invalid_token"')
        if token.scope < scope:
            raise _forbidden(token.scope, scope)
        return Actor(token.name, token.scope, token.expires_at)


def _presented(req: falcon.asgi.Request) -> str:
    header = req.get_header("Authorization")
    if header is None:
        raise _unauthorized(_MISSING)
    match = _BEARER.fullmatch(header)
    if not match:
        raise _unauthorized(_MALFORMED, ', error="invalid_request"')
    return match[1]


def _unauthorized(detail: str, challenge: str = "") -> ApiError:
    return ApiError(
        HTTPStatus.UNAUTHORIZED, detail, {"WWW-Authenticate": f"{_CHALLENGE}{challenge}"}
    )


def _forbidden(given: Scope, required: Scope) -> ApiError:
    sufficient = " or ".join(scope.text for scope in Scope if scope >= required)
    return ApiError(
        HTTPStatus.FORBIDDEN,
        f"This route needs a token with the scope {sufficient}; this token's scope is "
        f"{given.text}.",
        {"WWW-Authenticate": f'{_CHALLENGE}, error="insufficient_scope", scope="{required.text}"'},
    )
