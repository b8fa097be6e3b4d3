"""`python -m bench.without_etags serve …`: `atelier serve`, but without hashing bodies under /v1.

Every ETag is the same, which only a benchmark can live with.
"""

from atelier.cli import main
from atelier.http.v1 import responses

_TAG = responses.etag(b"")


def _constant(body: bytes) -> str:  # noqa: ARG001 - as the function that it replaces
    return _TAG


if __name__ == "__main__":
    responses.etag = _constant
    main()
