"""The nodes of a Patroni cluster on one machine: their files, ports and commands."""
# ruff: noqa: INP001 - not a package: run.py imports it from its own folder

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from atelier.local.host.programs import postgres_programs

_TEMPLATE = Template(Path(__file__).with_name("patroni.yml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Node:
    """The files and ports of a node."""

    number: int
    folder: Path
    first_port: int

    @property
    def name(self) -> str:
        """The node's name in etcd and Patroni."""
        return f"node{self.number}"

    @property
    def postgresql(self) -> int:
        """PostgreSQL's port."""
        return self.first_port + self.number

    @property
    def rest(self) -> int:
        """The port of Patroni's REST API."""
        return self.first_port + 10 + self.number

    @property
    def etcd(self) -> int:
        """The client port of etcd."""
        return self.first_port + 20 + self.number

    @property
    def peer(self) -> str:
        """The peer URL of etcd."""
        return f"http://127.0.0.1:{self.first_port + 30 + self.number}"


def etcd_command(node: Node, nodes: Sequence[Node]) -> list[str]:
    """Return the command of a node's etcd."""
    client = f"http://127.0.0.1:{node.etcd}"
    options = {
        "name": node.name,
        "data-dir": node.folder / "etcd",
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": node.peer,
        "initial-advertise-peer-urls": node.peer,
        "initial-cluster": ",".join(f"{each.name}={each.peer}" for each in nodes),
        "auto-compaction-retention": "1h",
        "logger": "zap",
        "log-level": "warn",
    }
    return ["etcd", *(f"--{name}={value}" for name, value in options.items())]


def patroni_command(node: Node) -> list[str]:
    """Return the command of a node's Patroni, which starts PostgreSQL."""
    return [sys.executable, "-P", "-m", "patroni", str(node.folder / "patroni.yml")]


def patroni_configuration(node: Node, nodes: Sequence[Node], passwords: Mapping[str, str]) -> str:
    """Return a node's patroni.yml."""
    return _TEMPLATE.substitute(
        passwords,
        name=node.name,
        folder=_yaml_escape(node.folder),
        postgresql=node.postgresql,
        rest=node.rest,
        etcd=", ".join(f"127.0.0.1:{each.etcd}" for each in nodes),
        programs=_yaml_escape(postgres_programs()),
        shared_buffers=os.environ.get("SHARED_BUFFERS", "128MB"),
    )


def _yaml_escape(path: Path) -> str:
    """Return a path escaped for a double-quoted YAML string."""
    return json.dumps(str(path), ensure_ascii=False)[1:-1]


def address(nodes: Sequence[Node], user: str, password: str, database: str) -> str:
    """Return the URL of a database that lists all nodes."""
    hosts = ",".join(f"127.0.0.1:{node.postgresql}" for node in nodes)
    return f"postgresql://{user}:{password}@{hosts}/{database}"
