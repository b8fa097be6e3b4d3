"""Every setting, read once from the environment into one frozen object.

The table in docs/configuration.md lists them all; a test holds the two together.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from difflib import get_close_matches
from ipaddress import ip_network
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

from atelier.errors import AtelierError

STREAM_CONNECTIONS = 2
"""The connections of an instance that carry large pages."""

_FILE = "_FILE"
_PREFIX = "ATELIER_"
_OTHERS = ("ATELIER_BENCH_",)  # of the benchmark, which passes its environment on
_LARGEST_SECRET = 64 << 10  # bytes


class Variable(NamedTuple):
    """The environment variable of a setting."""

    name: str
    parse: Callable[[str], Any]
    """Returns the value of a text that is not empty; raises ValueError that says what to set."""
    is_secret: bool
    """Never shown, and may be read from the file that `NAME_FILE` names."""


class Effective(NamedTuple):
    """A setting in force: its variable, its value as text, and where it came from."""

    variable: str
    value: str
    source: str


def _setting(
    name: str, parse: Callable[[str], Any], default: object, *, secret: bool = False
) -> Any:  # noqa: ANN401 - as dataclasses.field
    return field(
        default=default, repr=not secret, metadata={"variable": Variable(name, parse, secret)}
    )


def _integer(minimum: int, maximum: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit()) or not minimum <= int(text) <= maximum:
            raise ValueError(f"a whole number from {minimum} to {maximum}")
        return int(text)

    return parse


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < inf:
        raise ValueError("a number above 0")
    return value


class Limit(float):
    """A limit; 0 means none. `str` returns the text of the setting."""

    def __str__(self) -> str:
        """Return the number, or `off`."""
        return f"{float(self):.10g}" if self else "off"


class CommaSeparated(tuple[str, ...]):
    """A list of values; `str` returns the text of the setting."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return the values separated by commas, or `none`."""
        return ",".join(self) or "none"


PRIVATE_NETWORKS = CommaSeparated(
    ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fc00::/7", "::1")
)
"""Networks that are not reachable from the internet."""


def _limit(minimum: float, maximum: float, *, whole: bool = False) -> Callable[[str], Limit]:
    kind = "a whole number" if whole else "a number"
    numbers = re.compile(r"[0-9]+" if whole else r"[0-9]+(\.[0-9]+)?", re.ASCII)

    def parse(text: str) -> Limit:
        if text == "off":
            return Limit(0)
        if not numbers.fullmatch(text) or not minimum <= float(text) <= maximum:
            raise ValueError(f"{kind} from {minimum:g} to {maximum:.10g}, or off")
        return Limit(text)

    return parse


def _networks(text: str) -> CommaSeparated:
    try:
        return CommaSeparated(str(ip_network(each)) for each in _split(text))
    except ValueError:
        raise ValueError(
            "networks such as 10.0.0.0/8,2001:db8::/32 separated by commas, or none"
        ) from None


_ORIGIN = re.compile(r"https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", re.ASCII)


def _origins(text: str) -> CommaSeparated:
    origins = CommaSeparated(text.split(",")) if text == "*" else CommaSeparated(_split(text))
    if origins != ("*",) and not all(map(_ORIGIN.fullmatch, origins)):
        raise ValueError("*, none, or origins such as https://shop.example separated by commas")
    return origins


def _split(text: str) -> list[str]:
    return [] if text == "none" else [each.strip() for each in text.split(",")]


