"""`atelier aws`: what its commands make of an account."""

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from atelier.cli import atelier
from atelier.cloud.aws.stack import Stack
from atelier.errors import AtelierError
from tests.cloud.conftest import Command
from tests.support.aws import Aws
from tests.transfer.exports import write_export


@pytest.fixture
def stack(aws: Aws, command: Command, release: Path) -> Aws:
    """Return an account with the stack that `up` makes by default."""
    done = command("up", "--release", str(release), "--yes")
    assert done.exit_code == 0, (done.output, done.exception)
    assert "Address: http://" in done.output
    return aws


@contextmanager
def meanwhile(act: Any) -> Iterator[None]:  # noqa: ANN401
    """Call a function again and again beside a command, as hosts act beside it."""
    over = threading.Event()

    def loop() -> None:
        while not over.wait(0.1):
            act()

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def group(aws: Aws, name: str = "atelier-instances") -> dict[str, Any]:
    found = aws.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    only: dict[str, Any] = found["AutoScalingGroups"][0]
    return only


def instances(aws: Aws, name: str) -> list[dict[str, Any]]:
    """Return the running EC2 instances of a Name tag."""
    wanted = [
        {"Name": "tag:Name", "Values": [name]},
        {"Name": "instance-state-name", "Values": ["running"]},
    ]
    found = aws.client("ec2").describe_instances(Filters=wanted)["Reservations"]
    return [instance for each in found for instance in each["Instances"]]


def user_data(aws: Aws, instance: str) -> str:
    found = aws.client("ec2").describe_instance_attribute(InstanceId=instance, Attribute="userData")
    return base64.b64decode(found["UserData"]["Value"]).decode()


def security_group(aws: Aws, about: str) -> dict[str, Any]:
    found = aws.client("ec2").describe_security_groups()["SecurityGroups"]
    return next(each for each in found if each["Description"].startswith(about))


def sources(group: dict[str, Any]) -> set[tuple[int, str]]:
    """Return who may connect to a security group: the first port, and a group or network."""
    return {
        (rule["FromPort"], source)
        for rule in group["IpPermissions"]
        for source in [
            *(pair["GroupId"] for pair in rule["UserIdGroupPairs"]),
            *(network["CidrIp"] for network in rule["IpRanges"]),
        ]
    }


def test_a_plan_shows_everything_with_its_cost_and_creates_nothing(
    aws: Aws, command: Command, release: Path
) -> None:
    done = command("plan", "--release", str(release), "--set", "Instances=2")
    assert done.exit_code == 0, (done.output, done.exception)
    assert "Add     AWS::RDS::DBInstance" in done.output
    assert "2 x t4g.small (instances)" in done.output
    assert "prices of 20" in done.output
    assert (
        aws.client("cloudformation").list_stacks(StackStatusFilter=["CREATE_COMPLETE"])[
            "StackSummaries"
        ]
        == []
    )
    assert aws.client("rds").describe_db_instances()["DBInstances"] == []
    assert aws.client("s3").list_buckets()["Buckets"] == []


def test_only_nginx_reaches_instances_and_only_instances_and_jobs_the_database(stack: Aws) -> None:
    nginx, instance = security_group(stack, "nginx"), security_group(stack, "instances")
    job, database = security_group(stack, "hosts of migrations"), security_group(stack, "the data")
    assert sources(nginx) == {(80, "0.0.0.0/0"), (443, "0.0.0.0/0")}
    assert sources(instance) == {(9001, nginx["GroupId"])}
    assert sources(job) == set()
    assert sources(database) == {(5432, instance["GroupId"]), (5432, job["GroupId"])}
    used = stack.client("rds").describe_db_instances()["DBInstances"][0]["VpcSecurityGroups"]
    assert [each["VpcSecurityGroupId"] for each in used] == [database["GroupId"]]


def test_instances_are_in_private_subnets_of_two_zones(stack: Aws) -> None:
    ec2, found = stack.client("ec2"), group(stack)
    subnets = ec2.describe_subnets(SubnetIds=found["VPCZoneIdentifier"].split(","))["Subnets"]
    assert len({each["AvailabilityZone"] for each in subnets}) == 2
    assert not any(each["MapPublicIpOnLaunch"] for each in subnets)
    assert len(found["Instances"]) == 3
    hooks = stack.client("autoscaling").describe_lifecycle_hooks(
        AutoScalingGroupName="atelier-instances"
    )["LifecycleHooks"]
    assert {each["LifecycleTransition"].rpartition("_")[2] for each in hooks} == {
        "LAUNCHING",
        "TERMINATING",
    }


