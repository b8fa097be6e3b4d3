"""Parsing and validation of decisions. Nothing here accesses the database."""

import re
from collections.abc import Mapping
from typing import NamedTuple

import falcon.asgi

from atelier.http.common import json_fields
from atelier.http.common.errors import ApiError
from atelier.http.common.writing import texts
from atelier.store.moderation.decisions import Action, Decision

MAX_DECISIONS = 100
"""The maximum number of decisions of one request."""

_MAX_TEXT_LENGTH = 1000
_MAX_NOTE_LENGTH = 1000
_MAX_ID = 2**63 - 1
_REASON = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_VERSION = re.compile(r"[0-9]{1,19}-[0-9a-f]{12}", re.ASCII)
_TARGETS = ("question", "answer")


class Why(NamedTuple):
    """The reason code of a decision, and its note."""

    reason: str
    note: str | None


async def decisions(req: falcon.asgi.Request) -> Decision | list[Decision]:
    """Return the decision in a request's body, or the list of them; raise ApiError."""
    fields = await json_fields.read(req)
    if "decisions" not in fields:
        return decision(fields)
    given = fields["decisions"]
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_DECISIONS:
        raise json_fields.invalid("decisions", f"must be a list of 1 to {MAX_DECISIONS} decisions")
    return [_member(number, each) for number, each in enumerate(given)]


async def undo(req: falcon.asgi.Request) -> Why:
    """Return why a decision is undone, from a request's body; raise ApiError."""
    return why(await json_fields.read(req))


def decision(fields: Mapping[str, object], *, needs_version: bool = True) -> Decision:
    """Return the decision with these fields; raise ApiError if one is invalid."""
    target = _choice(fields, "target", _TARGETS)
    action = Action(_choice(fields, "action", tuple(Action)))
    if action is Action.ANSWER_AS_SELLER and target != "question":
        raise json_fields.invalid("target", "must be question for the action answer_as_seller")
    number = fields.get("id")
    if not isinstance(number, int) or isinstance(number, bool) or not abs(number) <= _MAX_ID:
        raise json_fields.invalid("id", "must be the id of a question or an answer")
    version = fields.get("version")
    is_version = isinstance(version, str) and _VERSION.fullmatch(version)
    if not is_version and (needs_version or version is not None):
        raise json_fields.invalid("version", "must be the version of the item in the queue")
    text = _decided_text(fields, action)
    return Decision(
        target, number, action, str(version) if is_version else None, *why(fields), text
    )


def _member(number: int, fields: object) -> Decision:
    try:
        return decision(json_fields.mapping(fields))
    except ApiError as error:
        name = f"decisions[{number}]"
        field = error.members.get("field")
        raise json_fields.invalid(
            f"{name}.{field}" if field else name, str(error.description).partition(" ")[2]
        ) from error


def why(fields: Mapping[str, object]) -> Why:
    """Return the reason and the note in these fields; raise ApiError if one is invalid."""
    reason = fields.get("reason")
    if not isinstance(reason, str) or not _REASON.fullmatch(reason):
        raise json_fields.invalid(
            "reason", "must be a code of at most 40 characters such as spam or off_topic"
        )
    note = fields.get("note")
    return Why(reason, None if note is None else _text(note, "note", _MAX_NOTE_LENGTH))


def _decided_text(fields: Mapping[str, object], action: Action) -> str | None:
    return _text(fields.get("text"), "text", _MAX_TEXT_LENGTH) if action.has_text else None


def _text(value: object, name: str, max_length: int) -> str:
    rule = f"must be a text of 1 to {max_length} characters, not only spaces"
    if not isinstance(value, str) or len(value) > max_length * texts.MAX_DECOMPOSITION:
        raise json_fields.invalid(name, rule)
    try:
        text = texts.normalize_lines(value)
    except texts.InvalidTextError as error:
        raise json_fields.invalid(name, str(error)) from error
    if len(text) > max_length or texts.is_blank(text):
        raise json_fields.invalid(name, rule)
    return text


def _choice(fields: Mapping[str, object], name: str, values: tuple[str, ...]) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or value not in values:
        raise json_fields.invalid(name, f"must be one of {', '.join(values)}")
    return value
