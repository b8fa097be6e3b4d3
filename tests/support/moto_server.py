"""moto's server, with what its CloudFormation leaves out; importing it takes seconds.

That is most of RDS, lifecycle hooks, instances from launch templates, generated secrets, and the
outputs and parameters of stacks that change sets make.
"""
# ruff: noqa: SLF001 - moto has no interface for them

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest import mock

import yaml
from botocore import loaders, session
from moto.autoscaling.models import FakeAutoScalingGroup, autoscaling_backends
from moto.cloudformation.models import Change, ChangeSet, Stack
from moto.cloudformation.parsing import parse_and_update_resource
from moto.cloudformation.utils import yaml_tag_constructor
from moto.core.common_models import CloudFormationModel
from moto.ec2.models import ec2_backends
from moto.ec2.models.instances import Instance
from moto.ec2.models.route_tables import RouteTable
from moto.kms import models as kms
from moto.kms.utils import generate_private_key
from moto.rds.models import DBInstance, rds_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.server import ThreadedMotoServer

from tests.support.aws import Aws

_DIFF = ChangeSet.diff
_GROUP_CREATE: Any = vars(FakeAutoScalingGroup)["create_from_cloudformation_json"].__func__


@contextmanager
def running_aws() -> Iterator[Aws]:
    """Run moto's server on a free port of 127.0.0.1."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with _completed(), _accelerated():
        server.start()
        try:
            host, port = server.get_host_and_port()
            yield Aws(f"http://{host}:{port}")
        finally:
            server.stop()


@contextmanager
def _completed() -> Iterator[None]:
    with (
        mock.patch.object(ChangeSet, "apply", _apply),
        mock.patch.object(RouteTable, "delete", _delete_route_table, create=True),
        mock.patch.object(ChangeSet, "diff", _difference),
        mock.patch.object(DBInstance, "create_from_cloudformation_json", _create_database),
        mock.patch.object(DBInstance, "has_cfn_attr", classmethod(_has_attribute)),
        mock.patch.object(DBInstance, "get_cfn_attribute", _attribute),
        mock.patch.object(Instance, "create_from_cloudformation_json", _create_instance),
        mock.patch.object(
            FakeAutoScalingGroup, "create_from_cloudformation_json", classmethod(_create_group)
        ),
    ):
        yield


@contextmanager
def _accelerated() -> Iterator[None]:
    """Read templates with libyaml; read the descriptions of services, and make keys, only once."""
    yaml.add_multi_constructor("", yaml_tag_constructor, yaml.CLoader)
    with (
        mock.patch.object(yaml, "Loader", yaml.CLoader),
        mock.patch.object(session, "create_loader", cache(loaders.create_loader)),
        mock.patch.object(kms, "generate_private_key", cache(generate_private_key)),
    ):
        yield


def _apply(change_set: ChangeSet) -> None:
    """Execute a change set as CreateStack and UpdateStack do."""
    stack = change_set.stack
    if change_set.change_set_type != "CREATE":
        changed = {change.logical_resource_id for change in change_set.changes}
        stack.update(change_set.template, parameters=_raw_parameters(change_set))
        _replace_instances(stack, changed)
        return
    stack.template, stack.parameters = change_set.template, change_set.parameters
    stack._parse_template()
    stack.resource_map = stack._create_resource_map()
    stack.output_map = stack._create_output_map()
    stack.resource_map.create(stack.template_dict)


def _replace_instances(stack: Stack, changed: set[str]) -> None:
    """Replace the instances of the groups whose launch template changed."""
    resources = stack.resource_map
    for name, definition in stack.template_dict["Resources"].items():
        used = {each for each in changed if f'"{each}"' in json.dumps(definition, default=str)}
        if definition["Type"] == "AWS::AutoScaling::AutoScalingGroup" and any(
            stack.template_dict["Resources"][each]["Type"] == "AWS::EC2::LaunchTemplate"
            for each in used
        ):
            resources._parsed_resources[name] = parse_and_update_resource(
                name, definition, resources, stack.account_id, stack.region_name
            )


def _delete_route_table(table: RouteTable, account_id: str, region_name: str) -> None:
    ec2_backends[account_id][region_name].delete_route_table(table.id)


def _raw_parameters(change_set: ChangeSet) -> dict[str, Any]:
    """Return the parameters without the resolved values of those that keep theirs."""
    stack = change_set.stack
    given = {
        name: value
        for name, value in change_set.parameters.items()
        if str(value) != str(stack.stack_parameters.get(name))
    }
    return {**stack.parameters, **given}


def _difference(change_set: ChangeSet) -> list[Change]:
    """Return the changes of the template, and of the parameters that resources refer to."""
    changes: list[Change] = _DIFF(change_set)
    before = change_set.stack.stack_parameters
    changed = [
        name for name, value in change_set.parameters.items() if str(before.get(name)) != str(value)
    ]
    for name, resource in change_set.template_dict["Resources"].items():
        text = json.dumps(resource, default=str)
        if any(f'"{each}"' in text or f"${{{each}}}" in text for each in changed):
            changes.append(Change("Modify", name, resource["Type"]))
    return list({change.logical_resource_id: change for change in changes}.values())


def _create_database(
    resource_name: str,
    cloudformation_json: dict[str, Any],
    account_id: str,
    region_name: str,
    **_: object,
) -> DBInstance:
    """Create a database with all properties, not only those that moto passes on."""
    given = cloudformation_json["Properties"]
    backend = rds_backends[account_id][region_name]
    source = given.get("SourceDBInstanceIdentifier")
    properties = {
        "db_instance_identifier": resource_name,
        "db_instance_class": given["DBInstanceClass"],
        "vpc_security_group_ids": given["VPCSecurityGroups"],
        "publicly_accessible": given["PubliclyAccessible"],
        "auto_minor_version_upgrade": given["AutoMinorVersionUpgrade"],
        "db_parameter_group_name": given["DBParameterGroupName"].name,
        "storage_type": given["StorageType"],
        "tags": given.get("Tags", []),
    }
    if source:
        properties["source_db_instance_identifier"] = getattr(
            source, "db_instance_identifier", source
        )
        return backend.create_db_instance_read_replica(properties)
    return backend.create_db_instance(
        properties
        | {
            "engine": given["Engine"],
            "engine_version": given["EngineVersion"],
            "db_name": given.get("DBName"),
            "master_username": given.get("MasterUsername"),
            "manage_master_user_password": given["ManageMasterUserPassword"],
            "allocated_storage": int(given["AllocatedStorage"]),
            "max_allocated_storage": int(given["MaxAllocatedStorage"]),
            "storage_encrypted": given["StorageEncrypted"],
            "multi_az": given["MultiAZ"] == "true",
            "deletion_protection": given["DeletionProtection"] == "true",
            "backup_retention_period": int(given["BackupRetentionPeriod"]),
            "copy_tags_to_snapshot": given["CopyTagsToSnapshot"],
            "db_subnet_group_name": given["DBSubnetGroupName"].name,
            "port": 5432,
        }
    )


def _has_attribute(_: type[DBInstance], name: str) -> bool:
    return name in {"Endpoint.Address", "Endpoint.Port", "MasterUserSecret.SecretArn"}


def _attribute(database: DBInstance, name: str) -> object:
    if name == "MasterUserSecret.SecretArn":
        return database.master_user_secret.secret_arn
    return database.address if name == "Endpoint.Address" else database.port


class _Secret(CloudFormationModel):
    """A secret with a generated value; moto finds the subclasses of its model by itself."""

    def __init__(self, arn: str) -> None:
        self.physical_resource_id = arn

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::SecretsManager::Secret"

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **_: object,
    ) -> "_Secret":
        generated = cloudformation_json["Properties"]["GenerateSecretString"]
        secret = secretsmanager_backends[account_id][region_name].create_managed_secret(
            service_name="test",
            secret_id=resource_name,
            secret_string="x" * generated["PasswordLength"],
        )
        return cls(secret.arn)

    def delete(self, account_id: str, region_name: str) -> None:
        """Nothing to do: the test ends."""


class _Alarm(CloudFormationModel):
    """An alarm, of which moto's CloudFormation knows nothing; its properties are kept."""

    def __init__(self, name: str, properties: dict[str, Any]) -> None:
        self.physical_resource_id = name
        self.properties = properties

    @staticmethod
    def cloudformation_name_type() -> str:
        return "AlarmName"

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::CloudWatch::Alarm"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], *_: object, **__: object
    ) -> "_Alarm":
        return cls(resource_name, cloudformation_json["Properties"])

    def delete(self, account_id: str, region_name: str) -> None:
        """Nothing to do: the test ends."""


