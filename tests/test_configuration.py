"""Settings: what docs/configuration.md lists, where values come from, what is never shown."""

import re
from pathlib import Path

import pytest

from atelier.errors import AtelierError
from atelier.settings import (
    Settings,
    default_instances,
    effective,
    unknown_variables,
    without_files,
)
from tests.support.commands import run

_PAGE = Path(__file__).parent.parent / "docs" / "configuration.md"
_URL = "postgresql://shop:s3cret@db.example/qa"


def test_the_page_lists_every_setting_with_its_default() -> None:
    settings = Settings()
    shown = [
        (each.variable, f"`{each.value}`" if each.value else "none")
        for each in effective(settings, {})
    ]
    shown = [
        ("INSTANCES", "cores") if name == "INSTANCES" else (name, value) for name, value in shown
    ]
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \|", _PAGE.read_text(), flags=re.MULTILINE)
    assert rows == shown


def test_a_machine_has_as_many_instances_as_cores_from_two_to_four() -> None:
    assert [default_instances(cores) for cores in (1, 2, 3, 4, 64)] == [2, 2, 3, 4, 4]


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text(f"{_URL}\n")
    environment = {"ATELIER_DATABASE_URL_FILE": str(file)}
    settings = Settings.from_environment(environment)
    assert settings.database_url == _URL
    (shown,) = (e for e in effective(settings, environment) if e.variable == "ATELIER_DATABASE_URL")
    assert (shown.value, shown.source) == ("(secret)", f"ATELIER_DATABASE_URL_FILE={file}")
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot read"),
        (b"", "is empty"),
        (b"  \n", "is empty"),
        (b"\xff", "not text in UTF-8"),
    ],
)
def test_a_secret_file_that_cannot_be_used_is_named(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    file = tmp_path / "url"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(AtelierError, match=reason) as error:
        Settings.from_environment({"ATELIER_DATABASE_URL_FILE": str(file)})
    assert str(file) in str(error.value)


def test_a_secret_is_given_once(tmp_path: Path) -> None:
    environment = {"ATELIER_DATABASE_URL": _URL, "ATELIER_DATABASE_URL_FILE": str(tmp_path)}
    with pytest.raises(AtelierError, match="not both"):
        Settings.from_environment(environment)


def test_a_value_replaces_the_file_that_named_it_before() -> None:
    environment = without_files(
        {"ATELIER_DATABASE_URL_FILE": "/a", "A": "b"}, ATELIER_DATABASE_URL=_URL
    )
    assert environment == {"A": "b", "ATELIER_DATABASE_URL": _URL}


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("PORT", "http", "PORT=http: set it to a whole number from 1 to 65535."),
        ("INSTANCES", "0", "INSTANCES=0: set it to a whole number from 1 to 64."),
        (
            "ATELIER_REQUEST_TIMEOUT",
            "nan",
            "ATELIER_REQUEST_TIMEOUT=nan: set it to a number above 0.",
        ),
        (
            "ATELIER_SPAM_REPEAT_MINUTES",
            "-1",
            "ATELIER_SPAM_REPEAT_MINUTES=-1: set it to a whole number from 0 to 10080, or off.",
        ),
        (
            "ATELIER_SPAM_WORDS_FILE",
            "/nonexistent/words",
            (
                "ATELIER_SPAM_WORDS_FILE=/nonexistent/words: set it to a readable file "
                "(No such file or directory)."
            ),
        ),
        (
            "ATELIER_SPAM_HONEYPOT",
            "email",
            (
                "ATELIER_SPAM_HONEYPOT=email: set it to a name other than those of a "
                "post's fields (product_id, body, name, email, photos, photos[])."
            ),
        ),
        (
            "ATELIER_RATE_READS",
            "0",
            "ATELIER_RATE_READS=0: set it to a number from 0.02 to 100000, or off.",
        ),
        (
            "ATELIER_POSTS_PER_DAY",
            "1.5",
            "ATELIER_POSTS_PER_DAY=1.5: set it to a whole number from 1 to 1000000, or off.",
        ),
        (
            "ATELIER_TRUSTED_PROXIES",
            "10.0.0.0/8 1;",
            (
                "ATELIER_TRUSTED_PROXIES=10.0.0.0/8 1;: set it to networks such as "
                "10.0.0.0/8,2001:db8::/32 separated by commas, or none."
            ),
        ),
        (
            "ATELIER_CORS_ORIGINS",
            "https://shop.example/,*",
            (
                "ATELIER_CORS_ORIGINS=https://shop.example/,*: set it to *, none, or origins such "
                "as https://shop.example separated by commas."
            ),
        ),
        (
            "ATELIER_PUBLIC_URL",
            "https://shop.example/?a",
            (
                "ATELIER_PUBLIC_URL=https://shop.example/?a: set it to an address such as "
                "https://shop.example or https://shop.example/qa."
            ),
        ),
        (
            "ATELIER_PRODUCT_URL",
            "https://shop.example/products",
            (
                "ATELIER_PRODUCT_URL=https://shop.example/products: set it to an address such as "
                "https://shop.example/products/{product_id}."
            ),
        ),
        (
            "ATELIER_LOG_ADDRESSES",
            "all",
            "ATELIER_LOG_ADDRESSES=all: set it to one of full, masked, off.",
        ),
    ],
)
def test_an_invalid_value_is_refused_with_what_to_set(name: str, text: str, what: str) -> None:
    with pytest.raises(AtelierError) as error:
        Settings.from_environment({name: text})
    assert str(error.value) == what


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"caf\xe9", "UTF-8 text file"), (b"a" * (2**20 + 1), "at most 1048576")],
)
def test_words_file_that_is_not_utf8_or_too_large_is_rejected(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    file = tmp_path / "words"
    file.write_bytes(content)
    with pytest.raises(AtelierError, match=reason):
        Settings.from_environment({"ATELIER_SPAM_WORDS_FILE": str(file)})


def test_off_disables_a_guard() -> None:
    names = ("ATELIER_SPAM_REPEAT_MINUTES", "ATELIER_SPAM_MAX_LINKS")
    assert Settings.from_environment(dict.fromkeys(names, "off")) == Settings.from_environment({})


def test_off_and_none_are_shown() -> None:
    environment = {
        "ATELIER_RATE_READS": "off",
        "ATELIER_RATE_POSTS": "0.5",
        "ATELIER_RATE_EXEMPT": "none",
        "ATELIER_TRUSTED_PROXIES": "10.0.0.1, 2001:db8::/32",
    }
    settings = Settings.from_environment(environment)
    shown = {each.variable: each.value for each in effective(settings, environment)}
    assert {name: shown[name] for name in environment} == {
        "ATELIER_RATE_READS": "off",
        "ATELIER_RATE_POSTS": "0.5",
        "ATELIER_RATE_EXEMPT": "none",
        "ATELIER_TRUSTED_PROXIES": "10.0.0.1/32,2001:db8::/32",
    }


def test_an_unknown_variable_is_named_with_the_most_similar_one() -> None:
    environment = {"ATELIER_POOLSIZE": "3", "ATELIER_X": "", "ATELIER_HOME": "", "POOL_SIZE": ""}
    assert unknown_variables(environment) == {
        "ATELIER_POOLSIZE": "ATELIER_POOL_SIZE",
        "ATELIER_X": None,
    }


def test_the_command_shows_whole_values_and_no_secret(tmp_path: Path) -> None:
    networks = ",".join(f"2001:db8:{number}::/48" for number in range(1, 40))
    settings = {"ATELIER_RATE_EXEMPT": networks, "ATELIER_DATABASE_URL": _URL}
    shown = run(tmp_path, "config", **settings)
    assert networks in shown.stdout
    assert "(secret)" in shown.stdout
    assert "s3cret" not in shown.stdout + shown.stderr
