"""Files of rules: whatever is in one, it is read or refused with what is wrong."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atelier.store.moderation import rule_files, rules
from atelier.store.moderation.rule_files import InvalidRulesError
from atelier.store.moderation.trial import visible

_KEYS = (
    *("name", "kind", "action", "applies_to", "message", "words", "max", "within_hours", "on"),
    *("within_days", "new_for_hours", "wrods"),
)
_VALUES = (
    *('"casino"', '"words"', '"links"', '"repeated"', '"new_address"', '"hold"', '"refuse"'),
    *('["casino", "#"]', '["questions"]', "[[1]]", "[{}]", "{a = 1}", "0", "-1", "2.5", "nan"),
    *("inf", "true", "1979-05-27", '"\\u0000"', '"product"', "99999999999999999999999999", '""'),
)
_LINES = st.sampled_from([f"{key} = {value}" for key in _KEYS for value in _VALUES])
_TABLES = st.lists(_LINES, max_size=7, unique_by=lambda line: line.split()[0])


def read(source: str) -> tuple[rules.Rule, ...]:
    try:
        return rule_files.parse(source)
    except InvalidRulesError:
        return ()


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(tables=st.lists(_TABLES, max_size=3))
def test_any_keys_and_values_are_read_or_refused(tables: list[list[str]]) -> None:
    found = read("".join("[[rule]]\n" + "\n".join(table) + "\n" for table in tables))
    assert len(found) in (0, len(tables))


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(text=st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    read(text)
    assert visible(text, 20).isprintable()


@pytest.mark.parametrize(
    "source",
    [
        "[" * 60_000,
        "a = " + "[" * 60_000,
        "a." * 30_000 + "a = 1",
        "'a' . " * 10_000 + "a = 1",
        "rule = " + "9" * 5_000,
        "\0",
        "\ud800",
    ],
)
def test_hostile_texts_are_refused(source: str) -> None:
    with pytest.raises(InvalidRulesError):
        rule_files.parse(source)


def test_words_are_found_as_the_spam_guards_find_them() -> None:
    source = '[[rule]]\nname="c"\nkind="words"\naction="hold"\nwords=["cheap  watches", "c#"]'
    [rule] = rule_files.parse(source)
    for text, is_found in (
        ("CHEAP\nwatches!", True),
        ("che\u200bap watch\u0435s", True),
        ("cheap-skate watches", False),
        ("vitamin C#", True),
    ):
        fields = rules.folded({"body": text, "name": "jane"})
        assert (rules.violation(rule, fields) is not None) is is_found, text