def test_user_data_pins_the_release_and_holds_no_secret(stack: Aws, release: Path) -> None:
    digest = sha256(release.read_bytes()).hexdigest()
    hosts = [each["InstanceId"] for each in instances(stack, "atelier instance")]
    texts = [user_data(stack, host) for host in hosts]
    assert len(texts) == 3
    for text in texts:
        assert f"RELEASE_SHA256={digest}\n" in text
        assert "ROLE=app\n" in text
        assert ".rds.amazonaws.com\n" in text
        assert "xxxx" not in text  # the value of the secrets, see tests/support/aws.py
    (nginx,) = instances(stack, "atelier nginx")
    assert "ROLE=nginx\n" in user_data(stack, nginx["InstanceId"])
    assert "SECRET=" not in user_data(stack, nginx["InstanceId"])
    bucket = f"atelier-123456789012-{stack.client('s3').meta.region_name}"
    stored = stack.client("s3").get_object(Bucket=bucket, Key=f"releases/{digest}.tar.gz")
    assert stored["Body"].read() == release.read_bytes()


def test_the_database_is_encrypted_private_protected_and_backed_up(stack: Aws) -> None:
    (database,) = stack.client("rds").describe_db_instances()["DBInstances"]
    assert database["StorageEncrypted"]
    assert database["DeletionProtection"]
    assert not database["PubliclyAccessible"]
    assert database["BackupRetentionPeriod"] == 7
    assert not database["MultiAZ"]
    assert database["MasterUserSecret"]["SecretArn"]
    name = database["DBParameterGroups"][0]["DBParameterGroupName"]
    found = stack.client("rds").describe_db_parameters(DBParameterGroupName=name)["Parameters"]
    values = {each["ParameterName"]: each["ParameterValue"] for each in found}
    assert values["rds.force_ssl"] == "1"
    assert values["log_min_error_statement"] == "panic"


def test_scaling_changes_the_number_of_instances(stack: Aws, command: Command) -> None:
    done = command("scale", "5")
    assert done.exit_code == 0, (done.output, done.exception)
    assert "5 instances are in service" in done.output
    assert len(group(stack)["Instances"]) == 5
    assert len(instances(stack, "atelier instance")) == 5
    refused = command("scale", "10")
    assert "MaxInstances must be above Instances" in str(refused.exception)


def test_baking_replaces_the_instances_by_clones_of_the_image(stack: Aws, command: Command) -> None:
    ec2 = stack.client("ec2")
    before = {each["InstanceId"] for each in instances(stack, "atelier instance")}
    seen: list[str] = []

    def stop_prepared_host() -> None:  # as the boot script does when all is installed
        for host in instances(stack, "atelier job"):
            text = user_data(stack, host["InstanceId"])
            if "ROLE=image\n" in text:
                seen.append(text)
                ec2.stop_instances(InstanceIds=[host["InstanceId"]])

    with meanwhile(stop_prepared_host):
        done = command("bake", "--yes")
    assert done.exit_code == 0, (done.output, done.exception)
    image = done.output.rpartition("image ")[2].strip(" .\n")
    clones = instances(stack, "atelier instance")
    assert len(seen) >= 1
    assert len(clones) == 3
    assert {each["ImageId"] for each in clones} == {image}
    assert not before & {each["InstanceId"] for each in clones}
    assert ec2.describe_images(ImageIds=[image])["Images"][0]["Name"].startswith("atelier-")


def test_a_new_release_discards_the_image_of_the_old_one(
    stack: Aws, command: Command, release: Path
) -> None:
    command("up", "--set", "BakedImage=ami-12c6146b", "--yes")
    assert {each["ImageId"] for each in instances(stack, "atelier instance")} == {"ami-12c6146b"}
    release.write_bytes(b"a newer release")
    done = command("up", "--release", str(release), "--yes")
    assert done.exit_code == 0, (done.output, done.exception)
    clones = instances(stack, "atelier instance")
    assert "ami-12c6146b" not in {each["ImageId"] for each in clones}
    digest = sha256(b"a newer release").hexdigest()
    assert all(digest in user_data(stack, each["InstanceId"]) for each in clones)


