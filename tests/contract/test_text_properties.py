"""What holds for texts and bodies whatever was sent."""

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
from atelier.http.qa import texts
from atelier.http.qa.spam import BlockedWords, SpamGuards, folded
from atelier.settings import Settings
from tests.contract.test_without_database import NOWHERE

FORMS = [texts.lines, texts.line, texts.address]

# Any code point, half surrogates too, and often those that rules are about.
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


def _is_never_kept(character: str) -> bool:
    number = ord(character)
    category = unicodedata.category(character)
    return (
        (category in {"Cc", "Cs"} and character not in "\t\n")
        or 0xFDD0 <= number <= 0xFDEF
        or number & 0xFFFE == 0xFFFE
    )


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(sent=_text)
@example(sent="\u0344" * 15)
@example(sent=" \u0301")
def test_the_form_of_a_text_is_its_own_form_and_has_nothing_refused(
    form: Callable[[str], str], sent: str
) -> None:
    with suppress(texts.TextError):
        kept = form(sent)
        assert form(kept) == kept
        assert unicodedata.normalize("NFC", kept) == kept
        assert not any(map(_is_never_kept, kept))
        assert form is texts.lines or not {*"\t\n\u2028\u2029"} & {*kept}


def test_no_code_point_of_the_kept_form_comes_from_more_than_the_bound_says() -> None:
    for number in range(0x110000):
        parts = unicodedata.normalize("NFD", chr(number))
        assert len(parts) <= texts.MOST_PARTS


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(content=st.binary() | _text.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_a_body_is_json_or_said_not_to_be(content: bytes) -> None:
    with suppress(ValueError):
        json_body.parse(content)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(value=_json)
def test_json_without_repeated_names_is_read_as_python_reads_it(value: object) -> None:
    content = json.dumps(value)
    if re.search(r"NaN|Infinity", content):
        return
    parsed = json_body.parse(content.encode())
    assert json.dumps(parsed) == content or re.search(r"[0-9]{20}", content)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(name=_text, value=_json, levels=st.integers(0, 20))
def test_a_name_given_twice_is_refused_at_any_depth(name: str, value: object, levels: int) -> None:
    member = f"{json.dumps(name)}:{json.dumps(value, default=str)}"
    content = (
        '{"a":[' * levels + "{" + f'{member},"{"other" * 20}":0,{member}' + "}" + "]}" * levels
    )
    if re.search(r"NaN|Infinity", content):
        return
    with pytest.raises(ValueError, match="twice in one object") as error:
        json_body.parse(content.encode())
    assert json.dumps(name[:60]) in str(error.value)
    assert str(error.value).isascii()


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(entries=st.lists(_text), text=_text)
def test_guards_take_any_text(entries: list[str], text: str) -> None:
    kept = text.encode("utf-8", "replace").decode()
    words = BlockedWords(entries)
    guards = SpamGuards(0, words, "website", is_repeat_refused=True)
    said = list(guards.objections({"website": text}, {"body": kept}))
    assert said[0] == "website: must be left empty"
    assert words.are_in(folded(kept)) == ("body: must not have words that are blocked here" in said)
    assert guards.digest(kept) == guards.digest(f" {kept.casefold()}\n")


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    fields=st.dictionaries(
        st.sampled_from(["body", "name", "email", "product_id", "photos", "more"]), _json
    )
)
async def test_no_post_is_an_internal_error(fields: dict[str, Any]) -> None:
    async with ASGIConductor(create_service(Settings(request_timeout=1), NOWHERE).app) as alone:
        for path in ("/qa/questions", "/qa/questions/5/answers"):
            content = json.dumps(fields).encode()
            response = await alone.simulate_post(path, body=content)
            assert response.status_code in {400, 422, 503}
            assert response.text.startswith("Error: ")
