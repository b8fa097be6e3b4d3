"""The moderation rules: which are in force, changes of them, and trials before a change."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import falcon.asgi

from atelier.http.common import json_fields, params
from atelier.http.common.authorization import Authorizer
from atelier.http.common.errors import ApiError
from atelier.http.common.moderation.trials import DEFAULT_DAYS, DEFAULT_EXAMPLES, run_trial
from atelier.store.connections.database import Database
from atelier.store.moderation import rule_files, trial
from atelier.store.moderation.rule_files import InvalidRulesError
from atelier.store.moderation.rule_versions import (
    Change,
    ChangeOutcome,
    RuleCount,
    RuleVersions,
)
from atelier.store.moderation.rules import Rule
from atelier.store.tokens import Scope

_MAX_HISTORY = 100
_MAX_VERSION = 2**31 - 1


class RulesRoute:
    """`/admin/v1/rules`."""

    def __init__(self, authorizer: Authorizer, versions: RuleVersions) -> None:
        """Take the authorizer of requests, and the versions of the rules."""
        self._authorizer = authorizer
        self._versions = versions

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send the rules in force, or those of a version, and the last changes."""
        await self._authorizer.require(req, Scope.MODERATE)
        number = params.identifier(req, "version")
        if number is None:
            resp.media = await self._document()
            return
        found = await self._versions.version(number) if 0 < number <= _MAX_VERSION else None
        if found is None:
            raise ApiError(HTTPStatus.NOT_FOUND, f"there is no version {number} of the rules")
        resp.media = await self._shown(found, await self._versions.history(_MAX_HISTORY))

    on_head = on_get

    async def on_put(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Put the rules of a file in force, or none."""
        actor = await self._authorizer.require(req, Scope.OPERATE)
        given = await json_fields.read(req)
        replaces = None
        if given.get("replaces") is not None:
            replaces = _whole(given, "replaces", 0, 0, _MAX_VERSION)
        source = None if _is_off(given) else _source(given)
        changed = await self._versions.change(actor.name, source, replaces=replaces)
        if changed.outcome is ChangeOutcome.CONFLICT:
            in_force = (
                "no rules are" if changed.version is None else f"version {changed.version} is"
            )
            raise ApiError(HTTPStatus.CONFLICT, f"{in_force} in force now: read the rules again")
        resp.media = await self._document()

    async def _document(self) -> dict[str, Any]:
        history = await self._versions.history(_MAX_HISTORY)
        return await self._shown(history[0] if history else None, history)

    async def _shown(self, change: Change | None, history: Sequence[Change]) -> dict[str, Any]:
        version = change.version if change else None
        source = change.source if change else None
        return {
            "version": version,
            "source": source,
            "rules": [] if version is None else await self._rules(version, source or ""),
            "history": list(map(_change, history)),
        }

    async def _rules(self, version: int, source: str) -> list[dict[str, object]]:
        counts = await self._versions.counts(version)
        found, _ = rule_files.known(source)
        return [_rule(rule, counts.get(rule.name, RuleCount())) for rule in found]


class TrialRoute:
    """`/admin/v1/rules/try`."""

    def __init__(self, authorizer: Authorizer, database: Database) -> None:
        """Take the authorizer of requests, and the database with a connection for trials only."""
        self._authorizer = authorizer
        self._database = database

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send what rules would have done to the posts of the last days."""
        await self._authorizer.require(req, Scope.MODERATE)
        given = await json_fields.read(req)
        resp.media = await run_trial(
            self._database,
            _source(given),
            _whole(given, "days", DEFAULT_DAYS, 1, trial.MAX_DAYS),
            _whole(given, "examples", DEFAULT_EXAMPLES, 0, trial.MAX_EXAMPLES),
        )


def _is_off(given: Mapping[str, object]) -> bool:
    return "source" in given and given["source"] is None


def _source(given: Mapping[str, object]) -> str:
    source = given.get("source")
    if not isinstance(source, str):
        raise _invalid("source", "must be the text of a file of rules")
    try:
        rule_files.parse(source)
    except InvalidRulesError as error:
        raise _invalid("source", f"is invalid: {error}") from error
    return source


def _whole(given: Mapping[str, object], name: str, default: int, minimum: int, maximum: int) -> int:
    value = given.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
        raise _invalid(name, f"must be a whole number from {minimum} to {maximum}")
    return value


def _invalid(name: str, text: str) -> ApiError:
    return ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, f"{name} {text}", field=name)


def _rule(rule: Rule, count: RuleCount) -> dict[str, object]:
    return {
        "name": rule.name,
        "kind": rule.kind,
        "action": rule.action,
        "applies_to": sorted(rule.targets),
        "posts": count.posts,
        "last_at": count.last_at,
    }


def _change(change: Change) -> dict[str, object]:
    return {
        "version": change.version,
        "changed_at": change.changed_at,
        "actor": change.actor,
    }
