"""The telling words of a text, without the endings in which texts differ."""

import re

from atelier.store.search.folding import BOUNDARY, fold

_MAX_STEMS = 6
"""How many words of a text count; similar.sql has as many."""
_MIN_LETTERS = 3
_ENGLISH = frozenset(
    re.findall(
        r"\w+",
        "able about all also and any anyone are been but can could did does for from get got"
        " had has have how into its just know like more most much not one ones our out please"
        " really should some than that the their them then there these they this very was were"
        " what when where which who why will with would you your",
    )
)
_GERMAN = frozenset(
    re.findall(
        r"\w+",
        "aber als auch auf aus bei bitte dafur darf das dass davon dazu dem den der des die"
        " dies diese diesem diesen dieser dieses durch ein eine einem einen einer eines fur"
        " gibt habe haben hat hatte hier ich ihr ist kann kannst konnen konnte man mein meine"
        " meinem meinen meiner mich mir mit muss nach nicht noch nur ob oder schon sehr sein"
        " seine sich sie sind soll sollte uber und unter vom von wann war warum was welche"
        " welchem welchen welcher welches wenn wer werden wie wird wo zum zur",
    )
)
_COMMON = _ENGLISH | _GERMAN
"""Words that say little about what a question is about, folded."""
_ENDING = re.compile(
    r"(?<=\w{4})(?:abilit(?:y|ies)|[ai]bl[ey]|ings?|ed|ers?|ies|ly|ness|ments?|ages?"
    r"|bar(?:e[nrs]?)?|barkeit|lich(?:e[nrs]?)?|keit(?:en)?|ung(?:en)?|e[mnrst]?|s?t|n|y)$"
    r"|(?<=\w{2}x)es$|(?<=\w{3})s$"
)
_DOUBLED = re.compile(r"([bdgmnprt])\1$")
_PARTICIPLE = re.compile(r"ge(?=\w{5,}(?:t|en)$)")
_MIN_INNER_STEM = 5
"""A stem of so many letters is also found within a word: German writes compounds as one."""


def stems(text: str) -> list[str]:
    """Return the stems of the most telling words of a text, folded."""
    found = dict.fromkeys(re.findall(r"[^\W_]+", fold(text)))
    telling = [word for word in found if len(word) >= _MIN_LETTERS and word not in _COMMON]
    longest = sorted(telling or found, key=len, reverse=True)[:_MAX_STEMS]
    kept: list[str] = []
    for stem in sorted(map(_stem, longest), key=len):
        if not stem.startswith(tuple(kept)):
            kept.append(stem)
    return kept


def is_inner(stem: str) -> bool:
    """Return whether a stem is also found within a word, not only where one begins."""
    return len(stem) >= _MIN_INNER_STEM


def beginning(stem: str) -> str | None:
    """Return a regular expression for what has a word that begins in this way, if it must."""
    return None if is_inner(stem) else f"(?:^|{BOUNDARY}){stem}"


def _stem(word: str) -> str:
    """Return a folded word without common English and German endings, which differ in a text."""
    word = _PARTICIPLE.sub("", word)
    ending = _ENDING.search(word)
    if not ending:
        return word
    stem = word[: ending.start()]
    return _DOUBLED.sub(r"\1", stem) if ending[0] in {"ing", "ed"} else stem
