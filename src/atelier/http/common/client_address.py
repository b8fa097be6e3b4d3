"""Where a request comes from, as nginx says it."""

import falcon.asgi


def client_address(req: falcon.asgi.Request) -> str:
    """Return the client's address: the last of X-Forwarded-For, which nginx appends.

    What stands before it was said by the client. Without nginx it is the connection's other end.
    """
    said: str = req.get_header("X-Forwarded-For", default="")
    return said.rpartition(",")[2].strip() or str(req.remote_addr)
