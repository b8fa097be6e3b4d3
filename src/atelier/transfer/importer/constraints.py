"""Drops the indexes and constraints of the tables being filled, and recreates them afterwards.

They are read from the catalog, so that a migration that adds one requires no change here.
"""

from dataclasses import dataclass

import asyncpg

from atelier.store.queries import queries

_QUERIES = queries("atelier.transfer.importer")


@dataclass(frozen=True, slots=True)
class Index:
    """An index, and the constraint that it implements, if any."""

    name: str
    table: str
    definition: str
    constraint: str | None
    kind: str | None

    @property
    def is_unique(self) -> bool:
        """Whether duplicates prevent its creation."""
        return self.definition.startswith("CREATE UNIQUE")


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key."""

    table: str
    name: str
    definition: str


@dataclass(frozen=True, slots=True)
class Keys:
    """The indexes and foreign keys that `drop_keys` dropped."""

    indexes: list[Index]
    foreign_keys: list[ForeignKey]


async def drop_keys(connection: asyncpg.Connection) -> Keys:
    """Drop the keys of the tables to be filled; return their definitions."""
    keys = Keys(
        [Index(*row) for row in await connection.fetch(_QUERIES["indexes"])],
        [ForeignKey(*row) for row in await connection.fetch(_QUERIES["foreign_keys"])],
    )
    for foreign_key in keys.foreign_keys:
        await _drop_constraint(connection, foreign_key.table, foreign_key.name)
    for index in keys.indexes:
        if index.constraint:
            await _drop_constraint(connection, index.table, index.constraint)
        else:
            await connection.execute(f"DROP INDEX {index.name}")
    return keys


async def attach_constraint(connection: asyncpg.Connection, index: Index) -> None:
    """Create the constraint that an index implements, if any.

    It locks the table: to be called when no other index of the table is being built.
    """
    if index.constraint:
        await connection.execute(
            f"ALTER TABLE {index.table} ADD CONSTRAINT {index.constraint} {index.kind} "
            f"USING INDEX {index.name}"
        )


async def create_foreign_key(connection: asyncpg.Connection, key: ForeignKey) -> None:
    """Add a foreign key; raise asyncpg.ForeignKeyViolationError if there are orphans."""
    await connection.execute(f"ALTER TABLE {key.table} ADD CONSTRAINT {key.name} {key.definition}")


async def _drop_constraint(connection: asyncpg.Connection, table: str, name: str) -> None:
    await connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
