"""The webhooks, for operators: endpoints, their deliveries, and what can be done with both."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

import falcon
import falcon.asgi

from atelier.http.common import params, webhooks
from atelier.http.common.errors import ApiError
from atelier.http.common.ids import integer
from atelier.http.console.pages import Pages, drop_empty, form, query
from atelier.http.console.session import Visitor
from atelier.http.webhooks import urls
from atelier.http.webhooks.addresses import PermittedAddresses
from atelier.store.tokens import Scope
from atelier.store.webhooks.endpoints import EVENTS, MAX_ENDPOINTS, STATES, Endpoints

_ROOT = "/console/webhooks"


class WebhooksPage:
    """`/console/webhooks`."""

    def __init__(self, pages: Pages, endpoints: Endpoints, addresses: PermittedAddresses) -> None:
        """Take the pages, the endpoints, and the permitted addresses."""
        self._pages = pages
        self._endpoints = endpoints
        self._addresses = addresses

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send the list."""
        visitor = await self._pages.guard.admit(req, Scope.OPERATE)
        await self._send(req, resp, visitor)

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Add an endpoint for all events, and show its secret; or say what is wrong."""
        fields = await form(req)
        visitor = await self._pages.guard.admit_change(req, fields.get("csrf", ""), Scope.OPERATE)
        url = fields.get("url", "").strip()
        try:
            self._addresses.check(urls.parse(url))
        except urls.InvalidUrlError as error:
            resp.status = HTTPStatus.UNPROCESSABLE_ENTITY
            await self._send(req, resp, visitor, given=url, problem=("url_rule", str(error)))
            return
        added = await self._endpoints.add(url, EVENTS, visitor.name)
        if added is None:
            resp.status = HTTPStatus.CONFLICT
            problem = ("webhooks_full", MAX_ENDPOINTS)
            await self._send(req, resp, visitor, given=url, problem=problem)
            return
        await self._send(req, resp, visitor, secret=added.secret)

    async def _send(
        self,
        req: falcon.asgi.Request,
        resp: falcon.asgi.Response,
        visitor: Visitor,
        **values: object,
    ) -> None:
        defaults = {"given": "", "problem": None, "secret": None}
        endpoints = await self._endpoints.all()
        await self._pages.send(
            req, resp, visitor, "webhooks", endpoints=endpoints, **{**defaults, **values}
        )


class WebhookPage:
    """`/console/webhooks/{webhook_id}`: one endpoint, and the log of its deliveries."""

    def __init__(self, pages: Pages, endpoints: Endpoints) -> None:
        """Take the pages and the endpoints."""
        self._pages = pages
        self._endpoints = endpoints
        self._actions: Mapping[str, Callable[[int, Mapping[str, str]], Awaitable[object]]] = {
            "pause": lambda endpoint, _: endpoints.pause(endpoint),
            "resume": lambda endpoint, _: endpoints.resume(endpoint),
            "test": lambda endpoint, _: endpoints.test(endpoint),
            "remove": lambda endpoint, _: endpoints.remove(endpoint),
            "replay": self._replay,
        }

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, webhook_id: str
    ) -> None:
        """Send a page of the log, the latest first."""
        visitor = await self._pages.guard.admit(req, Scope.OPERATE)
        drop_empty(req)
        endpoint = await webhooks.endpoint(self._endpoints, webhook_id)
        state = params.one_of(req, "state", *STATES)
        below, limit = params.identifier(req, "after"), params.limit(req)
        page = await self._endpoints.deliveries(
            endpoint["id"], state=state, below=below, limit=limit
        )
        await self._pages.send(
            req,
            resp,
            visitor,
            "webhook",
            endpoint=endpoint,
            deliveries=page.deliveries,
            state=state,
            states=STATES,
            next=page.next and query(state=state, after=page.next),
        )

    async def on_post(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, webhook_id: str
    ) -> None:
        """Do what the form's button says, and send the log again."""
        fields = await form(req)
        await self._pages.guard.admit_change(req, fields.get("csrf", ""), Scope.OPERATE)
        endpoint = (await webhooks.endpoint(self._endpoints, webhook_id))["id"]
        action = self._actions.get(fields.get("action", ""))
        if action is None:
            raise ApiError(
                HTTPStatus.BAD_REQUEST, f"an action is one of {', '.join(self._actions)}"
            )
        if not await action(endpoint, fields):
            raise ApiError(HTTPStatus.CONFLICT, "that is not possible in its present state")
        resp.status = HTTPStatus.SEE_OTHER
        resp.location = _ROOT if fields["action"] == "remove" else f"{_ROOT}/{endpoint}"

    async def _replay(self, endpoint: int, fields: Mapping[str, str]) -> int | None:
        delivery = integer(fields.get("delivery", ""))
        return None if delivery is None else await self._endpoints.replay(endpoint, delivery)
