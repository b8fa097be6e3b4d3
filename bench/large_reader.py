"""A client that asks for one address again and again, and throws away what it gets."""

import sys
import urllib.request

_CHUNK = 1 << 20


def main() -> None:
    """Read the address given as the first argument until this process is stopped."""
    while True:
        with urllib.request.urlopen(sys.argv[1], timeout=60) as response:  # noqa: S310 - the runner's
            while response.read(_CHUNK):
                pass


if __name__ == "__main__":
    main()
