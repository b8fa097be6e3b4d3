"""Normalization and validation of posted texts.

The expected results do not depend on Python's version: these run on the oldest and the newest.
"""

from collections.abc import Callable

import httpx
import pytest

from atelier.http.common.writing import texts
from tests.contract.api import ADD_ANSWER, NEW_ANSWER, answers
from tests.contract.conftest import Shop
from tests.contract.posts import assert_refused, post
from tests.contract.test_idempotency import with_key

# Combining marks of Unicode 15 and 16, unknown to the older Python versions.
NEWER_MARKS = "x\U0001e4ec\U0001e4ee\u0897\u0323"

NORMALIZED = [
    ("e\u0301", "\u00e9"),
    ("\u1100\u1161\u11a8", "\uac01"),
    ("q\u0307\u0323", "q\u0323\u0307"),
    ("\u212b\u2126", "\u00c5\u03a9"),
    ("\ufb01", "\ufb01"),  # only NFKC decomposes ligatures
    (NEWER_MARKS, "x\U0001e4ee\u0323\u0897\U0001e4ec"),
    (" \u2003a b\u00a0\u3000", "a b"),
    ("👩\u200d👩\u200d👧\ufe0f", "👩\u200d👩\u200d👧\ufe0f"),
    ("\u05d0\u2067\u202bA\u202c\u2069", "\u05d0\u2067\u202bA\u202c\u2069"),
    ("\U0001fae8", "\U0001fae8"),  # an emoji of Unicode 15
]
FORBIDDEN = {
    "control": [*map(chr, {*range(0x20), *range(0x7F, 0xA0)} - {0x09, 0x0A})],
    "bidirectional": [
        *("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u202c\u2069"),
        *("\u202a\u2066\u202c\u2069", "\u202c\u202a"),
    ],
    "noncharacter": [
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


@pytest.mark.parametrize(("sent", "expected"), NORMALIZED, ids=ascii)
@pytest.mark.parametrize("normalize", [texts.normalize_lines, texts.normalize_line])
def test_text_is_normalized_to_nfc_and_trimmed(
    normalize: Callable[[str], str], sent: str, expected: str
) -> None:
    assert normalize(sent) == expected
    assert not texts.is_blank(expected)


@pytest.mark.parametrize(
    ("reason", "text"),
    [(reason, text) for reason, all_ in FORBIDDEN.items() for text in all_],
    ids=ascii,
)
@pytest.mark.parametrize(
    "normalize", [texts.normalize_lines, texts.normalize_line, texts.normalize_address]
)
def test_text_with_forbidden_characters_is_rejected(
    normalize: Callable[[str], str], reason: str, text: str
) -> None:
    for sent in (text, f"a{text}b", f" {text} "):
        with pytest.raises(texts.InvalidTextError, match=reason):
            normalize(sent)


def test_bidirectional_controls_must_be_balanced_in_each_paragraph() -> None:
    for sent in ("\u202ea\nb\u202c", "\u2067a\u2029b\u2069", "\u2067a\r\nb\u2069"):
        with pytest.raises(texts.InvalidTextError, match="bidirectional"):
            texts.normalize_lines(sent)
    assert (
        texts.normalize_lines("\u202ea\u202c\n\u2067b\u2028c\u2069")
        == "\u202ea\u202c\n\u2067b\u2028c\u2069"
    )


def test_only_a_body_can_contain_line_breaks_and_tabs() -> None:
    assert (
        texts.normalize_lines("\t\r\na\r\nb\n\n\tc\u2028d\u2029e\r\n")
        == "a\nb\n\n\tc\u2028d\u2029e"
    )
    for sent in ("a\tb", "a\nb", "a\r\nb", "a\u2028b", "a\u2029b"):
        for normalize in (texts.normalize_line, texts.normalize_address):
            with pytest.raises(texts.InvalidTextError):
                normalize(sent)


def test_address_with_directional_marks_is_rejected() -> None:
    for mark in "\u061c\u200e\u200f":
        assert texts.normalize_line(f"a{mark}b") == f"a{mark}b"
        with pytest.raises(texts.InvalidTextError):
            texts.normalize_address(f"a{mark}b")


@pytest.mark.parametrize("text", INVISIBLE, ids=ascii)
def test_text_without_visible_characters_is_blank(text: str) -> None:
    assert texts.is_blank(text)
    assert not texts.is_blank(f"{text}a{text}")


@pytest.mark.parametrize("name", ["body", "name"])
async def test_post_with_blank_or_forbidden_text_is_rejected(
    client: httpx.AsyncClient, shop: Shop, what: str, name: str
) -> None:
    forbidden = ["a\x0bb", "a\x7f", "\u202ea", "a\ufdd0", "a\U0010ffff", "a" + "\u0301" * 31]
    for text in [*INVISIBLE, *forbidden]:
        assert_refused(await post(client, shop, what, **{name: text}), what, name)


@pytest.mark.parametrize("name", ["body", "name", "email", "photos"])
async def test_error_names_the_field_and_the_character(
    client: httpx.AsyncClient, shop: Shop, name: str
) -> None:
    address = "https://example.com/\x9fa" if name == "photos" else "jane\x9f@example.com"
    response = await post(
        client, shop, "Answer", **{name: [address] if name == "photos" else address}
    )
    assert response.text == (
        "Error: Answer body contains invalid entries: "
        f"{name}: must not contain the control character U+009F"
    )


async def test_posted_texts_are_stored_normalized(client: httpx.AsyncClient, shop: Shop) -> None:
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


async def test_length_limits_apply_to_the_normalized_text(
    client: httpx.AsyncClient, shop: Shop, what: str
) -> None:
    for body in ("e\u0301" * 1000, "\r\n".join("a" * 500) + "a\r\n\r\n", "a".center(3000)):
        assert (await post(client, shop, what, body=body)).status_code == 201
    for body in ("e\u0301" * 1001, "\u0958" * 501):  # the second has two code points in NFC
        assert_refused(await post(client, shop, what, body=body), what, "body")


async def test_idempotency_key_applies_to_the_normalized_text(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    headers = with_key()
    for body, replayed in [("\u00e9", None), (" e\u0301\r\n", "true"), ("e", None)]:
        response = await ADD_ANSWER.call(
            client, shop.question_id, json={**NEW_ANSWER, "body": body}, headers=headers
        )
        assert response.headers.get("idempotency-replayed") == replayed
        assert response.status_code == (422 if body == "e" else 201)
