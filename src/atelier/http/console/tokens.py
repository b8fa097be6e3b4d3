"""The tokens, for operators: a list, a new one that is shown once, revoking."""

from datetime import timedelta
from http import HTTPStatus

import falcon
import falcon.asgi

from atelier.http.common.errors import ApiError
from atelier.http.console.pages import Pages, form
from atelier.http.console.session import Visitor
from atelier.store.console.sessions import Sessions
from atelier.store.tokens import Scope

_LIFETIMES = {"1": 1, "30": 30, "90": 90, "365": 365}
"""Days, by the value of the form; any other value means that the token does not expire."""
_MAX_NAME_LENGTH = 60
_SCOPES = {scope.text: scope for scope in Scope}


class TokensPage:
    """`/console/tokens`."""

    def __init__(self, pages: Pages, sessions: Sessions) -> None:
        """Take the pages and the sessions."""
        self._pages = pages
        self._sessions = sessions

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send the list."""
        visitor = await self._pages.guard.admit(req, Scope.OPERATE)
        await self._send(req, resp, visitor)

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Create a token, and show it; or say what is wrong."""
        fields = await form(req)
        visitor = await self._pages.guard.admit_change(req, fields.get("csrf", ""), Scope.OPERATE)
        name, scope = fields.get("name", ""), _SCOPES.get(fields.get("scope", ""))
        if not _is_name(name) or scope is None:
            problem = ("token_name_rule", _MAX_NAME_LENGTH)
            await self._send(req, resp, visitor, problem=problem, given=name)
            resp.status = HTTPStatus.UNPROCESSABLE_ENTITY
            return
        days = _LIFETIMES.get(fields.get("days", ""))
        lifetime = timedelta(days=days) if days else None
        created = await self._sessions.create_token(visitor.secret, name, scope, lifetime)
        if created is None:
            await self._send(req, resp, visitor, problem=("token_taken", name), given=name)
            resp.status = HTTPStatus.CONFLICT
            return
        await self._send(req, resp, visitor, created=created, created_name=name)

    async def _send(
        self,
        req: falcon.asgi.Request,
        resp: falcon.asgi.Response,
        visitor: Visitor,
        **values: object,
    ) -> None:
        defaults = {"problem": None, "given": "", "created": None, "created_name": None}
        tokens = await self._sessions.tokens(visitor.secret)
        await self._pages.send(
            req,
            resp,
            visitor,
            "tokens",
            tokens=tokens,
            lifetimes=_LIFETIMES,
            **{**defaults, **values},
        )


class RevokeToken:
    """`/console/tokens/revoke`."""

    def __init__(self, pages: Pages, sessions: Sessions) -> None:
        """Take the pages and the sessions."""
        self._pages = pages
        self._sessions = sessions

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Revoke a token, and send the list again."""
        fields = await form(req)
        visitor = await self._pages.guard.admit_change(req, fields.get("csrf", ""), Scope.OPERATE)
        if not await self._sessions.revoke_token(visitor.secret, fields.get("name", "")):
            raise ApiError(HTTPStatus.NOT_FOUND, "there is no valid token of this name")
        resp.status = HTTPStatus.SEE_OTHER
        resp.location = "/console/tokens"


def _is_name(name: str) -> bool:
    return 1 <= len(name) <= _MAX_NAME_LENGTH and name.isprintable() and name == name.strip()
