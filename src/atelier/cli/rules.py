"""The commands for moderation rules, under `atelier moderate`."""
# ruff: noqa: PLC0415 - each command imports what it needs, so that all start quickly

import json
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

import click

from atelier.cli.common import examples, operator
from atelier.cli.moderation import print_lines, print_table, run
from atelier.errors import AtelierError
from atelier.settings import Settings

if TYPE_CHECKING:
    from atelier.store.connections.database import Database
    from atelier.store.moderation.rule_versions import Change, Changed, RuleCount
    from atelier.store.moderation.rules import Rule
    from atelier.store.moderation.trial import Report, RuleReport

_MAX_CHANGES = 1000
_MAX_DAYS = 3650
_MAX_EXAMPLES = 50

_FILE = click.argument("file", type=click.File(encoding="utf-8"))
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_REPLACES = click.option(
    "--replaces",
    type=click.IntRange(0),
    metavar="VERSION",
    help="Change nothing unless this version is in force; 0: no rules.",
)


@click.group(name="rules")
def rules_group() -> None:
    """Rules that hold or refuse new questions and answers.

    A file of rules is TOML; docs/operations.md explains it. `atelier moderate try` shows what rules
    would have done before they are put in force. All instances apply a change from then on.
    """


@rules_group.command(epilog=examples("atelier moderate rules show > rules.toml"))
@click.option("--version", "number", type=click.IntRange(1), help="This version, in force or not.")
@click.pass_obj
def show(settings: Settings, number: int | None) -> None:
    """Print the file of the rules in force."""

    async def read(database: "Database") -> "tuple[Change | None, dict[str, RuleCount]]":
        from atelier.store.moderation.rule_versions import RuleVersions

        versions = RuleVersions(database)
        found = await (versions.in_force() if number is None else versions.version(number))
        return found, await versions.counts(found.version or 0) if found else {}

    change, counts = run(settings, read)
    if change is None or change.source is None:
        raise AtelierError(
            "No rules are in force." if number is None else f"There is no version {number}."
        )
    click.echo(
        f"Version {change.version}, put in force at {change.changed_at} by {change.actor}.",
        err=True,
    )
    for name, count in counts.items():
        click.echo(f"{name}: {count.posts:,} posts, the last at {count.last_at}.", err=True)
    click.echo(change.source, nl=not change.source.endswith("\n"))


@rules_group.command(epilog=examples("atelier moderate rules check rules.toml"))
@_FILE
def check(file: IO[str]) -> None:
    """Check a file of rules, without a database."""
    _, found = _read(file)
    click.echo(f"{len(found)} rules: {', '.join(rule.name for rule in found)}.")


@rules_group.command(epilog=examples("atelier moderate rules apply rules.toml"))
@_FILE
@_REPLACES
@click.pass_obj
def apply(settings: Settings, file: IO[str], replaces: int | None) -> None:
    """Put the rules of a file in force, as a new version."""
    source, _ = _read(file)
    _change(settings, source, replaces)


@rules_group.command(epilog=examples("atelier moderate rules off"))
@_REPLACES
@click.pass_obj
def off(settings: Settings, replaces: int | None) -> None:
    """Put no rules in force; versions are kept."""
    _change(settings, None, replaces)


@rules_group.command(epilog=examples("atelier moderate rules history"))
@click.option("--limit", type=click.IntRange(1, _MAX_CHANGES), default=20, show_default=True)
@_JSON
@click.pass_obj
def history(settings: Settings, *, limit: int, as_json: bool) -> None:
    """Show who changed the rules, the latest change first."""

    async def read(database: "Database") -> "list[Change]":
        from atelier.store.moderation.rule_versions import RuleVersions

        return await RuleVersions(database).history(limit)

    changes: list[Change] = run(settings, read)
    if as_json:
        names = ("version", "changed_at", "actor", "source")
        print_lines({name: getattr(each, name) for name in names} for each in changes)
        return
    rows = ([str(each.version or "off"), each.changed_at, each.actor] for each in changes)
    print_table(("version", "time", "by"), rows)