def _create_instance(
    _name: str,
    cloudformation_json: dict[str, Any],
    account_id: str,
    region_name: str,
    **_: object,
) -> Instance:
    """Create an instance from a launch template."""
    backend = ec2_backends[account_id][region_name]
    template = cloudformation_json["Properties"]["LaunchTemplate"]
    reservation = backend.run_instances(
        "", 1, None, [], launch_template=template, is_instance_type_default=True, kms_key_id=None
    )
    instance: Instance = reservation.instances[0]
    return instance


def _create_group(
    kind: type[FakeAutoScalingGroup],
    /,
    resource_name: str,
    cloudformation_json: dict[str, Any],
    account_id: str,
    region_name: str,
    **others: object,
) -> FakeAutoScalingGroup:
    """Create a group with its lifecycle hooks."""
    group: FakeAutoScalingGroup = _GROUP_CREATE(
        kind, resource_name, cloudformation_json, account_id, region_name, **others
    )
    for hook in cloudformation_json["Properties"].get("LifecycleHookSpecificationList", []):
        autoscaling_backends[account_id][region_name].create_lifecycle_hook(
            hook["LifecycleHookName"],
            group.name,
            hook["LifecycleTransition"],
            int(hook["HeartbeatTimeout"]),
            hook["DefaultResult"],
        )
    return group
