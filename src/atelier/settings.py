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
from typing import Any, NamedTuple, TypeVar

from atelier.errors import AtelierError

STREAM_CONNECTIONS = 2
"""The connections of an instance that carry large pages."""
SEARCH_CONNECTIONS = 2
"""The connections of an instance that carry searches."""
TRIAL_CONNECTIONS = 1
"""The connections of an instance that carry trials of moderation rules."""
WEBHOOK_CONNECTIONS = 1
"""The connections of an instance that carry the deliveries of webhooks."""

_FILE = "_FILE"
_PREFIX = "ATELIER_"
_OTHERS = ("ATELIER_BENCH_",)  # of the benchmark, which passes its environment on
_MAX_SECRET_LENGTH = 64 << 10  # characters
_MAX_TEXT_LENGTH = 1 << 20  # characters
_POST_FIELDS = ("product_id", "body", "name", "email", "photos", "photos[]")
_MIN_SECRET_LENGTH = 16  # characters
_MIN_DEFAULT_INSTANCES = 2
_MAX_DEFAULT_INSTANCES = 4


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


def default_instances(cores: int) -> int:
    """Return how many instances a machine has by default: as many as cores, from two to four.

    With two, one can be replaced while the other serves. More than cores cost each other time
    (docs/decisions/0009), and a larger machine has nginx and PostgreSQL to run, too.
    """
    return min(max(cores, _MIN_DEFAULT_INSTANCES), _MAX_DEFAULT_INSTANCES)


def _cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


T = TypeVar("T")


def _off_or(parse: Callable[[str], T], off: T) -> Callable[[str], T]:
    def parse_or_off(text: str) -> T:
        if text == "off":
            return off
        try:
            return parse(text)
        except ValueError as error:
            raise ValueError(f"{error}, or off") from error

    return parse_or_off


