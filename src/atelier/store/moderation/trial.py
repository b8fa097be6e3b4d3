"""What rules would have done to the posts of the last days, before they are put in force."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from atelier.store.connections.database import Database
from atelier.store.moderation import matching, rules
from atelier.store.moderation.rules import Kind, Memory, NewAddress, Repeated, Rule, Target
from atelier.store.queries import queries

MAX_DAYS = 3650
MAX_EXAMPLES = 50
"""The maximum number of examples of each rule."""
PARAMETERS = {
    "default_transaction_read_only": "on",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
}
"""The settings of the session, so that it uses one processor at most and cannot write."""

_QUERIES = queries("atelier.store.moderation")
_MAX_TEXTS = 200_000
"""How many texts are remembered to find repeats."""
_SHOWN_CHARACTERS = 80
_TARGETS = {"question": Target.QUESTIONS, "answer": Target.ANSWERS}


@dataclass(frozen=True, slots=True)
class Post:
    """A post that the rules are tried on."""

    target: str
    id: int
    product_id: int
    body: str
    name: str
    written: datetime
    decided: str | None = None
    """The state to which moderators brought it; None: they did not decide about it."""


@dataclass(frozen=True, slots=True)
class Example:
    """A post that a rule matches; its text is shortened, and all its characters are visible."""

    target: str
    id: int
    product_id: int
    text: str
    decided: str | None


@dataclass(slots=True)
class Counts:
    """How many posts there are, and what moderators decided about them."""

    posts: int = 0
    removed: int = 0
    """Removed by moderators."""
    kept: int = 0
    """Seen by moderators, and visible."""

    def add(self, post: Post) -> None:
        """Count a post."""
        self.posts += 1
        self.removed += post.decided == "removed"
        self.kept += post.decided in ("visible", "flagged")


@dataclass(slots=True)
class RuleReport:
    """What one rule would have done."""

    rule: Rule
    examples: deque[Example]
    """The latest ones."""
    matched: Counts = field(default_factory=Counts)
    """What it matches, whichever rule decides."""
    decided: int = 0
    """How many posts it would have held, or refused."""

    @property
    def is_known(self) -> bool:
        """Whether it can be tried: nothing tells from which addresses posts came."""
        return self.rule.kind is not Kind.NEW_ADDRESS


@dataclass(slots=True)
class Report:
    """What rules would have done."""

    since: datetime
    rules: list[RuleReport]
    looked_at: Counts = field(default_factory=Counts)
    held: int = 0
    refused: int = 0
    is_complete: bool = True
    """Whether all posts were looked at, before the time was over."""
    has_all_repeats: bool = True
    """Whether all texts could be remembered; otherwise, repeats of old ones are missing."""


class Trial:
    """Applies rules to posts, in the order in which they were written."""

    def __init__(self, tried: Iterable[Rule], since: datetime, *, examples: int) -> None:
        """Take the rules, since when posts are looked at, and the number of examples per rule."""
        self.report = Report(since, [RuleReport(rule, deque(maxlen=examples)) for rule in tried])
        self._texts = _RecentTexts(rules.memory(each.rule for each in self.report.rules))

    def judge(self, post: Post) -> Rule | None:
        """Count a post; return the rule that decides about it, None: it is published."""
        report = self.report
        report.looked_at.add(post)
        applied = [each for each in report.rules if _TARGETS[post.target] in each.rule.targets]
        fields = rules.folded({"body": post.body, "name": post.name})
        digest = matching.digest(fields["body"])
        matching_reports = [
            each for each in applied if self._matches(each.rule, post, fields, digest)
        ]
        for each in matching_reports:
            each.matched.add(post)
            each.examples.append(_example(post))
        rule = rules.deciding(each.rule for each in matching_reports)
        is_refused = rule is not None and rule.action is rules.RuleAction.REFUSE
        for each in matching_reports:
            each.decided += each.rule is rule
        report.refused += is_refused
        report.held += rule is not None and not is_refused
        if not is_refused and any(isinstance(each.rule.check, Repeated) for each in applied):
            report.has_all_repeats &= self._texts.add(digest, post)
        return rule

    def _matches(self, rule: Rule, post: Post, fields: Mapping[str, str], digest: bytes) -> bool:
        match rule.check:
            case Repeated(within, on_product):
                return self._texts.has(digest, post, within, on_product=on_product)
            case NewAddress():
                return False
        return rules.violation(rule, fields) is not None


class _RecentTexts:
    """When texts were last posted, on a product and in the whole shop; the oldest are first."""

    def __init__(self, kept: Memory) -> None:
        self._kept = kept.texts
        self._posted: OrderedDict[tuple[bytes, int | None], datetime] = OrderedDict()

    def has(self, digest: bytes, post: Post, within: timedelta, *, on_product: bool) -> bool:
        posted = self._posted.get((digest, post.product_id if on_product else None))
        return posted is not None and posted > post.written - within

    def add(self, digest: bytes, post: Post) -> bool:
        """Remember a text; return False if a text had to be forgotten too early for that."""
        for key in ((digest, post.product_id), (digest, None)):
            self._posted[key] = post.written
            self._posted.move_to_end(key)
        while self._posted and next(iter(self._posted.values())) <= post.written - self._kept:
            self._posted.popitem(last=False)
        if len(self._posted) <= _MAX_TEXTS:
            return True
        self._posted.popitem(last=False)
        return False


async def run(  # noqa: PLR0913 - one parameter per limit
    database: Database,
    tried: Iterable[Rule],
    days: float,
    *,
    examples: int,
    max_seconds: float | None = None,
    rows: int = 500,
    pause: float = 0,
) -> Report:
    """Try rules on the posts of the last days, reading `rows` of them at a time from a cursor.

    After each chunk, it pauses for `pause` times as long as the chunk took, and it ends after
    `max_seconds`.
    """
    since = datetime.now(UTC) - timedelta(days=days)
    trial = Trial(tried, since, examples=examples)
    end = None if max_seconds is None else monotonic() + max_seconds
    async with aclosing(database.stream(_QUERIES["posts_since"], since, rows=rows)) as chunks:
        async for chunk in chunks:
            began = monotonic()
            for row in chunk:
                trial.judge(Post(*row))
            if end is not None and monotonic() > end:
                trial.report.is_complete = False
                break
            await asyncio.sleep(pause * (monotonic() - began))
    return trial.report


def document(report: Report) -> dict[str, Any]:
    """Return a report as JSON-compatible values."""
    return {
        "since": f"{report.since:%Y-%m-%dT%H:%M:%S}.000Z",
        "complete": report.is_complete,
        "all_repeats": report.has_all_repeats,
        "looked_at": _counts(report.looked_at),
        "would_be_held": report.held,
        "would_be_refused": report.refused,
        "rules": [_rule_document(each) for each in report.rules],
    }


def _rule_document(report: RuleReport) -> dict[str, Any]:
    rule = report.rule
    return {
        "name": rule.name,
        "kind": rule.kind,
        "action": rule.action,
        "known": report.is_known,
        "matched": _counts(report.matched) if report.is_known else None,
        "decided": report.decided if report.is_known else None,
        "examples": [
            {
                "target": each.target,
                "id": each.id,
                "product_id": each.product_id,
                "text": each.text,
                "decided": each.decided,
            }
            for each in report.examples
        ],
    }


def _counts(counts: Counts) -> dict[str, int]:
    return {"posts": counts.posts, "removed": counts.removed, "kept": counts.kept}


def _example(post: Post) -> Example:
    text = visible(post.body, _SHOWN_CHARACTERS)
    return Example(post.target, post.id, post.product_id, text, post.decided)


def visible(text: str, max_length: int) -> str:
    """Return a text of one line, shortened; what a terminal would not show is written as an escape.

    Those are control characters, invisible ones and those that change the direction of a text.
    """
    shown = text[:max_length]
    escaped = "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in shown
    )
    return f"{escaped}…" if len(text) > max_length else escaped
