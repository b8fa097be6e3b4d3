"""Reads pages as the HTML standard says a browser does, and hostile texts to put into them."""

import json
from typing import Any
from xml.etree.ElementTree import Element

from tinyhtml5.parser import HTMLParser

HOSTILE_TEXTS = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</SCRIPT ><img src=x onerror=alert(1)>",
    "<!--<script>",
    "--><svg/onload=alert(1)>",
    "]]><b>bold</b>",
    "\"' onmouseover=alert(1) x='",
    "&lt;i&gt; &amp; &#60;i&#62;",
    "{{ 7 * 7 }}{% raw %}${7*7}",
    "javascript:alert(1)",
    "</title></p></h1></article></main><iframe src=//evil.example>",
    "\\u003c/script\\u003e \\ \" ' ` \u2028 \u2029",
    "\u2067\u05e9\u05dc\u05d5\u05dd\u2069 abc \u202dleft\u202c",  # a Hebrew word
    "مرحبا: (1 < 2) & 3 > 2",
    "👩‍👩‍👧 zwj é 漢字",
]
"""Texts that were harmful in some page, and that the API accepts."""
CONTROLS = [
    "\u202egnp.txe",
    "\u2066 never closed",
    "\u2069\u202c closed twice",
    "a\x9f\uffffb\x01c",
]
"""Texts that only an import can bring: unbalanced controls of direction, and other controls."""


def parse(page: str) -> tuple[Element, list[str]]:
    """Return the document element of a page, and where it breaks the rules of HTML."""
    parser = HTMLParser(namespace_html_elements=False)
    document = parser.parse(page)
    return document, [f"{position}: {code} {data}" for position, code, data in parser.errors]


def texts(document: Element, path: str) -> list[str]:
    """Return the texts of the elements that an XPath finds."""
    return ["".join(element.itertext()) for element in document.iterfind(path)]


def attributes(document: Element, path: str, name: str) -> list[str]:
    """Return an attribute of each element that an XPath finds."""
    return [element.get(name, "") for element in document.iterfind(path)]


def structured_data(document: Element) -> list[Any]:
    """Return the JSON-LD objects of a page."""
    blocks = texts(document, ".//script[@type='application/ld+json']")
    return [json.loads(text) for text in blocks]