def _text_file(text: str) -> Path:
    path = Path(text).absolute()
    try:
        with path.open(encoding="utf-8") as file:
            is_too_large = len(file.read(_MAX_TEXT_LENGTH + 1)) > _MAX_TEXT_LENGTH
    except OSError as error:
        raise ValueError(f"a readable file ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ValueError("a UTF-8 text file") from error
    if is_too_large:
        raise ValueError(f"a file of at most {_MAX_TEXT_LENGTH} characters")
    return path


def _extra_field(text: str) -> str:
    if text in _POST_FIELDS:
        raise ValueError(f"a name other than those of a post's fields ({', '.join(_POST_FIELDS)})")
    return text


def _one_of(*names: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in names:
            raise ValueError(f"one of {', '.join(names)}")
        return text

    return parse


def _secret(text: str) -> str:
    if len(text) < _MIN_SECRET_LENGTH:
        raise ValueError(f"at least {_MIN_SECRET_LENGTH} characters that cannot be guessed")
    return text


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
_ALL_NETWORKS = CommaSeparated(("0.0.0.0/0", "::/0"))


def _number(minimum: float, maximum: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        is_number = re.fullmatch(r"[0-9]+(\.[0-9]+)?", text, re.ASCII)
        if not is_number or not minimum <= float(text) <= maximum:
            raise ValueError(f"a number from {minimum:g} to {maximum:.10g}")
        return float(text)

    return parse


def _limit(parse: Callable[[str], float]) -> Callable[[str], Limit]:
    return _off_or(lambda text: Limit(parse(text)), Limit(0))


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


_ADDRESS = re.compile(r"https?://[A-Za-z0-9._~:/?=&\[\]{}%-]+", re.ASCII)


def _public_url(text: str) -> str:
    if not _ADDRESS.fullmatch(text) or set("{?") & set(text):
        raise ValueError("an address such as https://shop.example or https://shop.example/qa")
    return text.rstrip("/")


def _product_url(text: str) -> str:
    if not _ADDRESS.fullmatch(text) or re.findall(r"\{.*?\}", text) != ["{product_id}"]:
        raise ValueError("an address such as https://shop.example/products/{product_id}")
    return text


def _split(text: str) -> list[str]:
    return [] if text == "none" else [each.strip() for each in text.split(",")]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user can change. Times are in seconds."""

    database_url: str | None = _setting("ATELIER_DATABASE_URL", str, None, secret=True)
    """The PostgreSQL to use; None means the embedded one in `home`."""
    admin_database_url: str | None = _setting("ATELIER_ADMIN_DATABASE_URL", str, None, secret=True)
    """The same PostgreSQL as the role that owns the tables; None means `database_url`."""
    home: Path = _setting("ATELIER_HOME", Path, Path(".atelier"))
    """Where the embedded database and the run files live."""
    port: int = _setting("PORT", _integer(1, 65535), 8080)
    """The port nginx listens on, on 127.0.0.1."""
    instances: int = _setting("INSTANCES", _integer(1, 64), default_instances(_cores()))
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
    spam_repeat_minutes: int = _setting(
        "ATELIER_SPAM_REPEAT_MINUTES", _off_or(_integer(0, 7 * 24 * 60), 0), 0
    )
    """How long a text cannot be posted again on a product, in minutes; 0 allows repeats."""
    spam_max_links: int | None = _setting(
        "ATELIER_SPAM_MAX_LINKS", _off_or(_integer(0, 100), None), None
    )
    """The maximum number of links in a text; None means unlimited."""
    spam_words_file: Path | None = _setting("ATELIER_SPAM_WORDS_FILE", _text_file, None)
    """The file of blocked words and phrases, one per line."""
    spam_honeypot: str | None = _setting("ATELIER_SPAM_HONEYPOT", _extra_field, None)
    """The name of the honeypot field, which must be absent or empty."""
    secret: str | None = _setting("ATELIER_SECRET", _secret, None, secret=True)
    """The source of the keys for hashes of clients; None means random keys in the database."""
    vote_once: str = _setting("ATELIER_VOTE_ONCE", _one_of("off", "address", "cookie"), "off")
    """What identifies voters, so that each one counts once; off means that every vote counts."""
    vote_memory_days: float = _setting("ATELIER_VOTE_MEMORY_DAYS", _positive, 90.0)
    """How long voters and reports are stored."""
    reports_to_hide: int = _setting("ATELIER_REPORTS_TO_HIDE", _integer(1, 1000), 1)
    """The number of different reporters that hides a question or an answer."""
    moderation: str = _setting("ATELIER_MODERATION", _one_of("post", "pre"), "post")
    """Whether new posts are shown at once, or held until a moderator restores them."""
    rate_reads: Limit = _setting("ATELIER_RATE_READS", _limit(_number(0.02, 100_000)), Limit(100))
    """The maximum reads per second from one address; 0 means no limit."""
    rate_votes: Limit = _setting("ATELIER_RATE_VOTES", _limit(_number(0.02, 100_000)), Limit(10))
    """The same for votes and reports."""
    rate_posts: Limit = _setting("ATELIER_RATE_POSTS", _limit(_number(0.02, 100_000)), Limit(2))
    """The same for new questions and answers."""
    rate_sign_ins: Limit = _setting(
        "ATELIER_RATE_SIGN_INS", _limit(_number(0.02, 100_000)), Limit(0.2)
    )
    """The same for signing in to the console."""
    rate_exempt: CommaSeparated = _setting("ATELIER_RATE_EXEMPT", _networks, PRIVATE_NETWORKS)
    """The networks without limits."""
    trusted_proxies: CommaSeparated | None = _setting("ATELIER_TRUSTED_PROXIES", _networks, None)
    """The networks of proxies in front of nginx that name the client; None: see nginx.py."""
    proxy_protocol: str = _setting("ATELIER_PROXY_PROTOCOL", _one_of("on", "off"), "off")
    """Whether those proxies use the PROXY protocol instead of X-Forwarded-For."""
    posts_per_day: Limit = _setting(
        "ATELIER_POSTS_PER_DAY", _limit(_integer(1, 1_000_000)), Limit(0)
    )
    """The maximum questions and answers from one address per day; 0 means no limit."""
    reports_per_day: Limit = _setting(
        "ATELIER_REPORTS_PER_DAY", _limit(_integer(1, 1_000_000)), Limit(0)
    )
    """The maximum reports from one address per day; 0 means no limit."""
    cors_origins: CommaSeparated = _setting(
        "ATELIER_CORS_ORIGINS", _origins, CommaSeparated(("*",))
    )
    """The origins whose pages may call the API from a browser; `*` means all."""
    admin_networks: CommaSeparated = _setting("ATELIER_ADMIN_NETWORKS", _networks, _ALL_NETWORKS)
    """The networks that may use the API under /admin and the console, with a token."""
    log_addresses: str = _setting("ATELIER_LOG_ADDRESSES", _one_of("full", "masked", "off"), "full")
    """How client addresses are written to the access log."""
    log_days: Limit = _setting("ATELIER_LOG_DAYS", _limit(_integer(1, 3650)), Limit(0))
    """How long log lines are kept, in days; 0 means limited by size only."""

    changes_days: int = _setting("ATELIER_CHANGES_DAYS", _integer(1, 3650), 30)
    """How long the events of the change feed are kept, in days."""
    webhook_networks: CommaSeparated = _setting(
        "ATELIER_WEBHOOK_NETWORKS", _networks, CommaSeparated()
    )
    """The networks that webhooks may be sent to although they are not public."""
    webhook_timeout: float = _setting("ATELIER_WEBHOOK_TIMEOUT", _number(0.1, 300), 15.0)
    """How long the receiver of a webhook may take to answer."""
    public_url: str | None = _setting("ATELIER_PUBLIC_URL", _public_url, None)
    """What browsers put before the path of a page; None means scheme and host of the request."""
    product_url: str | None = _setting("ATELIER_PRODUCT_URL", _product_url, None)
    """Where pages link to for a product of the shop; None means no link."""
    language: str = _setting("ATELIER_LANGUAGE", _one_of("auto", "en", "de", "ar"), "auto")
    """The language of the pages' own words; auto means that of the reader, else English."""
    demo: str = _setting("ATELIER_DEMO", _one_of("auto", "on", "off"), "auto")
    """Whether `/` is the demo shop; auto means with the embedded database only."""

    @property
    def is_embedded(self) -> bool:
        """Return whether the database is the embedded one."""
        return not (self.database_url or self.admin_database_url)

    @property
    def has_demo(self) -> bool:
        """Return whether there is a demo shop."""
        return self.demo == "on" or (self.demo == "auto" and self.is_embedded)

    @property
    def connections(self) -> int:
        """The maximum number of connections that one instance opens to the primary."""
        pools = 2 if self.read_database_url else 1
        others = STREAM_CONNECTIONS + SEARCH_CONNECTIONS + TRIAL_CONNECTIONS + WEBHOOK_CONNECTIONS
        return pools * self.pool_size + others

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
            text = file.read(_MAX_SECRET_LENGTH).strip()
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
