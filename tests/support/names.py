"""A name server for tests, whose answers can change."""

import socket
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_A_RECORD, _POINTER_TO_QUESTION = 1, 0xC00C
_ANSWERED = 0x8180


class NameServer:
    """Answers every question for an IPv4 address with its current addresses (RFC 1035)."""

    def __init__(self, *addresses: str, port: int = 0) -> None:
        self.addresses = list(addresses)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", port))
        self.address = "{}:{}".format(*self._socket.getsockname())

    def close(self) -> None:
        self._socket.close()

    def serve(self) -> None:
        while True:
            query, client = self._socket.recvfrom(512)
            if query == b"stop":
                return
            self._socket.sendto(self._answer(query), client)

    def stop(self) -> None:
        self._socket.sendto(b"stop", self._socket.getsockname())

    def _answer(self, query: bytes) -> bytes:
        (number,) = struct.unpack_from(">H", query)
        end = query.index(0, 12) + 5  # the name's end, and the question's type and class
        (kind,) = struct.unpack_from(">H", query, end - 4)
        found = self.addresses if kind == _A_RECORD else []
        header = struct.pack(">6H", number, _ANSWERED, 1, len(found), 0, 0)
        return header + query[12:end] + b"".join(map(_record, found))


def _record(address: str) -> bytes:
    fixed = struct.pack(">HHHIH", _POINTER_TO_QUESTION, _A_RECORD, 1, 0, 4)
    return fixed + socket.inet_aton(address)


@contextmanager
def name_server(*addresses: str) -> Iterator[NameServer]:
    """Yield a running name server."""
    server = NameServer(*addresses)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()
        server.close()


if __name__ == "__main__":  # in the network namespace that stands for a container
    NameServer(*sys.argv[1:], port=53).serve()
