"""Sample data: a small generated export, imported into an empty database."""

import shutil

from atelier.local.host.home import Home
from atelier.store.connections.database import connect
from atelier.store.queries import queries
from atelier.transfer.generator import generate
from atelier.transfer.generator.files import PHOTOS
from atelier.transfer.generator.rows import PHOTO_URL
from atelier.transfer.importer.importer import import_export
from atelier.transfer.importer.publish import is_empty
from atelier.transfer.progress import Progress

PRODUCTS = 1_000
_SEED = 1
_QUERIES = queries("atelier.local.supervisor")


async def needs_sample(dsn: str) -> bool:
    """Return whether a migrated database has no rows."""
    connection = await connect(dsn)
    try:
        return await is_empty(connection)
    finally:
        await connection.close()


async def load_sample(dsn: str, home: Home, progress: Progress, photos: str = PHOTO_URL) -> None:
    """Generate the sample in the home folder, import it, and delete the files.

    `photos` is the address below which its photos are: by default one that does not exist.
    """
    folder = home.path / "sample"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        generate(folder, products=PRODUCTS, seed=_SEED, progress=progress)
        file = folder / PHOTOS
        file.write_bytes(file.read_bytes().replace(PHOTO_URL.encode(), photos.encode()))
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


async def move_photos(dsn: str, photos: str) -> None:
    """Let the sample's photos be below another address: the demo shop may have another port now."""
    connection = await connect(dsn)
    try:
        await connection.execute(_QUERIES["move_photos"], photos)
    finally:
        await connection.close()
