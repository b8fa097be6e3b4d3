"""Sends one request to an endpoint: to a checked address, and without following redirects.

A client library would resolve the name once more when it connects. This one connects to the
addresses that were checked, one request per connection.
"""

import asyncio
import os
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import NamedTuple

import httptools

from atelier.http.webhooks.addresses import PermittedAddresses
from atelier.http.webhooks.urls import InvalidUrlError, Target, parse

_MAX_RESPONSE_BYTES = 16 << 10
_MAX_ADDRESSES = 8
_DRAIN_SECONDS = 1.0
_MARGIN_SECONDS = 0.1
"""Reading a body ends so much earlier than the deadline: the status counts."""
_NOT_HTTP = (httptools.HttpParserError, httptools.HttpParserUpgrade)

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Returns the addresses of a host name, for a port; raises OSError."""


class DeliveryError(Exception):
    """A request failed; the message says why, without anything that the receiver sent."""


class Response(NamedTuple):
    """The status, and the header Retry-After if it has a number of seconds."""

    status: int
    retry_after: int | None


async def resolve(host: str, port: int) -> list[str]:
    """Return the addresses that the system's resolver has for a name."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Client:
    """Sends requests to the addresses that are permitted."""

    def __init__(self, addresses: PermittedAddresses, resolve: Resolve = resolve) -> None:
        """Take the permitted addresses, and the resolver of names."""
        self._addresses = addresses
        self._resolve = resolve
        self._tls: ssl.SSLContext | None = None

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, deadline: float
    ) -> Response:
        """Send a POST and return the response; raise DeliveryError.

        Nothing is sent after the deadline, a time of the event loop.
        """
        try:
            async with asyncio.timeout_at(deadline):
                target = parse(url)
                addresses = await self._permitted_addresses(target)
                return await self._exchange(target, addresses, headers, body, deadline)
        except InvalidUrlError as error:
            raise DeliveryError(f"the URL must {error}") from error
        except TimeoutError as error:
            raise DeliveryError("no response in time") from error
        except ssl.SSLCertVerificationError as error:
            raise DeliveryError(f"the certificate is not valid: {error.verify_message}") from error
        except ssl.SSLError as error:
            raise DeliveryError("the TLS connection failed") from error
        except OSError as error:
            raise DeliveryError(f"the connection failed: {_reason(error)}") from error
        except _NOT_HTTP as error:
            raise DeliveryError("the response is not HTTP/1") from error

    async def _permitted_addresses(self, target: Target) -> Sequence[str]:
        """Resolve a host once; return its addresses if all of them are permitted."""
        addresses = [str(target.address)] if target.address else await self._resolved(target)
        if not self._addresses.are_permitted(addresses, is_secure=True):
            raise DeliveryError("the host has an address that is not public")
        if not self._addresses.are_permitted(addresses, is_secure=target.is_secure):
            raise DeliveryError("only https:// is permitted for public addresses")
        return addresses[:_MAX_ADDRESSES]

    async def _resolved(self, target: Target) -> Sequence[str]:
        try:
            addresses = await self._resolve(target.host, target.port)
        except (OSError, UnicodeError) as error:
            raise DeliveryError("the name of the host cannot be resolved") from error
        if not addresses:
            raise DeliveryError("the host has no address")
        return addresses

    async def _exchange(
        self,
        target: Target,
        addresses: Sequence[str],
        headers: Mapping[str, str],
        body: bytes,
        deadline: float,
    ) -> Response:
        reader, writer = await self._connect(target, addresses)
        try:
            # After a suspended process has woken up, the timeout may not have fired yet.
            if asyncio.get_running_loop().time() >= deadline:
                raise TimeoutError
            writer.write(_request(target, headers, body))
            return await _response(reader, deadline)
        finally:
            writer.transport.abort()

    async def _connect(
        self, target: Target, addresses: Sequence[str]
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        tls = await self._context() if target.is_secure else None
        name = target.host.removesuffix(".") if tls else None
        for number, address in enumerate(addresses, 1):
            try:
                return await asyncio.open_connection(
                    address, target.port, ssl=tls, server_hostname=name, limit=_MAX_RESPONSE_BYTES
                )
            except ssl.SSLError:
                raise
            except OSError:
                if number == len(addresses):
                    raise
        raise AssertionError

    async def _context(self) -> ssl.SSLContext:
        """Return the TLS settings; loading the certificates takes too long for the event loop."""
        if self._tls is None:
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        return self._tls


def _reason(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else "Connection reset by peer"


def _request(target: Target, headers: Mapping[str, str], body: bytes) -> bytes:
    fields = {
        "Host": target.authority,
        "Content-Length": str(len(body)),
        "Connection": "close",
        **headers,
    }
    lines = [f"POST {target.path} HTTP/1.1", *(f"{name}: {fields[name]}" for name in fields)]
    return "\r\n".join([*lines, "", ""]).encode() + body


class _Response:
    """A response as it arrives; its methods without an underscore are callbacks of httptools."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self.status: int | None = None
        self.retry_after: int | None = None
        self.bytes = 0
        self.is_complete = False
        self._reader = reader
        self._parser = httptools.HttpResponseParser(self)

    async def feed(self) -> None:
        """Read some more of it; raise DeliveryError at its end or limit."""
        data = await self._reader.read(_MAX_RESPONSE_BYTES)
        if not data:
            raise DeliveryError("the connection was closed without a response")
        self.bytes += len(data)
        if self.bytes > _MAX_RESPONSE_BYTES:
            raise DeliveryError("the response has too many bytes")
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"retry-after" and value.isdigit():
            self.retry_after = int(value[:9])

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= HTTPStatus.OK:  # not an interim response
            self.status = status

    def on_message_complete(self) -> None:
        self.is_complete = self.status is not None


async def _response(reader: asyncio.StreamReader, deadline: float) -> Response:
    response = _Response(reader)
    while response.status is None:
        await response.feed()
    await _drain(response, deadline)
    return Response(response.status, response.retry_after)


async def _drain(response: _Response, deadline: float) -> None:
    """Read the body for a while: a receiver that is still writing would report a reset."""
    end = min(asyncio.get_running_loop().time() + _DRAIN_SECONDS, deadline - _MARGIN_SECONDS)
    with suppress(OSError, DeliveryError, *_NOT_HTTP):
        async with asyncio.timeout_at(end):
            while not response.is_complete:
                await response.feed()
