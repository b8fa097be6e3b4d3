"""The state of a deployment."""

from typing import Any

from atelier.cloud.aws.deployment import Deployment


def read_status(deployment: Deployment) -> dict[str, Any]:
    """Return the state of the stack and its parts. Raises AtelierError."""
    stack = deployment.stack.existing()
    database = deployment.database()
    group = deployment.group()
    values = deployment.stack.values()
    return {
        "stack": stack["StackStatus"],
        "address": deployment.stack.outputs().get("Address", ""),
        "release": values["ReleaseSha256"][:12],
        "image": values["BakedImage"] or "(none baked)",
        "instances": [
            f"{each['InstanceId']} {each['AvailabilityZone']} {each['LifecycleState']} "
            f"{each['HealthStatus']}"
            for each in group["Instances"]
        ],
        "wanted": group["DesiredCapacity"],
        "database": database["DBInstanceStatus"] if database else "missing",
        "alarms": _alarms(deployment),
    }


def _alarms(deployment: Deployment) -> list[str]:
    """Return the names of the alarms that are raised."""
    api = deployment.session.client("cloudwatch")
    pages = api.get_paginator("describe_alarms").paginate(
        AlarmNamePrefix=f"{deployment.name}-", StateValue="ALARM"
    )
    return [alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"]]
