"""The instances behind nginx: starting, stopping and replacing their processes."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from atelier.local.cluster.process import SupervisedProcess
from atelier.local.cluster.readiness import until_ready

MakeProcess = Callable[[str, Path], SupervisedProcess]
"""Creates a process from its name and the socket it serves on."""


@dataclass(slots=True)
class Instance:
    """A numbered upstream of nginx, and the process that currently serves it."""

    number: int
    socket: Path
    """The path in nginx's configuration: a symbolic link to the process's socket."""
    process: SupervisedProcess

    @property
    def name(self) -> str:
        """Return its display name."""
        return f"instance {self.number}"


class InstanceGroup:
    """All instances. A stopped instance finishes its requests first (http/server.py)."""

    def __init__(self, folder: Path, make_process: MakeProcess) -> None:
        """Take the folder of the sockets, and the factory of instance processes."""
        self._folder = folder
        self._make_process = make_process
        self._generation = 0
        self._instances: list[Instance] = []

    def __iter__(self) -> Iterator[Instance]:
        """Iterate over the instances in the order of their numbers."""
        return iter(list(self._instances))

    def __len__(self) -> int:
        """Return the number of instances."""
        return len(self._instances)

    @property
    def sockets(self) -> list[Path]:
        """Return the upstream sockets for nginx."""
        return [instance.socket for instance in self._instances]

    async def grow(self, size: int) -> None:
        """Start instances up to a number; return when all are ready."""
        self._generation += 1
        new = [self._start(number) for number in range(len(self) + 1, size + 1)]
        try:
            for number, (socket, process) in enumerate(new, len(self) + 1):
                await until_ready(socket, process)
                link = self._folder / f"instance-{number}.sock"
                _point(link, socket)
                self._instances.append(Instance(number, link, process))
        except BaseException:
            serving = {instance.process for instance in self._instances}
            await asyncio.gather(*(process.stop() for _, process in new if process not in serving))
            raise

    async def shrink(self, size: int) -> None:
        """Stop the last instances down to a number; reload nginx's configuration first."""
        removed, self._instances = self._instances[size:], self._instances[:size]
        await asyncio.gather(*(instance.process.stop() for instance in removed))
        for instance in removed:
            instance.socket.resolve().unlink(missing_ok=True)
            instance.socket.unlink(missing_ok=True)

    async def replace(self, instance: Instance) -> None:
        """Start a new process for an instance, and stop the old one when the new one is ready.

        Raises AtelierError if it does not get ready; the old one then keeps serving.
        """
        self._generation += 1
        socket, process = self._start(instance.number)
        try:
            await until_ready(socket, process)
        except BaseException:
            await process.stop()
            raise
        old, instance.process = instance.process, process
        process.exits += old.exits
        old_socket = instance.socket.resolve()
        _point(instance.socket, socket)
        await old.stop()
        old_socket.unlink(missing_ok=True)

    async def stop(self) -> None:
        """Stop all instances."""
        await self.shrink(0)

    def _start(self, number: int) -> tuple[Path, SupervisedProcess]:
        socket = self._folder / f"instance-{number}.sock.{self._generation}"
        process = self._make_process(f"instance {number}", socket)
        process.start()
        return socket, process


def _point(link: Path, target: Path) -> None:
    """Point a symbolic link to another target atomically."""
    temporary = link.with_name(f"{link.name}.new")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target.name)
    temporary.rename(link)
