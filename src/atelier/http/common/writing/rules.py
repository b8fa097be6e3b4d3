"""Checks posts with the moderation rules in force."""

import json
from datetime import timedelta
from typing import NamedTuple

import falcon.asgi

from atelier import metrics
from atelier.http.common.client_address import client_address
from atelier.http.common.writing.fields import FieldError, InvalidFieldsError
from atelier.http.common.writing.identity import Clock, VoterIdentifier
from atelier.http.common.writing.secret import SharedSecret
from atelier.store.moderation import matching, rules
from atelier.store.moderation.rule_files import MAX_ADDRESS_DAYS
from atelier.store.moderation.rule_versions import ActiveRules
from atelier.store.moderation.rules import NewAddress, Repeated, Rule, RuleSet, Target
from atelier.store.writes import Checked, Outcome, Written

_SCOPE = "posts"
"""In which hashes of addresses are comparable: of all posts."""


class Check(NamedTuple):
    """A post, checked as far as possible without the database."""

    rule_set: RuleSet
    fields: dict[str, str]
    """The post's folded texts; empty if there are no rules."""
    checked: Checked

    def decided(self, written: Written) -> None:
        """Count a post that a rule held or refused; raise InvalidFieldsError if it was refused."""
        if written.rule is None:
            return
        rule = next(rule for rule in self.rule_set.rules if rule.name == written.rule)
        labels = (rule.action, rule.name, str(self.rule_set.version))
        metrics.MODERATED_POSTS.labels(*labels).inc()
        if written.outcome is Outcome.REFUSED:
            refused = FieldError(*rules.refusal(rule, self.fields))
            raise InvalidFieldsError(refused, rule=f"{rule.name} v{self.rule_set.version}")


class RuleChecker:
    """Checks posts."""

    def __init__(self, active: ActiveRules, secret: SharedSecret, clock: Clock) -> None:
        """Take the rules in force, what returns the secret, and a clock (Unix time, seconds)."""
        self._active = active
        retention = timedelta(days=MAX_ADDRESS_DAYS).total_seconds()
        self._clients = VoterIdentifier(secret, retention, by_cookie=False, clock=clock)

    async def check(self, req: falcon.asgi.Request, target: Target, texts: dict[str, str]) -> Check:
        """Check a post, given its body and name."""
        rule_set = self._active.current
        applied = rule_set.of(target)
        if not applied:
            return Check(rule_set, {}, Checked(rule_set.change))
        fields = rules.folded(texts)
        post = {
            "rules": [_row(rule, rule_set) for rule in rules.candidates(applied, fields)],
            **_digest(applied, fields),
            **await self._client(req, applied),
        }
        return Check(rule_set, fields, Checked(rule_set.change, json.dumps(post)))

    async def reload(self) -> None:
        """Read the rules in force."""
        await self._active.reload()

    async def _client(self, req: falcon.asgi.Request, applied: list[Rule]) -> dict[str, object]:
        """Return the hashes of the client's address, if a rule needs them and it is known."""
        if not (rules.memory(applied).clients and client_address(req)):
            return {}
        identity = await self._clients.identify(req, _SCOPE)
        return {
            "clients": [each.hex() for each in identity.own],
            "client_memory": rules.memory(applied).clients.total_seconds(),
        }


def _digest(applied: list[Rule], fields: dict[str, str]) -> dict[str, object]:
    if not rules.memory(applied).texts:
        return {}
    return {"digest": matching.digest(fields["body"]).hex()}


def _row(rule: Rule, rule_set: RuleSet) -> dict[str, object]:
    """Return what the database's function judge_post needs of a rule."""
    row: dict[str, object] = {
        "name": rule.name,
        "version": rule_set.version,
        "kind": rule.kind,
        "action": rule.action,
    }
    match rule.check:
        case Repeated(within, on_product):
            return {**row, "within": within.total_seconds(), "on_product": on_product}
        case NewAddress(within, new_for):
            seconds = {"within": within.total_seconds(), "new_for": new_for.total_seconds()}
            return {**row, **seconds}
    return row
