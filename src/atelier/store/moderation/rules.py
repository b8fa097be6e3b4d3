"""Moderation rules: what a post is checked for, and whether it is then held or refused."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from atelier.store.moderation import matching
from atelier.store.moderation.matching import BlockedWords


class Kind(StrEnum):
    """What a rule looks for."""

    WORDS = "words"
    LINKS = "links"
    REPEATED = "repeated"
    NEW_ADDRESS = "new_address"


class RuleAction(StrEnum):
    """What a rule does to a post that it matches."""

    HOLD = "hold"
    REFUSE = "refuse"


class Target(StrEnum):
    """Where a rule applies."""

    QUESTIONS = "questions"
    ANSWERS = "answers"


class Words(NamedTuple):
    """Matches a body or a name with one of these words or phrases."""

    words: BlockedWords

    @property
    def refusal(self) -> str:
        """What to tell the author about the field."""
        return "must not contain blocked words"

    def matches(self, folded: str) -> bool:
        """Return whether the case-folded text of a field matches."""
        return self.words.occur_in(folded)


class Links(NamedTuple):
    """Matches a body or a name with more links than this."""

    max_count: int

    @property
    def refusal(self) -> str:
        """What to tell the author about the field."""
        return f"must not contain more than {self.max_count} links"

    def matches(self, folded: str) -> bool:
        """Return whether the case-folded text of a field matches."""
        return matching.count_links(folded) > self.max_count


class Repeated(NamedTuple):
    """Matches a body that was posted before, within a time."""

    within: timedelta
    on_product: bool
    """Only on the same product; otherwise on any."""


class NewAddress(NamedTuple):
    """Matches a post from an address that nothing was posted from before."""

    within: timedelta
    """An address that has posted nothing for as long is new again."""
    new_for: timedelta
    """How long after its first post an address stays new."""


Check = Words | Links | Repeated | NewAddress

REPEATED_REFUSAL = "was posted before; write it in other words"
"""What to tell the author of a repeated text about the body."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a version."""

    name: str
    kind: Kind
    action: RuleAction
    targets: frozenset[Target]
    check: Check
    message: str | None = None
    """What to tell the author of a refused post instead of the usual text."""


class Violation(NamedTuple):
    """The field because of which a rule matches, and what to tell the author about it."""

    field: str
    text: str


class RuleSet(NamedTuple):
    """The rules in force: those of one version, or none."""

    change: int | None = None
    """The id of the change that put them in force; None: there has been none."""
    version: int | None = None
    rules: tuple[Rule, ...] = ()

    def of(self, target: Target) -> list[Rule]:
        """Return the rules for questions, or for answers."""
        return [rule for rule in self.rules if target in rule.targets]


class Memory(NamedTuple):
    """How long what rules compare with must be kept."""

    texts: timedelta
    clients: timedelta


def memory(rules: Iterable[Rule]) -> Memory:
    """Return how long these rules need the digests of texts, and the hashes of clients."""
    checks = [rule.check for rule in rules]
    texts = [check.within for check in checks if isinstance(check, Repeated)]
    clients = [check.within for check in checks if isinstance(check, NewAddress)]
    return Memory(max(texts, default=timedelta()), max(clients, default=timedelta()))


def folded(texts: Mapping[str, str]) -> dict[str, str]:
    """Return the texts of a post in the form in which rules compare them, by field."""
    return {name: matching.nfkc_casefold(text) for name, text in texts.items()}


def violation(rule: Rule, fields: Mapping[str, str]) -> Violation | None:
    """Return why a rule of words or links matches the folded texts of a post; None if not."""
    check = rule.check
    if isinstance(check, Words | Links):
        for name, text in fields.items():
            if check.matches(text):
                return Violation(name, rule.message or check.refusal)
    return None


def refusal(rule: Rule, fields: Mapping[str, str]) -> Violation:
    """Return what to tell the author of a post that this rule refuses."""
    return violation(rule, fields) or Violation("body", rule.message or REPEATED_REFUSAL)


def deciding(matching_rules: Iterable[Rule]) -> Rule | None:
    """Return the rule that decides: the first that refuses, else the first that holds."""
    found = list(matching_rules)
    refusing = (rule for rule in found if rule.action is RuleAction.REFUSE)
    return next(refusing, None) or next(iter(found), None)


def candidates(rules: Iterable[Rule], fields: Mapping[str, str]) -> Iterator[Rule]:
    """Yield the rules that match by the texts alone, and those that only the database can check."""
    for rule in rules:
        if isinstance(rule.check, Repeated | NewAddress) or violation(rule, fields):
            yield rule