@click.command(
    name="try",
    epilog=examples("atelier moderate try rules.toml --days 90", "atelier moderate try - --json"),
)
@_FILE
@click.option("--days", type=click.IntRange(1, _MAX_DAYS), default=90, show_default=True)
@click.option(
    "--examples",
    "number",
    type=click.IntRange(0, _MAX_EXAMPLES),
    default=3,
    show_default=True,
    help="How many examples to print for each rule.",
)
@click.option(
    "--timeout",
    "seconds",
    type=click.FloatRange(1),
    default=60,
    show_default=True,
    help="The seconds that each statement may take.",
)
@_JSON
@click.pass_obj
def try_rules(  # noqa: PLR0913 - one parameter per option
    settings: Settings, *, file: IO[str], days: int, number: int, seconds: float, as_json: bool
) -> None:
    """Show what the rules of a file would have done to the posts of the last days.

    Nothing is changed. It reads on one connection of its own, a few hundred posts at a time.
    """
    from atelier.store.moderation import trial

    _, found = _read(file)

    async def try_on(database: "Database") -> "Report":
        return await trial.run(database, found, days, examples=number)

    report = run(settings, try_on, seconds=seconds, parameters=trial.PARAMETERS)
    if as_json:
        click.echo(json.dumps(trial.document(report), ensure_ascii=False, indent=2))
        return
    _print_report(report, days)


def _read(file: IO[str]) -> "tuple[str, tuple[Rule, ...]]":
    """Return a file's text and its rules; raise AtelierError with all that is wrong in it."""
    from atelier.store.moderation import rule_files

    try:
        source = file.read()
        return source, rule_files.parse(source)
    except UnicodeDecodeError as error:
        raise AtelierError(f"{file.name} is not text in UTF-8.") from error
    except rule_files.InvalidRulesError as error:
        separator = "\n  " if len(error.errors) > 1 else " "
        raise AtelierError(separator.join((f"{file.name}:", *error.errors))) from error


def _change(settings: Settings, source: str | None, replaces: int | None) -> None:
    async def change_in(database: "Database") -> "Changed":
        from atelier.store.moderation.rule_versions import RuleVersions

        return await RuleVersions(database).change(operator(), source, replaces=replaces)

    from atelier.store.moderation.rule_versions import ChangeOutcome

    changed = run(settings, change_in)
    state = "No rules are" if changed.version is None else f"Version {changed.version} is"
    if changed.outcome is ChangeOutcome.CONFLICT:
        raise AtelierError(f"{state} in force; nothing was changed.")
    already = " already" * (changed.outcome is ChangeOutcome.UNCHANGED)
    click.echo(f"{state}{already} in force.")


def _print_report(report: "Report", days: int) -> None:
    looked_at = report.looked_at
    click.echo(
        f"{looked_at.posts:,} posts of the last {days} days: {report.held:,} would have been held, "
        f"{report.refused:,} refused. Moderators removed {looked_at.removed:,} of all, and kept "
        f"{looked_at.kept:,}."
    )
    columns = ("rule", "kind", "action", "matched", "decided", "removed", "kept")
    print_table(columns, map(_report_row, report.rules))
    for line in _notes(report):
        click.echo(line)


def _report_row(each: "RuleReport") -> list[str]:
    rule, matched = each.rule, each.matched
    counts = (matched.posts, each.decided, matched.removed, matched.kept)
    shown = [f"{count:,}" if each.is_known else "?" for count in counts]
    return [rule.name, rule.kind, rule.action, *shown]


def _notes(report: "Report") -> Iterator[str]:
    if any(not each.is_known for each in report.rules):
        yield "?: no addresses are stored, so nothing tells which earlier posts came from new ones."
    if not report.has_all_repeats:
        yield "There are too many texts to find all repeats: try fewer days."
    for each in report.rules:
        for example in each.examples:
            yield f"{each.rule.name}: {_example_line(example)}"


def _example_line(example: Any) -> str:  # noqa: ANN401 - an Example
    decided = f" ({example.decided} by a moderator)" if example.decided else ""
    return f"{example.target} {example.id}{decided}: {example.text}"


COMMANDS = (rules_group, try_rules)