def test_running_up_again_changes_nothing(stack: Aws, command: Command, release: Path) -> None:
    before = group(stack)["Instances"]
    done = command("up", "--release", str(release), "--yes")
    assert "Nothing to change. Address: http://" in done.output
    assert group(stack)["Instances"] == before


def test_an_import_runs_on_a_host_in_the_vpc_and_tells_its_output(
    stack: Aws, command: Command, tmp_path: Path
) -> None:
    folder, s3 = write_export(tmp_path / "export"), stack.client("s3")
    (bucket,) = [each["Name"] for each in s3.list_buckets()["Buckets"]]
    seen: dict[str, set[str]] = {}

    def import_as_the_host_does() -> None:
        for host in instances(stack, "atelier job"):
            text = user_data(stack, host["InstanceId"])
            if "JOB=import\n" not in text:
                continue
            job = text.partition("JOB_ID=")[2].partition("\n")[0]
            files = s3.list_objects_v2(Bucket=bucket, Prefix=f"imports/{job}/")
            found = {each["Key"].rpartition("/")[2] for each in files.get("Contents", [])}
            seen.setdefault(job, found)
            s3.put_object(Bucket=bucket, Key=f"jobs/{job}.log", Body=b"imported 3 questions\n")
            s3.put_object(Bucket=bucket, Key=f"jobs/{job}.exit", Body=b"0")

    with meanwhile(import_as_the_host_does):
        done = command("import", str(folder))
    assert done.exit_code == 0, (done.output, done.exception)
    assert "imported 3 questions" in done.output
    assert list(seen.values()) == [{"questions.csv", "answers.csv", "answers_photos.csv"}]
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket, Prefix="imports/")


def test_a_failed_import_says_why_and_how_to_go_on(
    stack: Aws, command: Command, tmp_path: Path
) -> None:
    folder, s3 = write_export(tmp_path / "export"), stack.client("s3")
    (bucket,) = [each["Name"] for each in s3.list_buckets()["Buckets"]]

    def fail() -> None:
        found = s3.list_objects_v2(Bucket=bucket, Prefix="imports/").get("Contents", [])
        for job in {each["Key"].split("/")[1] for each in found}:
            s3.put_object(Bucket=bucket, Key=f"jobs/{job}.log", Body=b"the disk is full\n")
            s3.put_object(Bucket=bucket, Key=f"jobs/{job}.exit", Body=b"1")

    with meanwhile(fail):
        done = command("import", str(folder))
    assert "the disk is full" in done.output
    assert "The database is as it was; correct that and run the command again" in str(
        done.exception
    )


def test_an_incomplete_export_is_refused_before_anything_is_started(
    command: Command, tmp_path: Path
) -> None:
    folder = write_export(tmp_path / "export")
    (folder / "answers.csv").unlink()
    assert "lacks files of an export" in str(command("import", str(folder)).exception)


def test_down_refuses_while_there_is_a_database(stack: Aws, command: Command) -> None:
    done = command("down", "--yes")
    assert done.exit_code == 1
    assert "--delete-data" in str(done.exception)
    assert len(stack.client("rds").describe_db_instances()["DBInstances"]) == 1


def test_down_with_the_second_word_keeps_a_final_snapshot(stack: Aws, command: Command) -> None:
    done = command("down", "--delete-data", "--yes")
    assert done.exit_code == 0, (done.output, done.exception)
    rds = stack.client("rds")
    assert rds.describe_db_instances()["DBInstances"] == []
    kept = rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    (name,) = [each["DBSnapshotIdentifier"] for each in kept]
    assert f"The snapshot {name} is kept" in done.output
    assert instances(stack, "atelier instance") == []
    assert stack.client("s3").list_buckets()["Buckets"] == []
    again = command("down", "--yes")
    assert again.exit_code == 0


def test_nothing_is_created_without_a_yes(aws: Aws, command: Command, release: Path) -> None:
    done = command("up", "--release", str(release), given="n\n")
    assert done.exit_code == 1
    assert "Create this?" in done.output
    assert aws.client("s3").list_buckets()["Buckets"] == []
    stacks = aws.client("cloudformation").describe_stacks()["Stacks"]
    assert stacks == []


