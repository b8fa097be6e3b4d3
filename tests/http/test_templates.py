"""Pages escape what anybody wrote."""

import jinja2
import pytest

from atelier.http.pages.templates import Templates

_HOSTILE = "\"'><script>alert(1)</script>&lt;"


def error_page(**values: object) -> str:
    given = {"title": "Not Found", "status": 404, "heading": "Not Found", "text": ""} | values
    return Templates("pages").render("error.html", **given).decode()


@pytest.mark.parametrize("place", ["title", "heading", "text"])
def test_a_value_is_escaped_wherever_it_stands(place: str) -> None:
    page = error_page(**{place: _HOSTILE})
    assert "<script" not in page
    assert "&#34;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;lt;" in page


def test_a_value_that_a_template_misses_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError):
        Templates("pages").render("error.html")


def test_a_version_is_that_of_its_templates() -> None:
    assert Templates("pages").version == Templates("pages").version
    assert Templates("pages").version != Templates("docs").version
