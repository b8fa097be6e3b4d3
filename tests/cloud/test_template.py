"""The CloudFormation template and the units: what can be told from their text."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from atelier.cloud.aws.stack import template

_ROOT = Path(__file__).parents[2]
_TEMPLATE = _ROOT / "src" / "atelier" / "cloud" / "aws" / "atelier.yaml"
_UNITS = sorted((_ROOT / "src" / "atelier" / "cloud" / "systemd" / "units").glob("*.service"))
_ALERTS = _ROOT / "deploy" / "prometheus" / "alerts.yml"
_LARGEST_BODY = 51_200  # bytes that CloudFormation takes without a bucket
_LARGEST_USER_DATA = 16_384
_NEVER_OPEN = {
    "SlowAnswers": 0.5,
    "QueueGrows": 500,
    "StandbyBehind": 5,
    "InstanceRestarts": 3,
    "WebhookBehind": 3600,
}
"""Thresholds that the alerts' expressions end in."""


class _Loader(yaml.SafeLoader):
    """Reads the tags of CloudFormation as their plain values."""


def _plain(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> Any:  # noqa: ANN401
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


_Loader.add_multi_constructor("!", _plain)


@pytest.fixture(scope="module")
def parsed() -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(template(), _Loader)  # noqa: S506 - safe, see above
    return found


def of_type(parsed: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {
        name: each["Properties"]
        for name, each in parsed["Resources"].items()
        if each["Type"] == kind
    }


def test_cfn_lint_finds_nothing() -> None:
    program = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([program, _TEMPLATE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_template_can_be_sent_without_a_bucket() -> None:
    assert len(template().encode()) <= _LARGEST_BODY


def test_every_parameter_is_described_and_only_the_release_has_no_default(
    parsed: dict[str, Any],
) -> None:
    parameters = parsed["Parameters"]
    assert all(each["Description"] for each in parameters.values())
    without = {name for name, each in parameters.items() if "Default" not in each}
    assert without == {"ReleaseBucket", "ReleaseSha256"}
    groups = parsed["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert {name for group in groups for name in group["Parameters"]} == {*parameters}


def test_every_alert_is_an_alarm_with_the_same_threshold(parsed: dict[str, Any]) -> None:
    alarms = of_type(parsed, "AWS::CloudWatch::Alarm")
    rules = yaml.safe_load(_ALERTS.read_text())["groups"][0]["rules"]
    assert {rule["alert"] for rule in rules} <= {*alarms}
    thresholds = {
        rule["alert"]: float(rule["expr"].rsplit(maxsplit=1)[-1])
        for rule in rules
        if rule["alert"] in _NEVER_OPEN
    }
    assert thresholds == _NEVER_OPEN
    assert {name: alarms[name]["Threshold"] for name in _NEVER_OPEN} == _NEVER_OPEN


def test_every_alarm_has_a_remedy(parsed: dict[str, Any]) -> None:
    documented = (_ROOT / "docs" / "deploy-aws.md").read_text()
    assert [
        name for name in of_type(parsed, "AWS::CloudWatch::Alarm") if name not in documented
    ] == []


def test_rights_are_for_named_actions_and_all_resources_only_where_aws_knows_none(
    parsed: dict[str, Any],
) -> None:
    roles = of_type(parsed, "AWS::IAM::Role")
    shared = of_type(parsed, "AWS::IAM::ManagedPolicy")
    documents = [policy["PolicyDocument"] for role in roles.values() for policy in role["Policies"]]
    documents += [policy["PolicyDocument"] for policy in shared.values()]
    statements = [each for document in documents for each in document["Statement"]]
    for each in statements:
        actions = [each["Action"]] if isinstance(each["Action"], str) else each["Action"]
        assert not [action for action in actions if "*" in action]
        if each["Resource"] == "*":
            assert {*actions} <= {
                "cloudwatch:PutMetricData",
                "autoscaling:DescribeAutoScalingGroups",
                "ec2:DescribeInstances",
            }


def test_only_jobs_can_read_the_password_of_the_owner(parsed: dict[str, Any]) -> None:
    roles = of_type(parsed, "AWS::IAM::Role")
    owners = [name for name, role in roles.items() if "MasterUserSecret" in str(role)]
    assert owners == ["JobRole"]
    templates = of_type(parsed, "AWS::EC2::LaunchTemplate")
    assert [name for name, each in templates.items() if "ADMIN_SECRET" in str(each)] == [
        "JobTemplate"
    ]


def test_disks_are_encrypted_and_metadata_needs_a_token(parsed: dict[str, Any]) -> None:
    for each in of_type(parsed, "AWS::EC2::LaunchTemplate").values():
        data = each["LaunchTemplateData"]
        assert all(disk["Ebs"]["Encrypted"] for disk in data["BlockDeviceMappings"])
        assert data["MetadataOptions"]["HttpTokens"] == "required"


def test_user_data_is_a_script_of_a_permitted_size(parsed: dict[str, Any]) -> None:
    script = parsed["Mappings"]["Boot"]["Script"]["Text"]
    assert len(script) < _LARGEST_USER_DATA / 4
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)


def test_the_stub_refuses_a_release_with_another_hash(
    parsed: dict[str, Any], tmp_path: Path
) -> None:
    script = parsed["Mappings"]["Boot"]["Script"]["Text"]
    script = script.replace("/etc/atelier", str(tmp_path)).replace("/opt", str(tmp_path / "opt"))
    script = script.replace("/run", str(tmp_path / "run"))
    (tmp_path / "host.env").write_text(
        f"RELEASE_SHA256={'0' * 64}\nRELEASE_BUCKET=b\nSTACK=s\nRESOURCE=r\nAWS_DEFAULT_REGION=x\n"
    )
    aws = tmp_path / "aws"
    aws.write_text('#!/bin/sh\necho "$@" >>calls\n[ "$1" != s3 ] || eval "cp other \\"\\$$#\\""\n')
    aws.chmod(0o755)
    (tmp_path / "other").write_bytes(b"another release")
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(
        ["sh"], input=script, text=True, cwd=tmp_path, env=environment, capture_output=True,
        check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "did NOT match" in done.stderr
    assert "signal-resource --status FAILURE" in (tmp_path / "calls").read_text()
    assert not (tmp_path / "opt").exists()


def test_the_boot_script_is_a_shell_script() -> None:
    subprocess.run(["sh", "-n", _ROOT / "deploy" / "aws" / "boot.sh"], check=True)


@pytest.mark.parametrize("unit", _UNITS, ids=lambda unit: unit.name)
def test_a_unit_runs_what_the_boot_script_installs(unit: Path) -> None:
    text = unit.read_text()
    programs = re.findall(r"^Exec\w+=(\S+)", text, flags=re.MULTILINE)
    assert {*programs} <= {
        "/opt/atelier/current/venv/bin/atelier",
        "/opt/atelier/current/venv/bin/python",
        "/usr/sbin/nginx",
        "/bin/kill",
        "/bin/sh",
    }
    assert "NoNewPrivileges=yes" in text
