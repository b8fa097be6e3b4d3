"""Parses PostgreSQL URLs, which may name several hosts.

urllib's functions support one host only. From Python 3.11.4 on, and in Debian's 3.11.2, they
reject an IPv6 address after another host.
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
_MAX_PORT = 65535
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")  # urllib drops some of them silently


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """The parts of a URL as written, not percent-decoded."""

    scheme: str
    user_info: str
    """USER or USER:PASSWORD, or empty."""
    hosts: tuple[str, ...]
    """HOST or HOST:PORT of each server; empty if the query or the default names them."""
    path: str
    query: str

    @classmethod
    def parse(cls, url: str) -> "DatabaseUrl":
        """Parse a URL; raise ValueError, with no part of the URL in it, if it is malformed.

        An unescaped character of the password can split the URL in the wrong position. Such parts
        are rejected, so that no part of a password is ever shown.
        """
        match = _URL.fullmatch(url)
        if not match or _CONTROL.search(url):
            raise ValueError("not a PostgreSQL URL")
        user_info, _, hosts = match["authority"].rpartition("@")
        parsed = cls(
            match["scheme"].lower(),
            user_info,
            tuple(hosts.split(",")) if hosts else (),
            match["path"],
            match["query"] or "",
        )
        parsed._validate()
        return parsed

    def __str__(self) -> str:
        """Return the URL."""
        at, question_mark = "@" * bool(self.user_info), "?" * bool(self.query)
        hosts = ",".join(self.hosts)
        return f"{self.scheme}://{self.user_info}{at}{hosts}{self.path}{question_mark}{self.query}"

    @property
    def database(self) -> str:
        """The database's name; empty for PostgreSQL's default."""
        return unquote(self.path.lstrip("/")) or self._parameter("dbname")

    @property
    def user(self) -> str:
        """The user's name; empty for PostgreSQL's default."""
        return unquote(self.user_info.partition(":")[0]) or self._parameter("user")

    @property
    def password(self) -> str:
        """The password; empty if there is none."""
        return unquote(self.user_info.partition(":")[2]) or self._parameter("password")

    @property
    def host_list(self) -> str:
        """The hosts, separated by commas, for messages."""
        return ",".join(self.hosts) or self._parameter("host") or "localhost"

    def without_password(self) -> "DatabaseUrl":
        """Return the same URL for a command line, which other users can read."""
        query = [field for field in self.query.split("&") if not field.startswith("password=")]
        return replace(self, user_info=self.user_info.partition(":")[0], query="&".join(query))

    def per_host(self) -> list[str]:
        """Return one URL for each host, in order and in ASCII only.

        Raises asyncpg.ClientConfigurationError if the numbers of hosts and of ports differ.
        """
        return [quote(str(url), safe=string.printable) for url in self._split_hosts()]

    def _split_hosts(self) -> list["DatabaseUrl"]:
        query = dict(parse_qsl(self.query))
        in_query = query.pop("host", "") if not self.hosts else ""
        hosts = in_query.split(",") if in_query else list(self.hosts)
        if not hosts:
            return [self]
        ports = query.pop("port", "").split(",")
        ports = ports * len(hosts) if len(ports) == 1 else ports
        if len(ports) != len(hosts):
            raise asyncpg.ClientConfigurationError(f"{len(hosts)} hosts, but {len(ports)} ports")
        make = self._with_host_in_query if in_query else self._with_host_in_authority
        return [make(host, port, query) for host, port in zip(hosts, ports, strict=True)]

    def _with_host_in_query(self, host: str, port: str, query: dict[str, str]) -> "DatabaseUrl":
        is_ipv6 = ":" in host and not host.startswith(("/", "["))
        server = {"host": f"[{host}]" if is_ipv6 else host}  # asyncpg requires brackets
        return self._with_query(server | query | ({"port": port} if port else {}))

    def _with_host_in_authority(self, host: str, port: str, query: dict[str, str]) -> "DatabaseUrl":
        match = _HOST.fullmatch(host)
        has_port = match and match["port"]
        server = host if has_port or not port else f"{host}:{port}"
        return replace(self._with_query(query), hosts=(server,))

    def _with_query(self, query: dict[str, str]) -> "DatabaseUrl":
        return replace(self, query=urlencode(query, safe="/[]:", quote_via=quote))

    def _parameter(self, name: str) -> str:
        return parse_qs(self.query).get(name, [""])[-1]

    def _validate(self) -> None:
        try:
            parse_qs(self.query, strict_parsing=bool(self.query))
        except ValueError:
            raise ValueError("the query after the ? is malformed") from None
        has_many = len(self.hosts) > 1
        if not all(_HOST.fullmatch(host) and (host or not has_many) for host in self.hosts):
            raise ValueError("a host or its port is malformed")
        ports = [host.rpartition("]")[2].partition(":")[2] for host in self.hosts]
        if not all(map(_is_port, ports + self._parameter("port").split(","))):
            raise ValueError("a port is not a number from 1 to 65535")
        if "@" in self.user_info + self.path + self.query:
            raise ValueError("an @ is not written as %40")


def _is_port(text: str) -> bool:
    """Return whether a text is a port, or empty: the default."""
    return not text or (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _MAX_PORT)
