"""Clients that read and write continuously and check each response."""

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

_READERS = 4
_PAUSE_SECONDS = 0.002


class Traffic:
    """The requests of several clients and their responses; nothing is sent twice."""

    def __init__(self, product_id: int, question_id: int) -> None:
        self.answers: Counter[str] = Counter()
        self.unexpected: list[str] = []
        self.posted: list[str] = []
        """Bodies of the questions whose POST returned 201."""
        self.votes = 0
        self._product_id = product_id
        self._question_id = question_id
        self._numbers = itertools.count()

    def read(self, client: httpx.Client) -> None:
        page = client.get(f"/qa/questions?product_id={self._product_id}&count=1")
        if self._is_expected(page, 200) and page.json()["product_id"] != str(self._product_id):
            self.unexpected.append(page.text)

    def post(self, client: httpx.Client) -> None:
        body = f"Question {next(self._numbers)}?"
        question = {"body": body, "name": "n", "email": "n@e.com", "product_id": self._product_id}
        if self._is_expected(client.post("/qa/questions", json=question), 201):
            self.posted.append(body)

    def vote(self, client: httpx.Client) -> None:
        response = client.put(f"/qa/questions/{self._question_id}/helpful")
        self.votes += self._is_expected(response, 204)

    def _is_expected(self, response: httpx.Response, status: int) -> bool:
        method = response.request.method
        self.answers[f"{method} {response.status_code}"] += 1
        if response.status_code != status:
            self.unexpected.append(f"{method}: {response.status_code} {response.text}")
        return response.status_code == status


@contextmanager
def traffic(url: str, product_id: int, question_id: int) -> Iterator[Traffic]:
    """Read, post and vote in the context."""
    seen, stop = Traffic(product_id, question_id), threading.Event()

    def repeat(action: Callable[[httpx.Client], None]) -> None:
        with httpx.Client(base_url=url, timeout=20) as client:
            while not stop.wait(_PAUSE_SECONDS):
                try:
                    action(client)
                except httpx.HTTPError as error:
                    seen.unexpected.append(repr(error))

    actions = [seen.read] * _READERS + [seen.post, seen.vote]
    threads = [threading.Thread(target=repeat, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        stop.set()
        for thread in threads:
            thread.join()