def test_status_shows_the_instances_and_the_database(stack: Aws, command: Command) -> None:
    done = command("status")
    assert done.exit_code == 0, (done.output, done.exception)
    assert "CREATE_COMPLETE" in done.output
    assert done.output.count("InService Healthy") == 3
    assert "available" in done.output
    assert stack


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("Instanzes=2", "is not a parameter"),
        ("Instances=10", "MaxInstances must be above Instances"),
        ("Instances=0", "must be 1 or more"),
        ("Instances=", "Instances must be a whole number"),
        ("NginxHosts=-2", "NginxHosts must be a whole number"),
        ("DatabaseVersion=9", "DatabaseVersion must be one of 15, 16"),
        ("DatabaseMultiZone=maybe", "DatabaseMultiZone must be one of true, false"),
        ("DatabaseStorage=plenty", "DatabaseStorage must be a whole number"),
        ("NginxHosts=2", "--set Certificate=ARN"),
    ],
)
def test_parameters_that_cannot_work_are_refused_at_once(
    command: Command, release: Path, given: str, reason: str
) -> None:
    done = command("plan", "--release", str(release), "--set", given)
    assert reason in str(done.exception)


@pytest.mark.parametrize("name", ["Shop", "two words", "a_b", "-a", "a-", "a--b", "a" * 33, ""])
def test_a_name_that_cannot_be_that_of_the_bucket_is_refused_at_once(
    aws: Aws, command: Command, release: Path, name: str
) -> None:
    done = command("up", "--release", str(release), "--yes", "--name", name)
    assert "cannot be the name of a stack" in str(done.exception)
    assert aws.client("s3").list_buckets()["Buckets"] == []


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("AWS_ENDPOINT_URL", "nonsense", "check AWS_ENDPOINT_URL"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1", "Could not connect"),
        ("AWS_PROFILE", "nobody", "nobody"),
        ("AWS_DEFAULT_REGION", "no region", "region"),
    ],
)
def test_settings_that_reach_no_aws_are_named(
    command: Command, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, reason: str
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv(variable, value)
    done = command("status")
    assert isinstance(done.exception, AtelierError)
    assert reason in str(done.exception)


def test_an_answer_that_is_not_of_aws_is_named(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        done = command("status")
        server.shutdown()
    assert "is not the AWS API" in str(done.exception)


def test_an_interrupted_up_says_that_aws_goes_on_and_the_next_one_follows_it(
    aws: Aws, command: Command, release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: Stack) -> list[dict[str, Any]]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Stack, "_new_events", interrupt)
        patched.setattr(Stack, "_remember_events", lambda _: None)
        done = command("up", "--release", str(release), "--yes")
    assert isinstance(done.exception, (KeyboardInterrupt, SystemExit))
    assert "AWS goes on" in done.output
    again = command("up", "--release", str(release), "--yes")
    assert again.exit_code == 0, (again.output, again.exception)
    assert "Address: http://" in again.output
    assert len(instances(aws, "atelier instance")) == 3


def test_a_missing_permission_is_named_with_what_to_do(
    command: Command, release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Stack, *__: object) -> None:
        message = "User: x is not authorized to perform: cloudformation:CreateChangeSet"
        raise ClientError(
            {"Error": {"Code": "AccessDenied", "Message": message}}, "CreateChangeSet"
        )

    monkeypatch.setattr(Stack, "prepare", refuse)
    done = command("up", "--release", str(release), "--yes")
    assert "cloudformation:CreateChangeSet Ask for that permission" in str(done.exception)


def test_a_command_without_a_stack_says_how_to_create_one(command: Command) -> None:
    for arguments in (("status",), ("scale", "2"), ("bake", "--yes")):
        assert "create it with `atelier aws up`" in str(command(*arguments).exception)


def test_missing_credentials_are_named(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    assert "needs AWS credentials: configure them" in str(command("status").exception)


def test_the_commands_are_those_that_are_documented() -> None:
    documented = (Path(__file__).parents[2] / "docs" / "deploy-aws.md").read_text()
    for name in atelier.commands["aws"].commands:  # type: ignore[attr-defined] # a group
        assert f"atelier aws {name}" in documented, name
