"""A CloudFormation stack: what it has, how it changes, and its events as progress."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from atelier.cloud.aws.session import Session, error_code, interruptible
from atelier.errors import AtelierError

POLL_SECONDS = 5.0
"""Between two questions about the state of something."""
_MISSING = "ValidationError"
_NOTHING = ("didn't contain changes", "No updates are to be performed", "no changes")
_CONTINUED = {"CREATE_FAILED", "UPDATE_FAILED"}
_NEW = {None, "REVIEW_IN_PROGRESS", "DELETE_COMPLETE"}


def template() -> str:
    """Return the text of the template."""
    return (files(__package__) / "atelier.yaml").read_text()


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the template."""

    name: str
    default: str | None
    description: str
    is_number: bool
    allowed: tuple[str, ...]
    """The only values it may have; empty for any."""


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one resource."""

    action: str
    """Add, Modify or Remove."""
    name: str
    kind: str
    """The CloudFormation type."""
    replaces: bool


class Stack:
    """One stack by its name."""

    def __init__(self, session: Session, name: str) -> None:
        """Take the session and the stack's name."""
        self.name = name
        self._identity = name  # a deleted stack is found by its id only
        self._api = session.client("cloudformation")
        self._seen: set[str] = set()

    def describe(self) -> dict[str, Any] | None:
        """Return the stack as the API describes it, or None if there is none."""
        try:
            stack: dict[str, Any] = self._api.describe_stacks(StackName=self._identity)["Stacks"][0]
        except self._api.exceptions.ClientError as error:
            if error_code(error) == _MISSING:
                return None
            raise
        return None if stack["StackStatus"] == "DELETE_COMPLETE" else stack

    @property
    def status(self) -> str | None:
        """The status, such as CREATE_COMPLETE; None if there is no stack."""
        stack = self.describe()
        return stack["StackStatus"] if stack else None

    def existing(self) -> dict[str, Any]:
        """Return the stack; raise AtelierError if there is none."""
        stack = self.describe()
        if stack is None or stack["StackStatus"] in _NEW:
            raise AtelierError(
                f"There is no stack {self.name} in this region: create it with `atelier aws up`, "
                "or name another one with --name or --region."
            )
        return stack

    def outputs(self) -> dict[str, str]:
        """Return the outputs by name."""
        found = self.existing().get("Outputs", [])
        return {each["OutputKey"]: each["OutputValue"] for each in found}

    def resource(self, name: str) -> str | None:
        """Return the physical id of a resource by its logical name, or None if it is not there."""
        pages = self._api.get_paginator("list_stack_resources").paginate(StackName=self.name)
        for each in (found for page in pages for found in page["StackResourceSummaries"]):
            if each["LogicalResourceId"] == name and each["ResourceStatus"] != "DELETE_COMPLETE":
                identity: str | None = each.get("PhysicalResourceId")
                return identity
        return None

    def values(self) -> dict[str, str]:
        """Return the values of the parameters by name; empty if there is no stack."""
        stack = self.describe()
        found = stack.get("Parameters", []) if stack else []
        return {each["ParameterKey"]: each["ParameterValue"] for each in found}

    def parameters(self) -> list[Parameter]:
        """Return the parameters of the template."""
        summary = self._api.get_template_summary(TemplateBody=template())
        return [
            Parameter(
                each["ParameterKey"],
                each.get("DefaultValue"),
                each.get("Description", ""),
                each["ParameterType"] == "Number",
                tuple(map(str, each.get("ParameterConstraints", {}).get("AllowedValues", ()))),
            )
            for each in summary["Parameters"]
        ]

    def prepare(self, given: Mapping[str, str]) -> list[Change]:
        """Create a change set that sets the given parameters and keeps all others.

        Returns its changes, none if the stack already is as wanted. Raises AtelierError.
        """
        status = self.status
        kept = {} if status in _NEW else self.values()
        wanted = [
            {"ParameterKey": each.name, "ParameterValue": given[each.name]}
            if each.name in given
            else {"ParameterKey": each.name, "UsePreviousValue": True}
            for each in self.parameters()
            if each.name in given or each.name in kept
        ]
        self.discard()
        options = {
            "ChangeSetType": "CREATE" if status in _NEW else "UPDATE",
            # A failed creation keeps what it made, and is continued by running it again.
            "OnStackFailure": "DO_NOTHING" if status in _NEW | _CONTINUED else "ROLLBACK",
        }
        try:
            self._api.create_change_set(
                StackName=self.name,
                ChangeSetName=self._change_set,
                TemplateBody=template(),
                Parameters=wanted,
                Capabilities=["CAPABILITY_IAM"],
                **options,
            )
        except self._api.exceptions.ClientError as error:
            if any(text in str(error) for text in _NOTHING):
                return []
            raise
        return self._changes()

    def execute(self, tell: Callable[[str], None]) -> None:
        """Execute the prepared change set and tell the events. Raises AtelierError."""
        self._remember_events()
        self._api.execute_change_set(StackName=self.name, ChangeSetName=self._change_set)
        self.wait(tell)

    def discard(self) -> None:
        """Delete the prepared change set, if there is one."""
        if self.status is None:
            return
        found = self._api.list_change_sets(StackName=self.name)["Summaries"]
        if any(each["ChangeSetName"] == self._change_set for each in found):
            self._api.delete_change_set(StackName=self.name, ChangeSetName=self._change_set)

    def discard_review(self) -> None:
        """Delete the prepared change set, and the empty stack that it made."""
        self.discard()
        if self.status == "REVIEW_IN_PROGRESS":
            self._api.delete_stack(StackName=self.name)

    def wait(self, tell: Callable[[str], None]) -> None:
        """Wait until nothing is in progress and tell the events. Raises AtelierError on failure."""
        failures: list[str] = []
        with interruptible(tell, "AWS goes on with the stack: run the command again to follow it."):
            status = self._follow(tell, failures)
        if status and ("FAILED" in status or "ROLLBACK" in status):
            raise AtelierError(self._explanation(status, failures))

    def _follow(self, tell: Callable[[str], None], failures: list[str]) -> str | None:
        """Tell the events until nothing is in progress, and collect failures; return the status."""
        while True:
            status = self.status
            for event in self._new_events():
                tell(_line(event))
                if event["ResourceStatus"].endswith("_FAILED"):
                    failures.append(_failure(event))
            if status is None or not status.endswith("_IN_PROGRESS"):
                return status
            time.sleep(POLL_SECONDS)

    def delete(self, tell: Callable[[str], None]) -> None:
        """Delete the stack and tell the events. Raises AtelierError on failure."""
        self._remember_events()
        self._identity = self.existing()["StackId"]
        self._api.delete_stack(StackName=self.name)
        self.wait(tell)

    @property
    def _change_set(self) -> str:
        return f"{self.name}-up"

    def _changes(self) -> list[Change]:
        while True:
            found = self._api.describe_change_set(
                StackName=self.name, ChangeSetName=self._change_set
            )
            if found["Status"] not in {"CREATE_PENDING", "CREATE_IN_PROGRESS"}:
                break
            time.sleep(POLL_SECONDS)
        if found["Status"] == "FAILED":
            reason = found.get("StatusReason", "")
            if any(text in reason for text in _NOTHING):
                return []
            raise AtelierError(f"CloudFormation rejects the template or a parameter: {reason}")
        return [_change(each["ResourceChange"]) for each in found["Changes"]]

    def _remember_events(self) -> None:
        if self.describe():
            self._new_events()

    def _new_events(self) -> list[dict[str, Any]]:
        """Return the events that were not returned before, oldest first."""
        try:
            pages = self._api.get_paginator("describe_stack_events").paginate(
                StackName=self._identity
            )
            events = [event for page in pages for event in page["StackEvents"]]
        except self._api.exceptions.ClientError as error:
            if error_code(error) == _MISSING:
                return []
            raise
        new = [event for event in reversed(events) if event["EventId"] not in self._seen]
        self._seen |= {event["EventId"] for event in new}
        return new

    def _explanation(self, status: str, failures: list[str]) -> str:
        reasons = "; ".join(failures[:3]) or "the events name no reason"
        go_on = (
            "run the same command again: it continues with what is missing"
            if status in _CONTINUED
            else "delete the remains with `atelier aws down`, then run `atelier aws up` again"
            if status.startswith("ROLLBACK")
            else "the stack is as it was before; run the command again"
        )
        return f"The stack {self.name} is {status}: {reasons}. Correct that; then {go_on}."


def _change(change: dict[str, Any]) -> Change:
    return Change(
        change["Action"],
        change["LogicalResourceId"],
        change["ResourceType"],
        change.get("Replacement") in {"True", "Conditional"},
    )


def _line(event: dict[str, Any]) -> str:
    status = event["ResourceStatus"].replace("_", " ").lower()
    reason = event.get("ResourceStatusReason")
    text = f"{event['LogicalResourceId']}: {status}"
    return f"{text} ({reason})" if reason and "FAILED" in event["ResourceStatus"] else text


def _failure(event: dict[str, Any]) -> str:
    return f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'failed')}"
