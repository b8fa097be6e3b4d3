"""What is fuzzed, and what must hold for any input.

An exception that leaves a target is a finding; atheris then keeps the input.
"""

import asyncio
from collections.abc import Callable

import falcon
import falcon.testing
from falcon.util.uri import parse_query_string

from atelier.errors import AtelierError
from atelier.http.app import create_service
from atelier.http.common.errors import ApiError
from atelier.http.fast_path import simple_params
from atelier.http.qa import params
from atelier.settings import Settings
from tests.transfer.reading import HEADER, ROW
from tests.transfer.test_reader_properties import read_bytes, read_slowly

Target = Callable[[bytes], None]
"""Takes an input; raises if something does not hold."""

_NO_DATABASE = "postgresql://nobody@127.0.0.1:1/none"
_REFUSED = {400, 413, 415, 422}
_VALID = 503  # there is no database
_PATHS = ("/qa/questions", "/qa/questions/1/answers")
_TYPES = ("application/json", "application/x-www-form-urlencoded")


def query(data: bytes) -> None:
    """Parse a query string: a page or the contract's refusal, the same on both paths."""
    text = data.decode("latin-1")
    general = _page(parse_query_string(text, keep_blank=True, csv=False))
    if (plain := simple_params(text)) is not None:
        assert _page(plain) == general


def _page(values: params.Values) -> object:
    try:
        return params.questions_page(values)
    except ApiError as error:
        return error.status, error.description


def body_target() -> Target:
    """Return the target that posts a body: it is refused in the contract's form, or accepted.

    The first byte of an input chooses what is posted.
    """
    loop = asyncio.new_event_loop()
    app = create_service(Settings(), _NO_DATABASE).app
    conductor = falcon.testing.ASGIConductor(app)
    loop.run_until_complete(conductor.__aenter__())

    def post(data: bytes) -> None:
        choice = data[0] if data else 0
        answer = loop.run_until_complete(
            conductor.simulate_post(
                _PATHS[choice & 1],
                body=data[1:],
                headers={"Content-Type": _TYPES[choice >> 1 & 1]},
            )
        )
        assert answer.status_code in {*_REFUSED, _VALID}, answer.text
        assert answer.text.startswith("Error: "), answer.text

    return post


def csv(data: bytes) -> None:
    """Read a file of questions: pre-validated and exact reading agree, and no byte is lost."""
    content = HEADER + ROW + data
    fast, exact = read_bytes(content), read_slowly(content)
    assert fast.rejects == exact.rejects
    assert fast.rows == exact.rows
    assert sum(len(text) for _, text in fast.in_order) <= len(content)


def header(data: bytes) -> None:
    """Read a file whose first line may be anything: it is read, or refused in one line."""
    reason = ""
    try:
        read_bytes(data)
    except AtelierError as error:
        reason = str(error)
    assert reason.isprintable() or not reason


def target(name: str) -> Target:
    """Return a target by its name."""
    return {"query": query, "csv": csv, "header": header}.get(name) or body_target()
