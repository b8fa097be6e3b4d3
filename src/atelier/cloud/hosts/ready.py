"""Reports that this host serves, or has done its job."""

from contextlib import suppress

from botocore.exceptions import ClientError

from atelier.cloud.hosts.host import Host


def run(host: Host) -> int:
    """Take over the address (nginx), end the launch hook (app) and signal CloudFormation."""
    if address := host.inputs.get("ADDRESS"):
        host.client("ec2").associate_address(
            AllocationId=address, InstanceId=host.instance, AllowReassociation=True
        )
    if host.inputs["ROLE"] == "app":
        host.client("autoscaling").complete_lifecycle_action(
            AutoScalingGroupName=host.inputs["GROUP"],
            LifecycleHookName="ready",
            InstanceId=host.instance,
            LifecycleActionResult="CONTINUE",
        )
    with suppress(ClientError):  # no operation of the stack waits for this host
        host.client("cloudformation").signal_resource(
            StackName=host.inputs["STACK"],
            LogicalResourceId=host.inputs["RESOURCE"],
            UniqueId=host.instance,
            Status="SUCCESS",
        )
    return 0
