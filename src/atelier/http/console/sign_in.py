"""Signing in with a token, and out."""

from http import HTTPStatus

import falcon
import falcon.asgi

from atelier.http.console.pages import Pages, form, send_page
from atelier.http.console.session import (
    ROOT,
    SIGN_IN,
    Guard,
    check_origin,
    set_cookie,
    unset_cookie,
)
from atelier.store.console.sessions import Sessions
from atelier.store.tokens import FoundToken, Scope, TokenReader, TokenState

_MAX_TOKEN_LENGTH = 200
_PROBLEMS = {
    TokenState.UNKNOWN: "token_unknown",
    TokenState.EXPIRED: "token_expired",
    TokenState.REVOKED: "token_revoked",
}
_SMALL_SCOPE = "token_small"


class SignIn:
    """`/console/sign-in`."""

    def __init__(self, pages: Pages, tokens: TokenReader, sessions: Sessions) -> None:
        """Take the pages, the reader of tokens, and the sessions."""
        self._pages = pages
        self._tokens = tokens
        self._sessions = sessions

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send the form; redirect to the console who is signed in."""
        if await self._pages.guard.visitor(req):
            raise falcon.HTTPSeeOther(ROOT)
        send_page(resp, self._pages.words.of(req, resp), "sign_in", problem=None)

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Open a session with the token of the form; or send the form and what is wrong."""
        check_origin(req)
        token = (await form(req)).get("token", "").strip()[:_MAX_TOKEN_LENGTH]
        found = await self._tokens.find(token)
        problem = _problem(found)
        secret = None if problem else await self._sessions.open(token)
        if secret is None:
            is_small = found.state is TokenState.VALID
            resp.status = HTTPStatus.FORBIDDEN if is_small else HTTPStatus.UNAUTHORIZED
            problem = problem or _PROBLEMS[TokenState.REVOKED]
            send_page(resp, self._pages.words.of(req, resp), "sign_in", problem=problem)
            return
        set_cookie(req, resp, secret)
        _redirect(resp, ROOT)


class SignOut:
    """`/console/sign-out`."""

    def __init__(self, guard: Guard, sessions: Sessions) -> None:
        """Take who admits requests, and the sessions."""
        self._guard = guard
        self._sessions = sessions

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """End the session."""
        csrf = (await form(req)).get("csrf", "")
        visitor = await self._guard.admit_change(req, csrf)
        await self._sessions.close(visitor.secret)
        unset_cookie(req, resp)
        _redirect(resp, SIGN_IN)


def _problem(found: FoundToken) -> str | None:
    if found.state is not TokenState.VALID:
        return _PROBLEMS[found.state]
    return _SMALL_SCOPE if found.scope < Scope.MODERATE else None


def _redirect(resp: falcon.asgi.Response, path: str) -> None:
    resp.status = HTTPStatus.SEE_OTHER
    resp.location = path
