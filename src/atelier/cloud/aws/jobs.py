"""One-off hosts in the VPC: they import an export, or become the image of the instances."""

import base64
import shlex
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from atelier.cloud.aws.deployment import Deployment, Tell
from atelier.cloud.aws.session import interruptible
from atelier.cloud.aws.stack import POLL_SECONDS
from atelier.errors import AtelierError

_LIMIT_SECONDS = 4 * 3600
_GONE = {"stopped", "stopping", "terminated", "shutting-down"}


def import_export(
    deployment: Deployment, source: str, *, replace: bool, wait: bool, tell: Tell
) -> None:
    """Import an export from a folder or `s3://BUCKET/PREFIX` on a host inside the VPC.

    Raises AtelierError, with the end of the import's output, if it fails.
    """
    storage, job = deployment.storage, _new_job("import")
    deployment.stack.existing()
    tell(f"Copying {source} to {storage.name}")
    if source.startswith("s3://"):
        storage.copy_export(source, f"imports/{job}/")
    else:
        storage.put_export(Path(source), f"imports/{job}/")
    options = {"JOB": "import", "JOB_ID": job, "REPLACE": "yes" if replace else ""}
    instance = _start(deployment, options)
    tell(f"Importing on {instance}")
    if not wait:
        tell(f"Its log is s3://{storage.name}/jobs/{job}.log")
        return
    _follow(deployment, job, instance, tell)
    storage.remove(f"imports/{job}/")


def bake(deployment: Deployment, tell: Tell) -> str:
    """Make an image of a host that ran the boot script; return its id. Raises AtelierError."""
    ec2 = deployment.session.client("ec2")
    instance = _start(deployment, {"JOB": "", "ROLE": "image"}, ends="stop")
    tell(f"Preparing {instance}")
    try:
        _wait_for(lambda: _state(ec2, instance) in _GONE, "The host of the image did not finish")
        if _state(ec2, instance) in {"terminated", "shutting-down"}:
            raise AtelierError(
                f"The host of the image, {instance}, ended early: its system log in the EC2 "
                "console says why. Run the command again."
            )
        name = f"{deployment.name}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
        image: str = ec2.create_image(InstanceId=instance, Name=name)["ImageId"]
        tell(f"Making the image {image}")
        _wait_for(lambda: _image_is_ready(ec2, image), "The image was not ready")
    finally:
        ec2.terminate_instances(InstanceIds=[instance])
    return image


def _new_job(kind: str) -> str:
    return f"{kind}-{datetime.now(UTC):%Y%m%d-%H%M%S}"


def _start(deployment: Deployment, options: dict[str, str], ends: str = "terminate") -> str:
    """Start a host of the job template with other inputs; return its id."""
    ec2, template = deployment.session.client("ec2"), deployment.stack.outputs()["JobTemplateId"]
    found = ec2.describe_launch_template_versions(LaunchTemplateId=template, Versions=["$Latest"])[
        "LaunchTemplateVersions"
    ]
    script = base64.b64decode(found[0]["LaunchTemplateData"]["UserData"]).decode()
    instance: str = ec2.run_instances(
        LaunchTemplate={"LaunchTemplateId": template, "Version": "$Latest"},
        UserData=with_inputs(script, options),
        InstanceInitiatedShutdownBehavior=ends,
        MinCount=1,
        MaxCount=1,
    )["Instances"][0]["InstanceId"]
    return instance


def with_inputs(script: str, inputs: dict[str, str]) -> str:
    """Return user data with further inputs for its host at the end of host.env."""
    lines = "".join(f"{name}={shlex.quote(value)}\n" for name, value in inputs.items())
    return script.replace("\nEND\n", f"\n{lines}END\n", 1)


def _follow(deployment: Deployment, job: str, instance: str, tell: Tell) -> None:
    """Tell the log of a job until it ends. Raises AtelierError if it failed."""
    ec2, storage = deployment.session.client("ec2"), deployment.storage
    told = 0

    def is_over() -> bool:
        nonlocal told
        over = storage.text(f"jobs/{job}.exit") is not None or _state(ec2, instance) in _GONE
        lines = (storage.text(f"jobs/{job}.log") or "").splitlines()
        for line in lines[told:]:
            tell(line)
        told = len(lines)
        return over

    text = f"The import goes on on {instance}; its log will be s3://{storage.name}/jobs/{job}.log"
    with interruptible(tell, text):
        _wait_for(is_over, "The import did not finish")
    code = storage.text(f"jobs/{job}.exit")
    if code is None or code.strip() != "0":
        raise AtelierError(
            f"The import failed: the lines above say why, as does s3://{storage.name}/jobs/"
            f"{job}.log. The database is as it was; correct that and run the command again."
        )


def _state(ec2: Any, instance: str) -> str:  # noqa: ANN401 - boto3 has no types
    found = ec2.describe_instances(InstanceIds=[instance])["Reservations"]
    state: str = found[0]["Instances"][0]["State"]["Name"]
    return state


def _image_is_ready(ec2: Any, image: str) -> bool:  # noqa: ANN401 - boto3 has no types
    state = ec2.describe_images(ImageIds=[image])["Images"][0]["State"]
    if state == "failed":
        raise AtelierError("AWS could not make the image: run the command again.")
    return bool(state == "available")


def _wait_for(is_done: Callable[[], bool], failure: str) -> None:
    deadline = time.monotonic() + _LIMIT_SECONDS
    while not is_done():
        if time.monotonic() > deadline:
            raise AtelierError(f"{failure} within {_LIMIT_SECONDS // 3600} hours.")
        time.sleep(POLL_SECONDS)
