"""Creates, changes, scales and deletes the stack of a deployment."""

import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from atelier.cloud.aws.session import Session
from atelier.cloud.aws.stack import POLL_SECONDS, Change, Parameter, Stack
from atelier.cloud.aws.storage import Storage, bucket_name, release_hash
from atelier.errors import AtelierError

Tell = Callable[[str], None]
_WAIT_SECONDS = 1800
_IN_SERVICE = "InService"
_NAME = re.compile(r"[a-z](-?[a-z0-9]){0,31}")


@dataclass(frozen=True, slots=True)
class Plan:
    """What `up` would do."""

    changes: list[Change]
    values: dict[str, str]
    """The values of all parameters afterwards."""
    is_new: bool


class Deployment:
    """A stack with its bucket."""

    def __init__(self, name: str, region: str | None = None) -> None:
        """Take the stack's name and the region. Raises AtelierError."""
        if not _NAME.fullmatch(name):
            raise AtelierError(
                f"{name} cannot be the name of a stack and of its bucket: it must be a letter, "
                "then up to 31 letters, digits or single hyphens, all in lower case."
            )
        self.name = name
        self.session = Session(region)
        self.stack = Stack(self.session, name)

    @property
    def storage(self) -> Storage:
        """The bucket."""
        return Storage(self.session, bucket_name(self.session, self.name))

    def plan(self, release: Path | None, given: Mapping[str, str]) -> Plan:
        """Prepare a change set for a release and parameters. Raises AtelierError."""
        parameters = self.stack.parameters()
        _check_given(given, parameters)
        before = self.stack.values()
        wanted = {**given, **self._release_values(release, before)}
        if release and "BakedImage" not in given and before.get("BakedImage"):
            wanted["BakedImage"] = ""  # it holds the previous release
        if "DatabaseVersion" in wanted:
            wanted["DatabaseFamily"] = f"postgres{wanted['DatabaseVersion']}"
        defaults = {each.name: each.default or "" for each in parameters}
        values = {**defaults, **before, **wanted}
        _check_values(values)
        return Plan(self.stack.prepare(wanted), values, is_new=not before)

    def up(self, release: Path | None, tell: Tell) -> str:
        """Execute the prepared change set; return the address. Raises AtelierError."""
        if release:
            self.storage.create()
            tell(f"Uploading {release.name} to {self.storage.name}")
            self.storage.put_release(release, release_hash(release))
        self.stack.execute(tell)
        return self.stack.outputs()["Address"]

    def settle(self, tell: Tell) -> None:
        """Wait for an operation that is still in progress, from an interrupted command."""
        status = self.stack.status or ""
        if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
            tell(f"The stack is {status}: waiting for it first")
            self.stack.wait(tell)
        if status == "ROLLBACK_COMPLETE":
            raise AtelierError(
                f"The creation of the stack {self.name} was rolled back: delete the remains with "
                "`atelier aws down`, then run this again."
            )

    def set_parameters(self, values: Mapping[str, str], tell: Tell) -> bool:
        """Change parameters of the existing stack; return whether that changed anything."""
        self.stack.existing()
        merged = {**self.stack.values(), **values}
        _check_values(merged)
        if not self.stack.prepare(values):
            self.stack.discard()
            return False
        self.stack.execute(tell)
        return True

    def scale(self, instances: int, tell: Tell) -> None:
        """Set the number of instances and wait until they are in service. Raises AtelierError."""
        self.set_parameters({"Instances": str(instances)}, tell)
        self.wait_for_instances(instances, tell)

    def wait_for_instances(self, wanted: int, tell: Tell) -> None:
        """Wait until exactly the wanted number of instances is in service. Raises AtelierError."""
        deadline = time.monotonic() + _WAIT_SECONDS
        told = -1
        while (found := len(self.instances())) != wanted:
            if found != told:
                tell(f"{found} of {wanted} instances are in service")
                told = found
            if time.monotonic() > deadline:
                raise AtelierError(
                    f"{found} of {wanted} instances are in service after "
                    f"{_WAIT_SECONDS // 60} minutes: in the EC2 console, the group's activity "
                    "history and the system log of an instance say why."
                )
            time.sleep(POLL_SECONDS)
        tell(f"{wanted} instances are in service")

    def group(self) -> dict[str, Any]:
        """Return the group of the instances as the API describes it."""
        found = self.session.client("autoscaling").describe_auto_scaling_groups(
            AutoScalingGroupNames=[self.stack.outputs()["InstanceGroupName"]]
        )["AutoScalingGroups"]
        if not found:
            raise AtelierError(
                f"The Auto Scaling group of {self.name} is gone: run `atelier aws up` again."
            )
        group: dict[str, Any] = found[0]
        return group

    def instances(self) -> list[str]:
        """Return the ids of the instances that are in service."""
        return [
            each["InstanceId"]
            for each in self.group()["Instances"]
            if each["LifecycleState"] == _IN_SERVICE
        ]

    def database(self) -> dict[str, Any] | None:
        """Return the database as the API describes it, or None if it is not there."""
        rds = self.session.client("rds")
        identifier = self.stack.resource("Database")
        if not identifier:
            return None
        try:
            found = rds.describe_db_instances(DBInstanceIdentifier=identifier)
        except rds.exceptions.DBInstanceNotFoundFault:
            return None
        database: dict[str, Any] = found["DBInstances"][0]
        return database

    def settle_deletion(self, tell: Tell) -> None:
        """Wait for an operation that is still in progress; its failure does not matter."""
        status = self.stack.status or ""
        if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
            tell(f"The stack is {status}: waiting for it first")
            with suppress(AtelierError):
                self.stack.wait(tell)

    def check_down(self, *, delete_data: bool) -> None:
        """Raise AtelierError if there is a database, unless it may be deleted."""
        database = None if self.stack.status is None else self.database()
        if database and not delete_data:
            raise AtelierError(
                f"The stack {self.name} has a database ({database['DBInstanceIdentifier']}): "
                "`atelier aws down --delete-data` deletes it, after a final snapshot. To pay for "
                "fewer instances only, run `atelier aws scale 1`."
            )

    def down(self, tell: Tell) -> str | None:
        """Delete the stack and the bucket; return the name of the final snapshot, if any.

        The instances are stopped first, so that nothing is written after the snapshot. Raises
        AtelierError.
        """
        snapshot = None
        if self.stack.status is not None:
            database = self.database()
            snapshot = self._final_snapshot(database, tell) if database else None
            self.stack.delete(tell)
        self.storage.delete()
        return snapshot

    def _final_snapshot(self, database: dict[str, Any], tell: Tell) -> str:
        self._stop_instances(tell)
        rds, identifier = self.session.client("rds"), database["DBInstanceIdentifier"]
        name = f"{self.name}-final-{datetime.now(UTC):%Y%m%d-%H%M%S}"
        tell(f"Taking the final snapshot {name}")
        rds.create_db_snapshot(DBInstanceIdentifier=identifier, DBSnapshotIdentifier=name)
        while _snapshot_status(rds, name) != "available":
            time.sleep(POLL_SECONDS)
        rds.modify_db_instance(
            DBInstanceIdentifier=identifier, DeletionProtection=False, ApplyImmediately=True
        )
        return name

    def _stop_instances(self, tell: Tell) -> None:
        name = self.stack.resource("InstanceGroup")
        if not name:
            return
        tell("Stopping the instances")
        api = self.session.client("autoscaling")
        api.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=0, DesiredCapacity=0)
        deadline = time.monotonic() + _WAIT_SECONDS
        while self.group()["Instances"] and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)

    def _release_values(self, release: Path | None, before: Mapping[str, str]) -> dict[str, str]:
        if release:
            bucket = bucket_name(self.session, self.name)
            return {"ReleaseBucket": bucket, "ReleaseSha256": release_hash(release)}
        if not before:
            raise AtelierError(
                "A new stack needs a release: make one with `make bundle`, then give "
                "--release dist/atelier-VERSION-hosts.tar.gz."
            )
        return {}


