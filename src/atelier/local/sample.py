"""The sample: a small made-up export, loaded into an empty database."""

import shutil

from atelier.local.home import Home
from atelier.store.database import connect
from atelier.store.sql import queries
from atelier.transfer.generate import generate
from atelier.transfer.importer import import_export
from atelier.transfer.progress import Progress

PRODUCTS = 1_000
_SEED = 1
_IS_EMPTY: str = queries("atelier.local")["is_empty"]


async def is_empty(dsn: str) -> bool:
    """Say whether a migrated database holds no question."""
    connection = await connect(dsn)
    try:
        return bool(await connection.fetchval(_IS_EMPTY))
    finally:
        await connection.close()


async def load_sample(dsn: str, home: Home, progress: Progress) -> None:
    """Make the sample in the home folder, import it, and remove it again."""
    folder = home.path / "sample"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        generate(folder, products=PRODUCTS, seed=_SEED, progress=progress)
        await import_export(
            dsn,
            folder,
            rejects=folder / "rejects.csv",
            strict=True,
            replace=False,
            progress=progress,
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
