"""Webhooks: endpoints are added, paused, resumed, tested and removed; deliveries are replayed."""

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import falcon
import falcon.asgi

from atelier.http.common import json_fields, params, webhooks
from atelier.http.common.authorization import Authorizer
from atelier.http.common.errors import ApiError
from atelier.http.common.ids import integer
from atelier.http.webhooks import urls
from atelier.http.webhooks.addresses import PermittedAddresses
from atelier.store.tokens import Scope
from atelier.store.webhooks.endpoints import EVENTS, MAX_ENDPOINTS, STATES, Endpoints

OLD_SECRET_HOURS = 24
"""How long messages are signed with the old secret, too, unless the request says otherwise."""
_MAX_HOURS = 7 * 24


class WebhooksRoute:
    """`/admin/v1/webhooks`."""

    def __init__(
        self, authorizer: Authorizer, endpoints: Endpoints, addresses: PermittedAddresses
    ) -> None:
        """Take the authorizer of requests, the endpoints, and the permitted addresses."""
        self._authorizer = authorizer
        self._endpoints = endpoints
        self._addresses = addresses

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send all endpoints, without their secrets."""
        await self._authorizer.require(req, Scope.OPERATE)
        resp.media = {"results": await self._endpoints.all()}

    on_head = on_get

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Add an endpoint, and send its secret, which cannot be read again."""
        actor = await self._authorizer.require(req, Scope.OPERATE)
        fields = await json_fields.read(req)
        url, events = self._url(fields.get("url")), _events(fields)
        added = await self._endpoints.add(url, events, actor.name)
        if added is None:
            raise ApiError(HTTPStatus.CONFLICT, f"there are {MAX_ENDPOINTS} webhooks already")
        resp.status = falcon.HTTP_CREATED
        resp.location = f"/admin/v1/webhooks/{added.id}"
        resp.media = {**(await self._endpoints.get(added.id) or {}), "secret": added.secret}

    def _url(self, value: object) -> str:
        if not isinstance(value, str):
            raise json_fields.invalid("url", "must be a URL such as https://shop.example/hook")
        try:
            self._addresses.check(urls.parse(value))
        except urls.InvalidUrlError as error:
            raise json_fields.invalid("url", f"must {error}") from error
        return value


class _OneWebhook:
    """What the routes of one endpoint have in common."""

    def __init__(self, authorizer: Authorizer, endpoints: Endpoints) -> None:
        """Take the authorizer of requests, and the endpoints."""
        self._authorizer = authorizer
        self._endpoints = endpoints

    async def _found(self, webhook_id: str) -> dict[str, Any]:
        return await webhooks.endpoint(self._endpoints, webhook_id)


class WebhookRoute(_OneWebhook):
    """`/admin/v1/webhooks/{webhook_id}`."""

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, webhook_id: str
    ) -> None:
        """Send an endpoint, without its secret."""
        await self._authorizer.require(req, Scope.OPERATE)
        resp.media = await self._found(webhook_id)

    on_head = on_get

    async def on_delete(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, webhook_id: str
    ) -> None:
        """Remove an endpoint and the log of its deliveries."""
        await self._authorizer.require(req, Scope.OPERATE)
        await self._endpoints.remove((await self._found(webhook_id))["id"])
        resp.status = falcon.HTTP_NO_CONTENT


class PauseRoute(_OneWebhook):
    """`/admin/v1/webhooks/{webhook_id}/pause`."""

    async def on_post(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, webhook_id: str
    ) -> None:
        """Send nothing to an endpoint until it is resumed."""
        await self._authorizer.require(req, Scope.OPERATE)
        await self._endpoints.pause((await self._found(webhook_id))["id"])
        resp.media = await self._found(webhook_id)


class ResumeRoute(_OneWebhook):
    """`/admin/v1/webhooks/{webhook_id}/resume`."""

    async def on_post(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, webhook_id: str
    ) -> None:
        """Send what has happened since an endpoint was paused, and what is pending at once."""
        await self._authorizer.require(req, Scope.OPERATE)
        await self._endpoints.resume((await self._found(webhook_id))["id"])
        resp.media = await self._found(webhook_id)


class TestRoute(_OneWebhook):
    """`/admin/v1/webhooks/{webhook_id}/test`."""

    async def on_post(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, webhook_id: str
    ) -> None:
        """Plan an event `test`; the log then has its result."""
        await self._authorizer.require(req, Scope.OPERATE)
        endpoint = (await self._found(webhook_id))["id"]
        planned = await self._endpoints.test(endpoint)
        if planned is None:
            raise ApiError(HTTPStatus.CONFLICT, "the webhook is not active: resume it first")
        resp.status = falcon.HTTP_ACCEPTED
        resp.media = await self._endpoints.delivery(endpoint, planned)


class SecretRoute(_OneWebhook):
    """`/admin/v1/webhooks/{webhook_id}/secret`."""

    async def on_post(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, webhook_id: str
    ) -> None:
        """Send a new secret; the old one stays valid for a time."""
        await self._authorizer.require(req, Scope.OPERATE)
        endpoint = (await self._found(webhook_id))["id"]
        keep = _hours((await json_fields.read(req)).get("keep_old_hours", OLD_SECRET_HOURS))
        resp.media = {"secret": await self._endpoints.rotate_secret(endpoint, keep)}


class DeliveriesRoute(_OneWebhook):
    """`/admin/v1/webhooks/{webhook_id}/deliveries`."""

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, webhook_id: str
    ) -> None:
        """Send a page of the log, the latest first."""
        await self._authorizer.require(req, Scope.OPERATE)
        state = params.one_of(req, "state", *STATES)
        after, limit = params.identifier(req, "after"), params.limit(req)
        endpoint = (await self._found(webhook_id))["id"]
        page = await self._endpoints.deliveries(endpoint, state=state, below=after, limit=limit)
        resp.media = {"results": page.deliveries, "next": page.next}

    on_head = on_get


class ReplayRoute(_OneWebhook):
    """`/admin/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay`."""

    async def on_post(
        self,
        req: falcon.asgi.Request,
        resp: falcon.asgi.Response,
        webhook_id: str,
        delivery_id: str,
    ) -> None:
        """Plan a delivery that was finished once more, after what is pending of its question."""
        await self._authorizer.require(req, Scope.OPERATE)
        endpoint, number = (await self._found(webhook_id))["id"], integer(delivery_id)
        if number is None or await self._endpoints.delivery(endpoint, number) is None:
            raise ApiError(HTTPStatus.NOT_FOUND, "there is no delivery with this id in the log")
        planned = await self._endpoints.replay(endpoint, number)
        if planned is None:
            raise ApiError(HTTPStatus.CONFLICT, "this event is pending already")
        resp.status = falcon.HTTP_ACCEPTED
        resp.media = await self._endpoints.delivery(endpoint, planned)


def _events(fields: Mapping[str, object]) -> list[str]:
    """Return the kinds of events in a request; all of them if it has no field for them."""
    given = fields.get("events", list(EVENTS))
    if not isinstance(given, list) or not given or not all(each in EVENTS for each in given):
        raise json_fields.invalid("events", f"must be a list of some of {', '.join(EVENTS)}")
    return [event for event in EVENTS if event in given]


def _hours(value: object) -> timedelta:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if not (is_number and isinstance(value, int) and 0 <= value <= _MAX_HOURS):
        raise json_fields.invalid(
            "keep_old_hours", f"must be a whole number from 0 to {_MAX_HOURS}"
        )
    return timedelta(hours=value)
