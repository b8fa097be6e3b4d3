"""The moderation rules: which are in force, a trial of others, and putting them in force."""

import re
from http import HTTPStatus
from typing import Any

import falcon.asgi

from atelier.http.common.ids import integer
from atelier.http.common.languages import ENGLISH, translated_rule_error
from atelier.http.common.moderation.trials import DEFAULT_DAYS, run_trial
from atelier.http.console.pages import Pages, form
from atelier.http.console.session import Visitor
from atelier.http.pages.texts import Texts
from atelier.store.connections.database import Database
from atelier.store.moderation import rule_files
from atelier.store.moderation.rule_files import InvalidRulesError
from atelier.store.moderation.rule_versions import ChangeOutcome, RuleVersions
from atelier.store.tokens import Scope

DAYS = (7, 30, 90, 365)
"""The times that a trial can look back on."""

_HISTORY = 20
_IN_RULE = re.compile(r'(?:line ([0-9]+), )?rule ([0-9]+|"[^"]*"): (.*)', re.DOTALL)
_MAX_FORM_BYTES = 4 * rule_files.MAX_BYTES  # a character of a form may take three bytes


class RulesPage:
    """`/console/rules`."""

    def __init__(self, pages: Pages, versions: RuleVersions, trials: Database) -> None:
        """Take the pages, the versions of the rules, and the database for trials only."""
        self._pages = pages
        self._versions = versions
        self._trials = trials

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send the rules in force, in a form to try others."""
        visitor = await self._pages.guard.admit(req)
        await self._send(req, resp, visitor)

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Try the rules of the form, or put them in force; send the page with what came of it."""
        fields = await form(req, _MAX_FORM_BYTES)
        applies = fields.get("do") == "apply"
        visitor = await self._pages.guard.admit_change(
            req, fields.get("csrf", ""), Scope.OPERATE if applies else Scope.MODERATE
        )
        source = fields.get("source", "").replace("\r\n", "\n")
        days = next((each for each in DAYS if str(each) == fields.get("days")), DEFAULT_DAYS)
        values: dict[str, Any] = {"source": source, "days": days}
        try:
            if applies:
                values |= await self._apply(visitor, source, integer(fields.get("replaces", "")))
            else:
                values["report"] = await run_trial(self._trials, source, days)
        except InvalidRulesError as error:
            values |= {"problem": ("rules_invalid",), "errors": error.errors}
        if "problem" in values:
            resp.status = HTTPStatus.UNPROCESSABLE_ENTITY
        await self._send(req, resp, visitor, **values)

    async def _apply(
        self, visitor: Visitor, source: str, replaces: int | None
    ) -> dict[str, object]:
        changed = await self._versions.change(
            visitor.name, source if source.strip() else None, replaces=replaces or 0
        )
        if changed.outcome is ChangeOutcome.CONFLICT:
            return {"problem": ("rules_conflict",)}
        done = ("rules_changed", changed.version) if changed.version else ("rules_none",)
        return {"done": done}

    async def _send(
        self,
        req: falcon.asgi.Request,
        resp: falcon.asgi.Response,
        visitor: Visitor,
        **values: Any,  # noqa: ANN401 - of the template
    ) -> None:
        history = await self._versions.history(_HISTORY)
        in_force = history[0] if history and history[0].version else None
        defaults = {
            "source": in_force.source if in_force else "",
            "days": DEFAULT_DAYS,
            "report": None,
            "problem": None,
            "errors": (),
            "done": None,
        }
        await self._pages.send(
            req,
            resp,
            visitor,
            "rules",
            in_force=in_force,
            history=history,
            all_days=DAYS,
            said=_said,
            **{**defaults, **values},
        )


def _said(texts: Texts, error: str) -> str:
    """Return what is wrong in rules, in the language of a page."""
    if texts.language == ENGLISH:
        return error
    found = _IN_RULE.fullmatch(error)
    line, rule, rest = found.groups() if found else (None, None, error)
    sentence = translated_rule_error(rest, texts.language) or rest
    if line:
        return texts.fill("rule_in_line", line, rule, sentence)
    return texts.fill("rule_of_number", rule, sentence) if rule else sentence
