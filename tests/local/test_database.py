"""Database URLs are validated, and never shown with their password."""

import asyncpg
import pytest

from atelier.errors import AtelierError
from atelier.local.postgres import database as module
from atelier.local.postgres.connection_errors import describe
from atelier.local.postgres.database import checked_url
from atelier.settings import Settings


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://localhost/qa",
        "postgres://shop:s%23cret@db.example.com:5432/qa?sslmode=require",
        "postgresql://shop@one:5432,two:5433/qa?target_session_attrs=primary",
        "postgresql://shop@[::1]:5432/qa",
        "postgresql://shop@one:1,[::1]:2,two/qa",
        "postgresql:///qa?host=/run/postgresql",
    ],
)
def test_valid_url_is_returned_unchanged(url: str) -> None:
    assert checked_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "localhost",
        "http://localhost/qa",
        "postgresql://shop:12#cret@localhost/qa",
        "postgresql://shop:12/cret@localhost/qa",
        "postgresql://shop:12?cret@localhost/qa",
        "postgresql://shop:s@cret@localhost/qa",
        "postgresql://shop:cret@localhost:port/qa",
        "postgresql://shop:cret@localhost:99999/qa",
        "postgresql://shop:cret@one,[::1]:0/qa",
        "postgresql://shop:cret@localhost/qa?port=99999",
        "postgresql://shop:cret@/qa?host=one,two&port=5432,port",
        "postgresql://shop:cret@[::1/qa",
        "postgresql://shop:cret@one,,two/qa",
        "postgresql://shop@one/qa?cret",
        "postgresql://shop:12\n3cret@one/qa",
    ],
)
def test_malformed_url_is_rejected_without_showing_the_password(url: str) -> None:
    with pytest.raises(AtelierError) as refused:
        checked_url(url)
    assert "cret" not in str(refused.value)
    assert "12" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://shop:secret@db:5432/qa", "the database qa at db:5432"),
        ("postgresql://shop:secret@one,two/qa", "the database qa at one,two"),
        ("postgresql://shop@/qa?host=/run/pg", "the database qa at /run/pg"),
    ],
)
def test_database_is_described_by_name_and_hosts(url: str, shown: str) -> None:
    assert describe(url) == shown


def test_lost_connection_is_reported_in_one_line(database: str) -> None:
    with (
        pytest.raises(AtelierError, match=r"^The connection to the database .* was lost: .*$"),
        module.database(Settings(database_url=database)),
    ):
        raise asyncpg.ConnectionDoesNotExistError("connection was closed")
