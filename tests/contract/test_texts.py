"""Texts of posts: one form, whatever was typed, and nothing that nobody can see.

What is expected does not depend on the version of Python: these run on the oldest and the newest.
"""

from collections.abc import Callable

import httpx
import pytest

from atelier.http.qa import texts
from tests.contract.api import ADD_ANSWER, NEW_ANSWER, answers
from tests.contract.conftest import Shop
from tests.contract.posts import assert_refused, post
from tests.contract.test_idempotency import with_key

# Marks of Unicode 15 and 16, which some versions of Python sort and others do not know.
NEWER_MARKS = "x\U0001e4ec\U0001e4ee\u0897\u0323"

FORMS = [
    ("e\u0301", "\u00e9"),
    ("\u1100\u1161\u11a8", "\uac01"),
    ("q\u0307\u0323", "q\u0323\u0307"),
    ("\u212b\u2126", "\u00c5\u03a9"),
    ("\ufb01", "\ufb01"),  # a ligature is of another form, NFKC
    (NEWER_MARKS, "x\U0001e4ee\u0323\u0897\U0001e4ec"),
    (" \u2003a b\u00a0\u3000", "a b"),
    ("👩\u200d👩\u200d👧\ufe0f", "👩\u200d👩\u200d👧\ufe0f"),
    ("\u05d0\u2067\u202bA\u202c\u2069", "\u05d0\u2067\u202bA\u202c\u2069"),
    ("\U0001fae8", "\U0001fae8"),  # an emoji of Unicode 15
]
REFUSED = {
    "control": [*map(chr, {*range(0x20), *range(0x7F, 0xA0)} - {0x09, 0x0A})],
    "direction": [
        *("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u202c\u2069"),
        *("\u202a\u2066\u202c\u2069", "\u202c\u202a"),
    ],
    "no character": [
        *("\ud800\udfff\ufdd0\ufdef\ufffe\uffff"),
        *(chr(plane * 0x10000 + last) for plane in range(1, 17) for last in (0xFFFE, 0xFFFF)),
    ],
    "combining marks": ["\u0301" * 31, "\u0344" * 16, "\u0958".ljust(31, "\u0301")],
}
INVISIBLE = [
    *("\u200b", "\u200d\u2060\ufeff", "\u00ad", "\u3164", "\u2800", "\ufe0f\U000e0100", "\u0301"),
    *("\u115f\u1160\uffa0", "\u180e", "\U000e0041", "\U0001d159", "\u0897", "\u0903", "\u20dd"),
    *("\u061c\u200e", "\u2067\u2069", "".join(map(chr, range(0x2000, 0x2010))), "\u2028\u2029"),
    *(" \u0301 ", "\u034f", "\u17b4\u17b5", "\ufff9\ufffb", "\U0001bca0"),
]


@pytest.mark.parametrize(("sent", "kept"), FORMS, ids=ascii)
@pytest.mark.parametrize("form", [texts.lines, texts.line])
def test_a_text_has_one_form(form: Callable[[str], str], sent: str, kept: str) -> None:
    assert form(sent) == kept
    assert not texts.is_blank(kept)


@pytest.mark.parametrize(
    ("reason", "text"),
    [(reason, text) for reason, all_ in REFUSED.items() for text in all_],
    ids=ascii,
)
@pytest.mark.parametrize("form", [texts.lines, texts.line, texts.address])
def test_what_nobody_types_is_refused_wherever_it_stands(
    form: Callable[[str], str], reason: str, text: str
) -> None:
    marks = "marks of writing direction" if form is texts.address else "direction"
    for sent in (text, f"a{text}b", f" {text} "):
        with pytest.raises(texts.TextError, match=marks if reason == "direction" else reason):
            form(sent)


