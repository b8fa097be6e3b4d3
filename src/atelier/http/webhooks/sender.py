"""Sends what is due, in every instance; deliveries are leased, so that no two send the same one."""

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta

from atelier import __version__, metrics
from atelier.errors import describe_error
from atelier.http.common.logs import log
from atelier.http.webhooks.client import Client, DeliveryError
from atelier.store.connections.database import DatabaseUnavailableError
from atelier.store.webhooks.deliveries import Claim, Deliveries, Outcome, Result

LEASE_FACTOR = 2
"""The lease of a delivery as a multiple of the time that a receiver has to answer."""

_POLL_SECONDS = 1.0
_IDLE_FACTOR = 3
"""Without an active endpoint, polls are so many times further apart."""
_MAX_POLL_SECONDS = 30.0
_WORKERS_PER_ENDPOINT = 4
_SENDS_PER_SECOND = 50
"""Of one instance, so that a large backlog leaves its processor to shoppers."""
_FIRST_RETRY_SECONDS = 5.0
_MAX_RETRY_SECONDS = 6 * 3600.0
_RETRY_FACTOR = 3.0
_JITTER = 0.2
_MAX_RETRY_AFTER_SECONDS = 24 * 3600
_RECORD_ATTEMPTS = 3
_STOP_SECONDS = 3.0


class Sender:
    """Sends events to all endpoints, each with its own workers: a slow one delays no other."""

    def __init__(
        self,
        deliveries: Deliveries,
        client: Client,
        timeout: float,
        poll_seconds: float = _POLL_SECONDS,
    ) -> None:
        """Take the deliveries, the client, and the seconds that a receiver has to answer."""
        self._deliveries = deliveries
        self._client = client
        self._timeout = timeout
        self._lease = timedelta(seconds=LEASE_FACTOR * timeout)
        self._poll_seconds = poll_seconds
        self._next_send = 0.0
        self._workers: dict[int, set[asyncio.Task[None]]] = {}
        self._shown: set[str] = set()
        self._loop: asyncio.Task[None] | None = None
        self._is_stopped = False

    async def open(self) -> None:
        """Start sending."""
        self._loop = asyncio.create_task(self._run())

    def stop(self) -> None:
        """Take no further deliveries: the instance stops."""
        self._is_stopped = True

    async def close(self) -> None:
        """Stop; let the requests under way end for a few seconds.

        What is cancelled is sent again when its lease has ended.
        """
        self.stop()
        if self._loop:
            self._loop.cancel()
        workers = [worker for workers in self._workers.values() for worker in workers]
        if workers:
            await asyncio.wait(workers, timeout=_STOP_SECONDS)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    async def _run(self) -> None:
        pause = self._poll_seconds
        while not self._is_stopped:
            try:
                is_active = await self._poll()
                pause = self._poll_seconds * (1 if is_active else _IDLE_FACTOR)
            except DatabaseUnavailableError as error:
                if pause < _MAX_POLL_SECONDS:
                    log.warning("no events are sent: %s", describe_error(error.__cause__ or error))
                pause = _MAX_POLL_SECONDS
            await asyncio.sleep(pause)

    async def _poll(self) -> bool:
        """Start workers for what is due; return whether an endpoint is active."""
        is_active = await self._deliveries.plan()
        backlog = await self._deliveries.backlog() if is_active else []
        self._show({str(each.endpoint): each.age for each in backlog})
        for each in backlog:
            if each.is_due and not self._workers.get(each.endpoint):
                self._start(each.endpoint)
        return is_active

    def _show(self, ages: dict[str, float]) -> None:
        for gone in self._shown - ages.keys():
            metrics.WEBHOOK_BACKLOG_SECONDS.remove(gone)
        for endpoint, age in ages.items():
            metrics.WEBHOOK_BACKLOG_SECONDS.labels(endpoint).set(age)
        self._shown = {*ages}

    def _start(self, endpoint: int) -> None:
        workers = self._workers[endpoint] = {
            asyncio.create_task(self._work(endpoint)) for _ in range(_WORKERS_PER_ENDPOINT)
        }
        for worker in workers:
            worker.add_done_callback(workers.discard)

    async def _work(self, endpoint: int) -> None:
        """Send deliveries of an endpoint one after the other, until none is due."""
        try:
            while not self._is_stopped:
                await self._pace()
                started = asyncio.get_running_loop().time()
                claim = await self._deliveries.claim(endpoint, self._lease)
                if claim is None:
                    return
                await self._deliver(claim, started)
        except DatabaseUnavailableError:
            return  # the next poll reports it

    async def _pace(self) -> None:
        """Wait for this instance's next turn to send."""
        now = asyncio.get_running_loop().time()
        self._next_send = max(now, self._next_send + 1 / _SENDS_PER_SECOND)
        await asyncio.sleep(self._next_send - now)

    async def _deliver(self, claim: Claim, started: float) -> None:
        result, retry_after = await self._attempt(claim, started)
        delay = retry_delay(claim.attempt, retry_after)
        state = await self._record(claim, result, timedelta(seconds=delay))
        metrics.WEBHOOK_DELIVERIES.labels(state or "lost").inc()

    async def _attempt(self, claim: Claim, started: float) -> tuple[Result, int | None]:
        loop = asyncio.get_running_loop()
        try:
            response = await self._client.post(
                claim.url, _headers(claim), claim.body.encode(), started + self._timeout
            )
        except DeliveryError as error:
            seconds = loop.time() - started
            return Result(Outcome.FAILED, None, str(error), seconds), None
        outcome = _outcome(response.status)
        error_text = None if outcome is Outcome.DELIVERED else _explanation(response.status)
        result = Result(outcome, response.status, error_text, loop.time() - started)
        return result, response.retry_after

    async def _record(self, claim: Claim, result: Result, retry_in: timedelta) -> str | None:
        """Record a result; try again if the database is away, because the event would be resent."""
        for _ in range(_RECORD_ATTEMPTS - 1):
            try:
                return await self._deliveries.finish(claim, result, retry_in)
            except DatabaseUnavailableError:
                await asyncio.sleep(self._poll_seconds)
        return await self._deliveries.finish(claim, result, retry_in)


def retry_delay(
    attempt: int, retry_after: int | None, draw: Callable[[], float] = random.random
) -> float:
    """Return the seconds until the next attempt, given the attempts made so far.

    The receiver's Retry-After is kept to if it is longer, up to a day.
    """
    delay = _FIRST_RETRY_SECONDS * _RETRY_FACTOR ** min(attempt - 1, 20)
    jitter = 1 + _JITTER * (2 * draw() - 1)
    asked = min(retry_after or 0, _MAX_RETRY_AFTER_SECONDS)
    return max(min(delay, _MAX_RETRY_SECONDS) * jitter, asked)


def _headers(claim: Claim) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": f"atelier/{__version__}",
        "webhook-id": claim.message_id,
        "webhook-timestamp": str(claim.sent_at),
        "webhook-signature": claim.signatures,
    }


def _outcome(status: int) -> Outcome:
    if status // 100 == 2:  # noqa: PLR2004 - the class of successes
        return Outcome.DELIVERED
    return Outcome.GONE if status == 410 else Outcome.FAILED  # noqa: PLR2004 - Gone


def _explanation(status: int) -> str:
    if status // 100 == 3:  # noqa: PLR2004 - the class of redirects
        return "redirects are not followed"
    return "the endpoint is gone, and disabled" if status == 410 else "not a status 2xx"  # noqa: PLR2004 - Gone
