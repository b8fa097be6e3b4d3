"""Decisions made by sending a form, where the scripts of a page do not run."""

from collections.abc import Iterable, Mapping
from typing import Any

from atelier.http.common.ids import integer
from atelier.http.common.moderation import decision_bodies
from atelier.http.common.moderation.results import member, no_decision
from atelier.http.console.session import Visitor
from atelier.store.moderation.decisions import Decisions

MAX_BYTES = 64 * 1024
"""The largest form: the posts of a page, and a text whose characters may take twelve each."""

_MISTAKE = "mistake"


class FormDecisions:
    """Makes decisions; each method returns what came of them, for `notices.html`."""

    def __init__(self, decisions: Decisions) -> None:
        """Take the decisions."""
        self._decisions = decisions

    async def decide(
        self, visitor: Visitor, given: Iterable[Mapping[str, object]]
    ) -> list[dict[str, Any]]:
        """Make decisions, given as the fields of each; raise ApiError if one is invalid."""
        made = [decision_bodies.decision(fields) for fields in given]
        if not made:
            return []
        results = await self._decisions.decide(visitor.name, made)
        return [
            {"target": decision.target, "id": decision.id, **member(result)}
            for decision, result in zip(made, results, strict=True)
        ]

    async def undo(self, visitor: Visitor, decision_id: str) -> list[dict[str, Any]]:
        """Undo a decision; raise ApiError if there is none with this id."""
        number = integer(decision_id)
        if number is None:
            raise no_decision()
        result = await self._decisions.undo(visitor.name, number, _MISTAKE, None)
        if result.decision is None:
            raise no_decision()
        about = {"target": result.decision["target"], "id": result.decision["target_id"]}
        return [{**about, **member(result)}]


def post(value: str) -> dict[str, object]:
    """Return the fields that name a post, from the value of a button or a checkbox of a page."""
    target, _, rest = value.partition(" ")
    number, _, version = rest.partition(" ")
    return {"target": target, "id": integer(number), "version": version}
