"""Hosts on one machine: network namespaces connected by a bridge."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest

_NETWORK = f"10.213.{os.getpid() % 256}"
_CLIENT = f"{_NETWORK}.254"


@dataclass(frozen=True)
class Host:
    """A host connected to the bridge."""

    name: str
    address: str
    bridge: str

    @property
    def prefix(self) -> tuple[str, ...]:
        """The command prefix that runs a program on the host."""
        return ("ip", "netns", "exec", self.name)

    @property
    def port(self) -> str:
        """The bridge's end of its veth pair."""
        return f"v{self.name}"

    def cut_off(self) -> None:
        """Detach the host from the bridge: packets are dropped silently."""
        _ip("link", "set", self.port, "nomaster")

    def reconnect(self) -> None:
        _ip("link", "set", self.port, "master", self.bridge)


@contextmanager
def network(names: Sequence[str]) -> Iterator[list[Host]]:
    """Yield hosts; the test's own clients have an address on the same bridge."""
    require_namespaces()
    bridge = f"atl{os.getpid()}"
    with ExitStack() as stack:
        _ip("link", "add", bridge, "type", "bridge")
        stack.callback(_ip, "link", "del", bridge)
        _ip("address", "add", f"{_CLIENT}/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        yield [stack.enter_context(_host(name, n + 1, bridge)) for n, name in enumerate(names)]


def require_namespaces() -> None:
    """Skip the test if network namespaces cannot be created."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        pytest.skip("network namespaces need root and iproute2's ip")
    name = f"atl{os.getpid()}"
    for kind in (["netns", "add", name], ["link", "add", name, "type", "bridge"]):
        result = subprocess.run(["ip", *kind], check=False, capture_output=True, text=True)
        if result.returncode:
            pytest.skip(f"network namespaces cannot be created: {result.stderr.strip()}")
        _ip(kind[0], "del", name)


@contextmanager
def _host(name: str, number: int, bridge: str) -> Iterator[Host]:
    host = Host(f"{name}-{os.getpid()}", f"{_NETWORK}.{number}", bridge)
    _ip("netns", "add", host.name)
    try:
        _ip("link", "add", host.port, "type", "veth", "peer", "name", "eth0", "netns", host.name)
        _ip("link", "set", host.port, "master", bridge, "up")
        _ip("-n", host.name, "address", "add", f"{host.address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            _ip("-n", host.name, "link", "set", device, "up")
        yield host
    finally:
        _ip("netns", "del", host.name)


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