def _one_of(*values: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in values:
            raise ValueError(" or ".join(values))
        return text

    return parse


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user can change. Times are in seconds."""

    database_url: str | None = _setting("ATELIER_DATABASE_URL", str, None, secret=True)
    """The PostgreSQL to use; None means the embedded one in `home`."""
    home: Path = _setting("ATELIER_HOME", Path, Path(".atelier"))
    """Where the embedded database and the run files live."""
    port: int = _setting("PORT", _integer(1, 65535), 8080)
    """The port nginx listens on, on 127.0.0.1."""
    instances: int = _setting("INSTANCES", _integer(1, 64), 3)
    """How many instances stand behind nginx."""
    pool_size: int = _setting("ATELIER_POOL_SIZE", _integer(2, 100), 6)
    """The maximum number of database connections of one instance."""
    request_timeout: float = _setting("ATELIER_REQUEST_TIMEOUT", _positive, 5.0)
    """The longest a request waits for the database."""
    idempotency_hours: float = _setting("ATELIER_IDEMPOTENCY_HOURS", _positive, 24.0)
    """How long an Idempotency-Key is remembered."""
    read_database_url: str | None = _setting("ATELIER_READ_DATABASE_URL", str, None, secret=True)
    """Hot standbys to read pages from; None means the primary."""
    standby_max_lag: float = _setting("ATELIER_STANDBY_MAX_LAG", _positive, 5.0)
    """How long pages are read from standbys alone after the primary's end."""
    metrics_port: int = _setting("ATELIER_METRICS_PORT", _integer(1, 65535), 9180)
    """The port of 127.0.0.1 where Prometheus finds the cluster's metrics."""
    rate_reads: Limit = _setting("ATELIER_RATE_READS", _limit(0.02, 100_000), Limit(100))
    """The maximum reads per second from one address; 0 means no limit."""
    rate_votes: Limit = _setting("ATELIER_RATE_VOTES", _limit(0.02, 100_000), Limit(10))
    """The same for votes and reports."""
    rate_posts: Limit = _setting("ATELIER_RATE_POSTS", _limit(0.02, 100_000), Limit(2))
    """The same for new questions and answers."""
    rate_exempt: CommaSeparated = _setting("ATELIER_RATE_EXEMPT", _networks, PRIVATE_NETWORKS)
    """The networks without limits."""
    trusted_proxies: CommaSeparated | None = _setting("ATELIER_TRUSTED_PROXIES", _networks, None)
    """The networks of proxies in front of nginx that name the client; None: see nginx.py."""
    proxy_protocol: str = _setting("ATELIER_PROXY_PROTOCOL", _one_of("on", "off"), "off")
    """Whether those proxies use the PROXY protocol instead of X-Forwarded-For."""
    posts_per_day: Limit = _setting(
        "ATELIER_POSTS_PER_DAY", _limit(1, 1_000_000, whole=True), Limit(0)
    )
    """The maximum questions and answers from one address per day; 0 means no limit."""
    reports_per_day: Limit = _setting(
        "ATELIER_REPORTS_PER_DAY", _limit(1, 1_000_000, whole=True), Limit(0)
    )
    """The maximum reports from one address per day; 0 means no limit."""
    secret: str | None = _setting("ATELIER_SECRET", str, None, secret=True)
    """The key for hashing addresses; None: a random key per day, stored in the database."""
    cors_origins: CommaSeparated = _setting(
        "ATELIER_CORS_ORIGINS", _origins, CommaSeparated(("*",))
    )
    """The origins whose pages may call the API from a browser; `*` means all."""
    log_addresses: str = _setting("ATELIER_LOG_ADDRESSES", _one_of("full", "masked", "off"), "full")
    """How client addresses are written to the access log."""
    log_days: Limit = _setting("ATELIER_LOG_DAYS", _limit(1, 3650, whole=True), Limit(0))
    """How long log lines are kept, in days; 0 means limited by size only."""

    @property
    def connections(self) -> int:
        """The maximum number of connections that one instance opens to the primary."""
        pools = 2 if self.read_database_url else 1
        return pools * self.pool_size + STREAM_CONNECTIONS

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings; raise AtelierError on the first value that is not valid."""
        env = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        for each in fields(cls):
            text, source = _text(env, _variable(each))
            values[each.name] = _parsed(text, source, each) if text else each.default
        values["home"] = values["home"].absolute()
        return cls(**values)


def effective(settings: Settings, environment: Mapping[str, str]) -> Iterator[Effective]:
    """Yield every setting in the order of the documentation; secrets are not shown."""
    for each in fields(Settings):
        variable = _variable(each)
        text, source = _text(environment, variable)
        value = getattr(settings, each.name)
        hidden = variable.is_secret and value is not None
        shown = "(secret)" if hidden else "" if value is None else str(value)
        yield Effective(variable.name, shown, source if text else "default")


def without_files(environment: Mapping[str, str], **values: str) -> dict[str, str]:
    """Return an environment with some variables set, and not by files any more."""
    replaced = {name + _FILE for name in values}
    return {name: text for name, text in environment.items() if name not in replaced} | values


def unknown_variables(environment: Mapping[str, str]) -> dict[str, str | None]:
    """Return the variables that begin like ours and are none, each with the most similar one."""
    known = {name.removeprefix(_PREFIX): name for name in _known_variables()}
    return {
        name: next(
            (known[each] for each in get_close_matches(name[len(_PREFIX) :], known, 1)), None
        )
        for name in environment
        if name.startswith(_PREFIX) and not name.startswith(_OTHERS) and name not in known.values()
    }


def _known_variables() -> list[str]:
    variables = [_variable(each) for each in fields(Settings)]
    return [each.name for each in variables] + [
        each.name + _FILE for each in variables if each.is_secret
    ]


def _variable(setting: "Field[Any]") -> Variable:
    variable: Variable = setting.metadata["variable"]
    return variable


def _text(env: Mapping[str, str], variable: Variable) -> tuple[str, str]:
    """Return the text of a variable, empty if it is not set, and where it came from."""
    text, path = env.get(variable.name, ""), env.get(variable.name + _FILE, "")
    if not (variable.is_secret and path):
        return text, variable.name
    if text:
        raise AtelierError(f"Set either {variable.name} or {variable.name}{_FILE}, not both.")
    return _secret_of(Path(path), variable), f"{variable.name}{_FILE}={path}"


def _secret_of(path: Path, variable: Variable) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_LARGEST_SECRET).strip()
    except OSError as error:
        raise AtelierError(
            f"{variable.name}{_FILE}: cannot read {path}: {error.strerror}."
        ) from error
    except UnicodeDecodeError as error:
        raise AtelierError(f"{variable.name}{_FILE}: {path} is not text in UTF-8.") from error
    if not text:
        raise AtelierError(f"{variable.name}{_FILE}: {path} is empty.")
    return text


def _parsed(text: str, source: str, setting: "Field[Any]") -> object:
    variable = _variable(setting)
    try:
        return variable.parse(text)
    except ValueError as error:
        given = variable.name if variable.is_secret else f"{variable.name}={text}"
        origin = "" if source == variable.name else f" (from {source})"
        raise AtelierError(f"{given}{origin}: set it to {error}.") from error
