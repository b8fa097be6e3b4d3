"""Takes the pictures: `make shots`, into dist/shots and docs/pictures.

`make shots SHOTS="widget console-queue"` takes those with these names. It starts the service with a
database of its own in a temporary folder, and stops it at the end. To add a picture, add a line to
SHOTS of `shop.py` or `console.py`; look at each that changed.
"""

import asyncio
import sys
from collections.abc import Iterable

from scripts.shots import console, shop
from scripts.shots.camera import Shot, take
from scripts.shots.service import service


def main() -> None:
    """Fill the service, and take the pictures named as arguments, by default all."""
    names = sys.argv[1:]
    shops, pages = _named(shop.SHOTS, names), _named(console.SHOTS, names)
    with service() as started:
        operator = console.Operator(started, "maria")
        operator.fill()
        shop.fill(started.url)
        with console.visitors(started.url):
            asyncio.run(take(started.url, shops, shop.prepare))
            asyncio.run(take(started.url, pages, operator.sign_in))
    print("The pictures are in dist/shots and docs/pictures.")  # noqa: T201 - its output


def _named(shots: Iterable[Shot], names: list[str]) -> list[Shot]:
    return [shot for shot in shots if not names or shot.name in names]


if __name__ == "__main__":
    main()
