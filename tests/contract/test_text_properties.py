"""Property tests of texts and request bodies."""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import unicodedata2 as unicodedata
from falcon.testing import ASGIConductor
from hypothesis import example, given, settings
from hypothesis import strategies as st

from atelier.http.app import create_service
from atelier.http.common import json_body
from atelier.http.common.writing import texts
from atelier.http.common.writing.spam import SpamGuards
from atelier.settings import Settings
from atelier.store.moderation.matching import BlockedWords, nfkc_casefold
from tests.contract.test_without_database import NOWHERE

NORMALIZERS = [texts.normalize_lines, texts.normalize_line, texts.normalize_address]

# Any code point, including surrogates, and often one with a rule of its own.
_special = st.sampled_from(
    "\t\n\r \x85\xa0\u0301\u0323\u0344\u0958\u034f\u200b\u2028\u2029\u202a\u202b\u202c\u202d\u202e"
    "\u2066\u2067\u2068\u2069\u3164\u2800\ufdd0\ufe0f\uffff\U0010ffff\ud83d\U0001e4ec\u1100\u1161"
)
_text = st.text(_special | st.characters(codec=None, exclude_categories=())).filter(bool)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=8,
)


def _is_forbidden(character: str) -> bool:
    number = ord(character)
    category = unicodedata.category(character)
    return (
        (category in {"Cc", "Cs"} and character not in "\t\n")
        or 0xFDD0 <= number <= 0xFDEF
        or number & 0xFFFE == 0xFFFE
    )


@pytest.mark.parametrize("normalize", NORMALIZERS)
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(sent=_text)
@example(sent="\u0344" * 15)
@example(sent=" \u0301")
def test_normalization_is_idempotent_and_leaves_no_forbidden_characters(
    normalize: Callable[[str], str], sent: str
) -> None:
    with suppress(texts.InvalidTextError):
        normalized = normalize(sent)
        assert normalize(normalized) == normalized
        assert unicodedata.normalize("NFC", normalized) == normalized
        assert not any(map(_is_forbidden, normalized))
        assert normalize is texts.normalize_lines or not {*"\t\n\u2028\u2029"} & {*normalized}


def test_no_canonical_decomposition_is_longer_than_the_limit() -> None:
    for number in range(0x110000):
        parts = unicodedata.normalize("NFD", chr(number))
        assert len(parts) <= texts.MAX_DECOMPOSITION


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(content=st.binary() | _text.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_parser_returns_a_value_or_raises_value_error(content: bytes) -> None:
    with suppress(ValueError):
        json_body.parse(content)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(value=_json)
def test_json_without_duplicate_names_is_parsed_like_the_standard_library(value: object) -> None:
    content = json.dumps(value)
    if re.search(r"NaN|Infinity", content):
        return
    parsed = json_body.parse(content.encode())
    assert json.dumps(parsed) == content or re.search(r"[0-9]{20}", content)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(name=_text, value=_json, levels=st.integers(0, 20))
def test_duplicate_name_is_rejected_at_any_depth(name: str, value: object, levels: int) -> None:
    member = f"{json.dumps(name)}:{json.dumps(value, default=str)}"
    content = (
        '{"a":[' * levels + "{" + f'{member},"{"other" * 20}":0,{member}' + "}" + "]}" * levels
    )
    if re.search(r"NaN|Infinity", content):
        return
    with pytest.raises(ValueError, match="duplicate name") as error:
        json_body.parse(content.encode())
    assert json.dumps(name[:60]) in str(error.value)
    assert str(error.value).isascii()


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(entries=st.lists(_text), text=_text)
def test_spam_guards_accept_any_text(entries: list[str], text: str) -> None:
    storable = text.encode("utf-8", "replace").decode()
    words = BlockedWords(entries)
    guards = SpamGuards(0, words, "website", rejects_repeats=True)
    violations = list(guards.violations({"website": text}, {"body": storable}))
    assert violations[0] == ("website", "must be left empty")
    assert words.occur_in(nfkc_casefold(storable)) == (
        ("body", "must not contain blocked words") in violations
    )
    assert guards.digest(storable) == guards.digest(f" {storable.casefold()}\n")


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    fields=st.dictionaries(
        st.sampled_from(["body", "name", "email", "product_id", "photos", "more"]), _json
    )
)
async def test_no_post_causes_an_internal_error(fields: dict[str, Any]) -> None:
    async with ASGIConductor(create_service(Settings(request_timeout=1), NOWHERE).app) as conductor:
        for path in ("/qa/questions", "/qa/questions/5/answers"):
            content = json.dumps(fields).encode()
            response = await conductor.simulate_post(path, body=content)
            assert response.status_code in {400, 422, 503}
            assert response.text.startswith("Error: ")
