"""Hosts with addresses of their own on one machine: network namespaces behind one switch."""

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
    """A host on the switch."""

    name: str
    address: str
    switch: str

    @property
    def prefix(self) -> tuple[str, ...]:
        """What runs a command on the host."""
        return ("ip", "netns", "exec", self.name)

    @property
    def port(self) -> str:
        """The switch's end of its cable."""
        return f"v{self.name}"

    def cut_off(self) -> None:
        """Pull the cable out of the switch: packets vanish without a word."""
        _ip("link", "set", self.port, "nomaster")

    def reconnect(self) -> None:
        _ip("link", "set", self.port, "master", self.switch)


@contextmanager
def network(names: Sequence[str]) -> Iterator[list[Host]]:
    """Yield hosts; the test's own clients have an address on their switch too."""
    require_namespaces()
    switch = f"atl{os.getpid()}"
    with ExitStack() as stack:
        _ip("link", "add", switch, "type", "bridge")
        stack.callback(_ip, "link", "del", switch)
        _ip("address", "add", f"{_CLIENT}/24", "dev", switch)
        _ip("link", "set", switch, "up")
        yield [stack.enter_context(_host(name, n + 1, switch)) for n, name in enumerate(names)]


def require_namespaces() -> None:
    """Skip, and say why, where this user may not make hosts."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        pytest.skip("network namespaces need root and iproute2's ip")
    name = f"atl{os.getpid()}"
    for kind in (["netns", "add", name], ["link", "add", name, "type", "bridge"]):
        tried = subprocess.run(["ip", *kind], check=False, capture_output=True, text=True)
        if tried.returncode:
            pytest.skip(f"no hosts can be made here: {tried.stderr.strip()}")
        _ip(kind[0], "del", name)


@contextmanager
def _host(name: str, number: int, switch: str) -> Iterator[Host]:
    host = Host(f"{name}-{os.getpid()}", f"{_NETWORK}.{number}", switch)
    _ip("netns", "add", host.name)
    try:
        _ip("link", "add", host.port, "type", "veth", "peer", "name", "eth0", "netns", host.name)
        _ip("link", "set", host.port, "master", switch, "up")
        _ip("-n", host.name, "address", "add", f"{host.address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            _ip("-n", host.name, "link", "set", device, "up")
        yield host
    finally:
        _ip("netns", "del", host.name)


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
