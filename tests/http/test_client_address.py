"""The client's address behind a proxy and without one."""

import falcon.asgi
import falcon.testing
import pytest

from atelier.http.common.client_address import client_address


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        (None, "203.0.113.7", "203.0.113.7"),
        (None, "8.8.8.8, 203.0.113.7", "203.0.113.7"),
        (None, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        (None, "::ffff:203.0.113.7", "203.0.113.7"),
        (None, None, ""),
        (None, "unknown", ""),
        (None, "203.0.113.7,", ""),
        (None, "unix:", ""),
        ("127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.5", "203.0.113.7", "203.0.113.7"),
        ("::ffff:10.0.0.5", "203.0.113.7", "203.0.113.7"),
        ("fd00::5", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.5", None, "10.0.0.5"),
        ("8.8.4.4", "203.0.113.7", "8.8.4.4"),
        ("2a00:1450:1:2:3::1", "203.0.113.7", "2a00:1450:1:2::"),
    ],
)
def test_forwarded_address_is_accepted_only_from_private_networks(
    peer: str | None, forwarded: str | None, address: str
) -> None:
    headers = {"X-Forwarded-For": forwarded} if forwarded is not None else {}
    scope = falcon.testing.create_scope(headers=headers)
    scope["client"] = peer and (peer, 5555)
    req = falcon.asgi.Request(scope, falcon.testing.ASGIRequestEventEmitter())
    assert client_address(req) == address
