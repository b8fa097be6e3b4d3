"""The instances behind nginx: how many, which generation, and how one gives way to the next."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from atelier.local.cluster.process import SupervisedProcess
from atelier.local.cluster.readiness import until_ready

MakeProcess = Callable[[str, Path], SupervisedProcess]
"""Makes the process that serves on a socket, of a name."""


@dataclass(slots=True)
class Instance:
    """A place behind nginx, and the process that has it now."""

    number: int
    socket: Path
    """What nginx connects to: a link to the process's own socket."""
    process: SupervisedProcess

    @property
    def name(self) -> str:
        """Return its name for people."""
        return f"instance {self.number}"


class InstanceGroup:
    """All instances. Those who give way finish their requests first (http/server.py)."""

    def __init__(self, folder: Path, make_process: MakeProcess) -> None:
        """Take the folder of the sockets, and what makes an instance's process."""
        self._folder = folder
        self._make_child = make_process
        self._generation = 0
        self._instances: list[Instance] = []

    def __iter__(self) -> Iterator[Instance]:
        """Go through the instances in the order of their numbers."""
        return iter(list(self._instances))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._instances)

    @property
    def sockets(self) -> list[Path]:
        """Return what nginx connects to."""
        return [instance.socket for instance in self._instances]

    async def grow(self, size: int) -> None:
        """Start instances until there are so many; return when all are ready."""
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
        """Stop the last ones until there are so many; nginx must have been told before."""
        leaving, self._instances = self._instances[size:], self._instances[:size]
        await asyncio.gather(*(instance.process.stop() for instance in leaving))
        for instance in leaving:
            instance.socket.resolve().unlink(missing_ok=True)
            instance.socket.unlink(missing_ok=True)

    async def renew(self, instance: Instance) -> None:
        """Start a new process in an instance's place; the old one goes when it is ready.

        Raises AtelierError if it does not get ready; the old one then serves on.
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
        left = instance.socket.resolve()
        _point(instance.socket, socket)
        await old.stop()
        left.unlink(missing_ok=True)

    async def stop(self) -> None:
        """Stop all."""
        await self.shrink(0)

    def _start(self, number: int) -> tuple[Path, SupervisedProcess]:
        socket = self._folder / f"instance-{number}.sock.{self._generation}"
        process = self._make_child(f"instance {number}", socket)
        process.start()
        return socket, process


def _point(link: Path, target: Path) -> None:
    """Have a link lead to another target from one moment to the next."""
    unfinished = link.with_name(f"{link.name}.new")
    unfinished.unlink(missing_ok=True)
    unfinished.symlink_to(target.name)
    unfinished.rename(link)