def test_a_change_of_direction_ends_in_its_paragraph() -> None:
    for sent in ("\u202ea\nb\u202c", "\u2067a\u2029b\u2069", "\u2067a\r\nb\u2069"):
        with pytest.raises(texts.TextError, match="direction"):
            texts.lines(sent)
    assert (
        texts.lines("\u202ea\u202c\n\u2067b\u2028c\u2069") == "\u202ea\u202c\n\u2067b\u2028c\u2069"
    )


def test_only_a_body_has_lines_and_tabs() -> None:
    assert texts.lines("\t\r\na\r\nb\n\n\tc\u2028d\u2029e\r\n") == "a\nb\n\n\tc\u2028d\u2029e"
    for sent in ("a\tb", "a\nb", "a\r\nb", "a\u2028b", "a\u2029b"):
        for form in (texts.line, texts.address):
            with pytest.raises(texts.TextError):
                form(sent)


def test_an_address_has_no_marks_of_writing_direction() -> None:
    for mark in "\u061c\u200e\u200f":
        assert texts.line(f"a{mark}b") == f"a{mark}b"
        with pytest.raises(texts.TextError):
            texts.address(f"a{mark}b")


@pytest.mark.parametrize("text", INVISIBLE, ids=ascii)
def test_what_cannot_be_seen_is_blank(text: str) -> None:
    assert texts.is_blank(text)
    assert not texts.is_blank(f"{text}a{text}")


@pytest.mark.parametrize("name", ["body", "name"])
async def test_a_post_of_such_a_text_is_refused(
    client: httpx.AsyncClient, shop: Shop, what: str, name: str
) -> None:
    held = ["a\x0bb", "a\x7f", "\u202ea", "a\ufdd0", "a\U0010ffff", "a" + "\u0301" * 31]
    for text in [*INVISIBLE, *held]:
        assert_refused(await post(client, shop, what, **{name: text}), what, name)


@pytest.mark.parametrize("name", ["body", "name", "email", "photos"])
async def test_a_post_names_the_field_and_what_is_wrong_with_it(
    client: httpx.AsyncClient, shop: Shop, name: str
) -> None:
    address = "https://example.com/\x9fa" if name == "photos" else "jane\x9f@example.com"
    response = await post(
        client, shop, "Answer", **{name: [address] if name == "photos" else address}
    )
    assert response.text == (
        "Error: Answer body contains invalid entries: "
        f"{name}: must not hold the control character U+009F"
    )


async def test_a_post_is_stored_in_the_form_of_its_texts(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    sent = {
        "body": " e\u0301\r\nb ",
        "name": "\u3000Rene\u0301 ",
        "photos": ["https://example.com/e\u0301"],
    }
    response = await ADD_ANSWER.call(client, shop.question_id, json={**NEW_ANSWER, **sent})
    assert response.status_code == 201
    answer = (await answers(client, shop.question_id))[0]
    assert (answer["body"], answer["answerer_name"]) == ("\u00e9\nb", "Ren\u00e9")
    assert [photo["url"] for photo in answer["photos"]] == ["https://example.com/\u00e9"]


async def test_lengths_are_those_of_what_is_stored(
    client: httpx.AsyncClient, shop: Shop, what: str
) -> None:
    for body in ("e\u0301" * 1000, "\r\n".join("a" * 500) + "a\r\n\r\n", "a".center(3000)):
        assert (await post(client, shop, what, body=body)).status_code == 201
    for body in ("e\u0301" * 1001, "\u0958" * 501):  # the second has two code points in NFC
        assert_refused(await post(client, shop, what, body=body), what, "body")


async def test_the_same_text_put_differently_is_the_same_write(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    headers = with_key()
    for body, replayed in [("\u00e9", None), (" e\u0301\r\n", "true"), ("e", None)]:
        response = await ADD_ANSWER.call(
            client, shop.question_id, json={**NEW_ANSWER, "body": body}, headers=headers
        )
        assert response.headers.get("idempotency-replayed") == replayed
        assert response.status_code == (422 if body == "e" else 201)
