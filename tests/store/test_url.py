"""A PostgreSQL URL is parsed the same on every Python, whatever hosts it names."""

import asyncpg
import pytest

from atelier.store.connections.url import DatabaseUrl

_IPV6 = "postgresql://u@{}/db"


@pytest.mark.parametrize(
    ("url", "singles"),
    [
        ("postgresql://u:p@a/db", ["postgresql://u:p@a/db"]),
        ("postgres://a", ["postgres://a"]),
        ("POSTGRESQL://a/db", ["postgresql://a/db"]),
        ("postgresql:///db", ["postgresql:///db"]),
        ("postgresql://", ["postgresql://"]),
        ("postgresql://u@/db?host=/run/a", ["postgresql://u@/db?host=/run/a"]),
        ("postgresql://%2Frun%2Fa/db", ["postgresql://%2Frun%2Fa/db"]),
        ("postgresql://a/db?port=7", ["postgresql://a:7/db"]),
        (
            "postgresql://u:p%40@a:1,[::1]:2,c/db?sslmode=require",
            [
                "postgresql://u:p%40@a:1/db?sslmode=require",
                "postgresql://u:p%40@[::1]:2/db?sslmode=require",
                "postgresql://u:p%40@c/db?sslmode=require",
            ],
        ),
        (_IPV6.format("[::1]"), [_IPV6.format("[::1]")]),
        (_IPV6.format("[::1]:2,a"), [_IPV6.format("[::1]:2"), _IPV6.format("a")]),
        (_IPV6.format("a,[::1]"), [_IPV6.format("a"), _IPV6.format("[::1]")]),
        (
            _IPV6.format("[fe80::1%25eth0]:1,[::ffff:10.0.0.1]:2"),
            [_IPV6.format("[fe80::1%25eth0]:1"), _IPV6.format("[::ffff:10.0.0.1]:2")],
        ),
        ("postgresql://a,b:2/db?port=1,3", ["postgresql://a:1/db", "postgresql://b:2/db"]),
        (
            "postgresql://u@/db?host=/a,/b&port=1,2",
            ["postgresql://u@/db?host=/a&port=1", "postgresql://u@/db?host=/b&port=2"],
        ),
        (
            "postgresql://u@/db?host=a,::1&port=7&sslmode=require",
            [
                "postgresql://u@/db?host=a&sslmode=require&port=7",
                "postgresql://u@/db?host=[::1]&sslmode=require&port=7",
            ],
        ),
        ("postgresql://ü:\u2100@a/ö", ["postgresql://%C3%BC:%E2%84%80@a/%C3%B6"]),
    ],
)
def test_url_is_split_into_one_per_host(url: str, singles: list[str]) -> None:
    assert DatabaseUrl.parse(url).per_host() == singles


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("postgresql://u:p%2Fw@a:1,[::1]:2/db", ("u", "p/w", "db", "a:1,[::1]:2")),
        ("postgresql://a/db?user=u&password=p/w", ("u", "p/w", "db", "a")),
        ("postgresql://u@/?dbname=db&host=/run/pg", ("u", "", "db", "/run/pg")),
        ("postgresql://", ("", "", "", "localhost")),
    ],
)
def test_url_parts_are_read_from_authority_and_query(url: str, parts: tuple[str, ...]) -> None:
    read = DatabaseUrl.parse(url)
    assert (read.user, read.password, read.database, read.host_list) == parts


def test_number_of_ports_must_match_the_hosts() -> None:
    with pytest.raises(asyncpg.ClientConfigurationError, match="3 hosts, but 2 ports"):
        DatabaseUrl.parse("postgresql://u@/db?host=a,b,c&port=1,2").per_host()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://shop:s%40cret@one,[::1]:2/qa?sslmode=require",
        "postgresql://one/qa?user=shop&password=s%40cret&sslmode=require",
    ],
)
def test_password_is_not_on_the_command_line(url: str) -> None:
    read = DatabaseUrl.parse(url)
    shown = str(read.without_password())
    assert read.password == "s@cret"
    assert "cret" not in shown
    assert shown.endswith("sslmode=require")
