"""The console for tests: signing in, and what its pages send."""

import itertools
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx

from atelier.store import tokens
from atelier.store.tokens import Scope
from tests.support.cluster import Cluster

COOKIE = "atelier_console"
_numbers = itertools.count(1)


async def new_token(connection: asyncpg.Connection, scope: Scope, name: str = "") -> str:
    """Return a new token."""
    created = await tokens.create(connection, name or f"visitor {next(_numbers)}", scope)
    assert created
    return created


@dataclass
class Visitor:
    """A browser that is signed in, without the browser."""

    client: httpx.AsyncClient

    async def csrf(self) -> str:
        """Return the token that the pages of the session send along."""
        page = await self.client.get("/console/queue")
        found = re.search(r'<meta name="csrf" content="([0-9a-f]{64})">', page.text)
        assert found
        return found[1]

    async def post(self, path: str, body: object) -> httpx.Response:
        """Send what a script of a page sends."""
        headers = {"X-CSRF-Token": await self.csrf(), "Accept": "application/problem+json"}
        return await self.client.post(path, json=body, headers=headers)

    async def submit(self, path: str, **fields: str) -> httpx.Response:
        """Send a form of a page."""
        return await self.client.post(path, data={"csrf": await self.csrf(), **fields})


@asynccontextmanager
async def visiting(service: Cluster, socket: Path | None = None) -> AsyncIterator[Visitor]:
    """Yield a visitor of the console: through nginx, or of one instance. It is not signed in."""
    transport = httpx.AsyncHTTPTransport(uds=str(socket)) if socket else None
    url = "http://console" if socket else service.base_url
    headers = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "document"}
    async with httpx.AsyncClient(
        base_url=url, transport=transport, headers=headers, timeout=30
    ) as client:
        yield Visitor(client)


async def sign_in(visitor: Visitor, token: str) -> httpx.Response:
    """Send the form of the sign-in."""
    return await visitor.client.post("/console/sign-in", data={"token": token})


@asynccontextmanager
async def signed_in(service: Cluster, token: str) -> AsyncIterator[Visitor]:
    """Yield a visitor who is signed in."""
    async with visiting(service) as visitor:
        response = await sign_in(visitor, token)
        assert response.status_code == 303, response.text
        yield visitor
