"""A client that requests one URL repeatedly, and discards the responses."""

import sys
import urllib.request

_CHUNK = 1 << 20


def main() -> None:
    """Request the URL given as the first argument until terminated."""
    while True:
        with urllib.request.urlopen(sys.argv[1], timeout=60) as response:  # noqa: S310 - a local URL
            while response.read(_CHUNK):
                pass


if __name__ == "__main__":
    main()
