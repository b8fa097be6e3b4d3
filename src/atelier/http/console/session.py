"""Who uses the console: the session's cookie, and the check that a page of the console sent it."""

import hmac
import re
from datetime import UTC, datetime
from hashlib import sha256
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urlsplit

import falcon
import falcon.asgi

from atelier.http.common.errors import ApiError
from atelier.store.console.sessions import Sessions
from atelier.store.tokens import Scope

COOKIE = "atelier_console"
CSRF_HEADER = "X-CSRF-Token"
ROOT = "/console"
SIGN_IN = f"{ROOT}/sign-in"

_PAST = datetime(1970, 1, 1, tzinfo=UTC)
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_FOREIGN = "this request does not come from a page of the console"
_SIGNED_OUT = "your session is over: sign in again"
_FORBIDDEN = "this page needs a token with the scope operate"


class Visitor(NamedTuple):
    """Who sends a request to the console."""

    name: str
    """The token's name, which records of decisions keep."""
    scope: Scope
    secret: str
    """The value of the cookie."""

    @property
    def csrf(self) -> str:
        """What a page of this session sends along with a change; it does not reveal the cookie."""
        return hmac.digest(self.secret.encode(), b"csrf", sha256).hex()

    @property
    def is_operator(self) -> bool:
        """Whether the token may operate the service."""
        return self.scope >= Scope.OPERATE


class Guard:
    """Admits requests with a session's cookie."""

    def __init__(self, sessions: Sessions) -> None:
        """Take the sessions of all instances."""
        self._sessions = sessions

    async def visitor(self, req: falcon.asgi.Request) -> Visitor | None:
        """Return who sends a request; None without a valid session."""
        for secret in req.get_cookie_values(COOKIE) or ():
            session = await self._sessions.find(secret) if _SECRET.fullmatch(secret) else None
            if session:
                return Visitor(session.name, session.scope, secret)
        return None

    async def admit(self, req: falcon.asgi.Request, scope: Scope = Scope.MODERATE) -> Visitor:
        """Return who reads a page; redirect to the sign-in without a session, 403 if it is small.

        A script gets a 401 instead of the redirect.
        """
        visitor = await self.visitor(req)
        if visitor is None:
            if req.get_header("Sec-Fetch-Dest", default="document") in {"document", "iframe"}:
                raise falcon.HTTPSeeOther(SIGN_IN)
            raise ApiError(HTTPStatus.UNAUTHORIZED, _SIGNED_OUT)
        if visitor.scope < scope:
            raise ApiError(HTTPStatus.FORBIDDEN, _FORBIDDEN)
        return visitor

    async def admit_change(
        self, req: falcon.asgi.Request, csrf: str, scope: Scope = Scope.MODERATE
    ) -> Visitor:
        """Return who changes something, from a page of this session; raise 401 or 403."""
        check_origin(req)
        visitor = await self.admit(req, scope)
        if not hmac.compare_digest(csrf.encode(), visitor.csrf.encode()):
            raise ApiError(HTTPStatus.FORBIDDEN, _FOREIGN)
        return visitor


def check_origin(req: falcon.asgi.Request) -> None:
    """Raise 403 unless a page of this origin sent a request.

    Browsers say so in Sec-Fetch-Site, and older ones in Origin.
    """
    site = req.get_header("Sec-Fetch-Site")
    origin = req.get_header("Origin")
    if site == "same-origin" or (site is None and _is_own(req, origin)):
        return
    raise ApiError(HTTPStatus.FORBIDDEN, _FOREIGN)


def _is_own(req: falcon.asgi.Request, origin: str | None) -> bool:
    return origin is not None and urlsplit(origin).netloc == req.get_header("Host")


def set_cookie(
    req: falcon.asgi.Request, resp: falcon.asgi.Response, secret: str, until: datetime | None = None
) -> None:
    """Give a browser a session; without a time its cookie ends with the browser."""
    resp.set_cookie(
        COOKIE,
        secret,
        expires=until,
        path=ROOT,
        secure=req.get_header("X-Forwarded-Proto", default=req.scheme) == "https",
        http_only=True,
        same_site="Strict",
    )


def unset_cookie(req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
    """Take the session's cookie from a browser."""
    set_cookie(req, resp, "", until=_PAST)
