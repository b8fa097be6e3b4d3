"""A moderator on a test database, as the service's role."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from atelier.local.postgres import roles
from atelier.store.connections.database import Database, connect
from atelier.store.moderation.decisions import Action, Decision, Decisions, Filter, Result
from atelier.store.moderation.queue import NewestPosition, Position, Queue, State
from tests.support.cluster import as_role
from tests.support.data import Data


@dataclass
class Moderator:
    """Makes decisions; `connection` is the owner's."""

    connection: asyncpg.Connection
    decisions: Decisions
    lists: Queue

    @property
    def data(self) -> Data:
        return Data(self.connection)

    async def decide(  # noqa: PLR0913 - the fields of a decision
        self,
        action: str,
        target: str,
        number: int,
        *,
        version: str | None = None,
        text: str | None = None,
        actor: str = "anna",
    ) -> Result:
        """Make one decision."""
        decision = Decision(target, number, Action(action), version, "spam", "a note", text)
        [result] = await self.decisions.decide(actor, [decision])
        return result

    async def undo(self, decision_id: int) -> Result:
        return await self.decisions.undo("ben", decision_id, "mistake", None)

    async def queue(self, state: str = "reported", **filters: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - the filters of Queue.page
        page = await self.lists.page(State(state), after=Position(), limit=100, **filters)
        return page.items

    async def item(self, target: str, number: int) -> dict[str, Any]:
        """Return a post as the list of the newest posts shows it."""
        page = await self.lists.newest(after=NewestPosition(), limit=1000)
        [item] = [each for each in page.items if (each["target"], each["id"]) == (target, number)]
        return item

    async def trail(self, **filters: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - the fields of Filter
        return await self.decisions.page(Filter(**filters), limit=1000)

    async def report(
        self, target: str, number: int, reporter: str, reason: str | None = None, *, hide: int = 1
    ) -> None:
        """Report a post; it is hidden from `hide` reporters on."""
        person = reporter.encode().ljust(16)
        await self.connection.execute(
            "SELECT * FROM count_votes_once("
            "ARRAY[$1], ARRAY[$2::bigint], '{report}', '{NULL}', '{NULL}',"
            " ARRAY[$3], ARRAY[$4::bytea], ARRAY[$4::bytea], $5, false, '1 day')",
            target,
            number,
            reason,
            person,
            hide,
        )

    async def is_hidden(self, target: str, number: int) -> bool:
        query = f"SELECT reported FROM {target}s WHERE id = $1"  # noqa: S608 - fixed names
        return bool(await self.connection.fetchval(query, number))


@asynccontextmanager
async def moderator(database: str) -> AsyncIterator[Moderator]:
    """Yield a moderator of a database."""
    await roles.ensure(database)
    connection = await connect(database)
    pool = Database(as_role(database, roles.SERVICE_ROLE), size=4, timeout=30)
    yield Moderator(connection, Decisions(pool), Queue(pool))
    await pool.close()
    await connection.close()
