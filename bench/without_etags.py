"""`python -m bench.without_etags serve …`: `atelier serve`, but without computing ETags under /v1.

Every ETag is the same, which only a benchmark can live with.
"""

from atelier.cli import main
from atelier.http.v1 import responses

if __name__ == "__main__":
    responses.Content.etag = 'W/"0"'  # type: ignore[method-assign,assignment] # a constant for a property
    main()
