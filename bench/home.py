"""The folder outside the repository that keeps generated data: ATELIER_BENCH_HOME."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from atelier.errors import AtelierError
from atelier.local.host.locks import exclusive
from bench.processes import ROOT


@dataclass(frozen=True, slots=True)
class BenchHome:
    """Exports, the embedded PostgreSQL with the loaded data, and logs."""

    path: Path

    @classmethod
    def open(cls) -> "BenchHome":
        """Open the folder; create it if missing."""
        given = os.environ.get("ATELIER_BENCH_HOME")
        path = Path(given).absolute() if given else Path.home() / ".cache" / "atelier-bench"
        path.mkdir(parents=True, exist_ok=True)
        return cls(path)

    @property
    def postgresql(self) -> Path:
        """The home of the embedded PostgreSQL."""
        return self.path / "postgresql"

    def export(self, products: int) -> Path:
        """Return the folder of an export (existing or not), named after the generator's digest."""
        return self.path / "exports" / f"{products}-{digest(_package('transfer') / 'generator')}"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Allow one benchmark at a time in the folder; raise AtelierError if one is running."""
        path = self.path / "lock"
        try:
            with exclusive(path, wait=False) as file:
                file.truncate(0)
                file.write(str(os.getpid()))
                file.flush()
                yield
        except BlockingIOError as error:
            raise AtelierError(
                f"A benchmark is running in {self.path} already (process {path.read_text()}): "
                "wait for it, or set ATELIER_BENCH_HOME to another folder."
            ) from error

    @contextmanager
    def scratch(self, name: str) -> Iterator[Path]:
        """Yield an empty folder that is removed afterwards."""
        folder = self.path / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def schema_digest() -> str:
    """Return a digest that changes when loading would create a different database."""
    return digest(
        _package("store") / "migrations", _package("transfer") / "generator", ROOT / "bench" / "sql"
    )


def digest(*folders: Traversable) -> str:
    """Return a short hash of all files in folders."""
    total = hashlib.sha256()
    for file in _all_files(folders):
        total.update(file.read_bytes())
    return total.hexdigest()[:12]


def _all_files(paths: tuple[Traversable, ...]) -> Iterator[Traversable]:
    for path in sorted(paths, key=lambda path: path.name):
        if path.is_file():
            yield from [path] if path.name.endswith((".py", ".sql")) else []
        else:
            yield from _all_files(tuple(path.iterdir()))


def _package(name: str) -> Traversable:
    return files("atelier") / name
