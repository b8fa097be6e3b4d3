"""Links with which authors see their own posts: who has one may see the post, without signing in.

A token is the post's id and a keyed hash of it, so nothing is stored, and every repeat of a request
gets the same link.
"""

import base64
import hmac
import re
from typing import NamedTuple

from atelier.http.common.writing.secret import derive_key
from atelier.store.writes import Target

_TOKEN = re.compile(r"([qa])(-?[1-9][0-9]{0,18})\.([A-Za-z0-9_-]{22})", re.ASCII)
_SIGNATURE_BYTES = 16
_TARGETS: dict[str, Target] = {"q": "question", "a": "answer"}
_MAX_ID = 2**63 - 1


class Post(NamedTuple):
    """A question or an answer."""

    target: Target
    id: int


class StatusLinks:
    """Makes and checks these links."""

    def __init__(self, secret: bytes) -> None:
        """Take the secret."""
        self._key = derive_key(secret, "status links")

    def path(self, post: Post) -> str:
        """Return the path of a post's link."""
        return f"/v1/posts/{post.target[0]}{post.id}.{self._signature(post)}"

    def post(self, token: str) -> Post | None:
        """Return the post of a token; None if it is not a valid one."""
        match = _TOKEN.fullmatch(token)
        if match is None or abs(int(match[2])) > _MAX_ID:
            return None
        post = Post(_TARGETS[match[1]], int(match[2]))
        return post if hmac.compare_digest(self._signature(post), match[3]) else None

    def _signature(self, post: Post) -> str:
        text = f"{post.target} {post.id}".encode()
        digest = hmac.digest(self._key, text, "sha256")[:_SIGNATURE_BYTES]
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