def _snapshot_status(rds: Any, name: str) -> str:  # noqa: ANN401 - boto3 has no types
    found = rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0]
    status: str = found["Status"]
    if status == "failed":
        raise AtelierError(
            f"The snapshot {name} failed, so nothing was deleted: run the command again."
        )
    return status


def _check_given(given: Mapping[str, str], parameters: list[Parameter]) -> None:
    known = {each.name: each for each in parameters}
    for name, value in given.items():
        if name not in known:
            raise AtelierError(
                f"{name} is not a parameter: `atelier aws parameters` lists them all."
            )
        if known[name].is_number and not (value.isascii() and value.isdigit()):
            raise AtelierError(f"{name} must be a whole number, not {value!r}.")
        if known[name].allowed and value not in known[name].allowed:
            raise AtelierError(f"{name} must be one of {', '.join(known[name].allowed)}.")


def _check_values(values: Mapping[str, str]) -> None:
    """Check what CloudFormation would find out only half an hour later."""
    if int(values["Instances"]) < 1 or int(values["NginxHosts"]) < 1:
        raise AtelierError("Instances and NginxHosts must be 1 or more.")
    if int(values["MaxInstances"]) <= int(values["Instances"]):
        raise AtelierError(
            "MaxInstances must be above Instances: a rolling update starts one more. "
            f"Give --set MaxInstances={int(values['Instances']) + 1} or more."
        )
    if int(values["NginxHosts"]) > 1 and not values["Certificate"]:
        raise AtelierError(
            "More than one nginx host needs the load balancer, and thus --set Certificate=ARN."
        )
