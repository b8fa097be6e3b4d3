"""A PostgreSQL URL, which may name several servers: read here and nowhere else.

urllib's functions are for URLs of one host. From Python 3.11.4 on, and in Debian's 3.11.2, they
refuse an IPv6 address behind another host.
"""

import re
import string
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, parse_qsl, quote, unquote, urlencode

import asyncpg

_URL = re.compile(
    r"(?P<scheme>postgres(?:ql)?)://(?P<authority>[^/?#]*)(?P<path>(?:/[^?#]*)?)"
    r"(?:\?(?P<query>[^#]*))?",
    re.IGNORECASE,
)
_HOST = re.compile(r"(\[[0-9a-f:.]+(%25[\w.-]+)?\]|[^:\[\]]*)(?P<port>:\d+)?", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")  # urllib would drop some of them without a word


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """The parts of a URL as they were written, percent signs included."""

    scheme: str
    user_info: str
    """USER or USER:PASSWORD; empty if there is neither."""
    hosts: tuple[str, ...]
    """HOST or HOST:PORT of each server; empty if the query names them, or nobody does."""
    path: str
    query: str

    @classmethod
    def parse(cls, url: str) -> "DatabaseUrl":
        """Take a URL apart; raise ValueError, without a piece of it, if it is not well-formed.

        A stray character of a password may have split it in the wrong place: what that leaves in
        a part is refused, lest it be shown.
        """
        found = _URL.fullmatch(url)
        if not found or _CONTROL.search(url):
            raise ValueError("not a PostgreSQL URL")
        user_info, _, hosts = found["authority"].rpartition("@")
        made = cls(
            found["scheme"].lower(),
            user_info,
            tuple(hosts.split(",")) if hosts else (),
            found["path"],
            found["query"] or "",
        )
        made._check()
        return made

    def __str__(self) -> str:
        """Return the URL."""
        at, mark = "@" * bool(self.user_info), "?" * bool(self.query)
        hosts = ",".join(self.hosts)
        return f"{self.scheme}://{self.user_info}{at}{hosts}{self.path}{mark}{self.query}"

    @property
    def database(self) -> str:
        """The database's name; empty if the URL leaves it to PostgreSQL."""
        return unquote(self.path.lstrip("/")) or self._parameter("dbname")

    @property
    def user(self) -> str:
        """The user's name; empty if the URL leaves it to PostgreSQL."""
        return unquote(self.user_info.partition(":")[0]) or self._parameter("user")

    @property
    def password(self) -> str:
        """The password; empty if there is none."""
        return unquote(self.user_info.partition(":")[2]) or self._parameter("password")

    @property
    def place(self) -> str:
        """The servers, fit to be shown."""
        return ",".join(self.hosts) or self._parameter("host") or "localhost"

    def without_password(self) -> "DatabaseUrl":
        """Return the same URL, fit for a command line, which others can read."""
        query = [each for each in self.query.split("&") if not each.startswith("password=")]
        return replace(self, user_info=self.user_info.partition(":")[0], query="&".join(query))

    def each_host(self) -> list[str]:
        """Return a URL for each server, in the order of this one; nothing in it but ASCII.

        Raises asyncpg.ClientConfigurationError if there are several ports, but not one a host.
        """
        return [quote(str(single), safe=string.printable) for single in self._singles()]

    def _singles(self) -> list["DatabaseUrl"]:
        query = dict(parse_qsl(self.query))
        in_query = query.pop("host", "") if not self.hosts else ""
        hosts = in_query.split(",") if in_query else list(self.hosts)
        if not hosts:
            return [self]
        ports = query.pop("port", "").split(",")
        ports = ports * len(hosts) if len(ports) == 1 else ports
        if len(ports) != len(hosts):
            raise asyncpg.ClientConfigurationError(f"{len(hosts)} hosts, but {len(ports)} ports")
        single = self._by_query if in_query else self._by_authority
        return [single(host, port, query) for host, port in zip(hosts, ports, strict=True)]

    def _by_query(self, host: str, port: str, query: dict[str, str]) -> "DatabaseUrl":
        is_ipv6 = ":" in host and not host.startswith(("/", "["))
        server = {"host": f"[{host}]" if is_ipv6 else host}  # asyncpg takes it in brackets only
        return self._with_query(server | query | ({"port": port} if port else {}))

    def _by_authority(self, host: str, port: str, query: dict[str, str]) -> "DatabaseUrl":
        found = _HOST.fullmatch(host)
        has_port = found and found["port"]
        server = host if has_port or not port else f"{host}:{port}"
        return replace(self._with_query(query), hosts=(server,))

    def _with_query(self, query: dict[str, str]) -> "DatabaseUrl":
        return replace(self, query=urlencode(query, safe="/[]:", quote_via=quote))

    def _parameter(self, name: str) -> str:
        return parse_qs(self.query).get(name, [""])[-1]

    def _check(self) -> None:
        try:
            parse_qs(self.query, strict_parsing=bool(self.query))
        except ValueError:
            raise ValueError("what follows the ? is malformed") from None
        several = len(self.hosts) > 1
        if not all(_HOST.fullmatch(host) and (host or not several) for host in self.hosts):
            raise ValueError("a host or its port is malformed")
        if "@" in self.user_info + self.path + self.query:
            raise ValueError("an @ is not written as %40")
