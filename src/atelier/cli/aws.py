"""The commands that run the service on AWS."""
# ruff: noqa: PLC0415 - imports inside the commands keep the start of others quick

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from atelier.cli.common import examples

if TYPE_CHECKING:
    from atelier.cloud.aws.deployment import Deployment, Plan

_RELEASE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _settings(
    _context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]
) -> dict[str, str]:
    for each in given:
        if "=" not in each:
            raise click.BadParameter(f"{each} is not NAME=VALUE.")
    return dict(each.split("=", 1) for each in given)


def _target(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that name the stack."""
    name = click.option("--name", default="atelier", show_default=True, help="The stack's name.")
    region = click.option("--region", help="The AWS region; by default that of boto3.")
    return name(region(command))


_YES = click.option("--yes", is_flag=True, help="Answer all questions with yes.")
_RELEASE_OPTION = click.option(
    "--release", type=_RELEASE, help="The release to run, as made by `make bundle`."
)
_SET = click.option(
    "--set",
    "given",
    multiple=True,
    callback=_settings,
    metavar="NAME=VALUE",
    help="A parameter of the template; others keep their values.",
)


@click.group()
def aws() -> None:
    """Run the service on AWS: EC2 instances behind nginx, on RDS for PostgreSQL.

    The commands need the extra `aws` and AWS credentials as the AWS command line does.
    docs/deploy-aws.md describes what they create.
    """


@aws.command(
    epilog=examples("atelier aws plan --release dist/atelier-0.1.0-hosts.tar.gz --set Instances=2")
)
@_target
@_RELEASE_OPTION
@_SET
def plan(name: str, region: str | None, release: Path | None, given: dict[str, str]) -> None:
    """Show what `up` would create or change, and the monthly cost; change nothing."""
    from atelier.cloud.aws.session import aws_errors

    with aws_errors("The plan"):
        deployment = _deployment(name, region)
        try:
            _show(deployment.plan(release, given))
        finally:
            deployment.stack.discard_review()


@aws.command(
    epilog=examples(
        "atelier aws up --release dist/atelier-0.1.0-hosts.tar.gz",
        "atelier aws up --set DatabaseMultiZone=true --set ReadReplicas=1",
    )
)
@_target
@_RELEASE_OPTION
@_SET
@_YES
def up(
    name: str, region: str | None, release: Path | None, given: dict[str, str], *, yes: bool
) -> None:
    """Create the stack or bring it up to date, and print its address.

    Running it again continues after a failure or an interruption. Instances are replaced one at a
    time, without losing a request.
    """
    from atelier.cloud.aws.session import aws_errors

    with aws_errors("Creating the stack"):
        deployment = _deployment(name, region)
        deployment.settle(click.echo)
        planned = deployment.plan(release, given)
        _show(planned)
        if not planned.changes:
            deployment.stack.discard()
            click.echo(f"Nothing to change. Address: {deployment.stack.outputs()['Address']}")
            return
        _confirm(
            "Create this?" if planned.is_new else "Change this?",
            yes=yes,
            otherwise=deployment.stack.discard_review,
        )
        click.echo(f"Address: {deployment.up(release, click.echo)}")


@aws.command(epilog=examples("atelier aws bake"))
@_target
@_YES
def bake(name: str, region: str | None, *, yes: bool) -> None:
    """Make an image (AMI) of the release and replace the instances by ones of that image.

    New instances then start without installing anything. The image holds no secret and no data.
    """
    from atelier.cloud.aws import jobs
    from atelier.cloud.aws.session import aws_errors

    with aws_errors("Baking the image"):
        deployment = _deployment(name, region)
        deployment.stack.existing()
        _confirm("Start a host, make an image of it and replace the instances?", yes=yes)
        image = jobs.bake(deployment, click.echo)
        deployment.set_parameters({"BakedImage": image}, click.echo)
        deployment.wait_for_instances(int(deployment.stack.values()["Instances"]), click.echo)
    click.echo(f"The instances run the image {image}.")


@aws.command(
    "import",
    epilog=examples("atelier aws import export/", "atelier aws import s3://shop-backups/2026-11/"),
)
@_target
@click.argument("source")
@click.option("--replace", is_flag=True, help="Replace all rows instead of merging with them.")
@click.option("--no-wait", is_flag=True, help="Return while the import runs.")
@_YES
def import_(  # noqa: PLR0913 - one parameter per option
    name: str, region: str | None, source: str, *, replace: bool, no_wait: bool, yes: bool
) -> None:
    """Import an export from SOURCE, a folder or s3://BUCKET/PREFIX, into the database.

    A host inside the VPC runs `atelier import`; the service keeps serving the old rows until the
    new ones are complete. The copy of the files is deleted afterwards.
    """
    from atelier.cloud.aws import jobs
    from atelier.cloud.aws.session import aws_errors
    from atelier.cloud.aws.storage import export_files
    from atelier.errors import AtelierError

    if not source.startswith("s3://"):
        if not Path(source).is_dir():
            raise AtelierError(f"{source} is neither a folder nor s3://BUCKET/PREFIX.")
        export_files(Path(source))
    with aws_errors("The import"):
        deployment = _deployment(name, region)
        if replace:
            _confirm(f"Replace all rows of the stack {name}?", yes=yes)
        jobs.import_export(deployment, source, replace=replace, wait=not no_wait, tell=click.echo)


@aws.command(epilog=examples("atelier aws scale 5"))
@_target
@click.argument("instances", type=click.IntRange(1, 64))
def scale(name: str, region: str | None, instances: int) -> None:
    """Set the number of instances to INSTANCES and wait until they serve.

    Instances that leave are taken out of nginx first, so that no request is lost.
    """
    from atelier.cloud.aws.session import aws_errors

    with aws_errors("Scaling"):
        _deployment(name, region).scale(instances, click.echo)


@aws.command()
@_target
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(name: str, region: str | None, *, as_json: bool) -> None:
    """Show the state of the stack, its instances and its database."""
    import json

    from atelier.cloud.aws.session import aws_errors
    from atelier.cloud.aws.status import read_status

    with aws_errors("Reading the status"):
        found = read_status(_deployment(name, region))
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for key, value in found.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        click.echo(f"{key:<12}{shown}")


@aws.command(epilog=examples("atelier aws down", "atelier aws down --delete-data"))
@_target
@click.option("--delete-data", is_flag=True, help="Also delete the database.")
@_YES
def down(name: str, region: str | None, *, delete_data: bool, yes: bool) -> None:
    """Delete the stack.

    It refuses while there is a database, unless --delete-data is given; a final snapshot of the
    database is kept even then. Images made by `bake` are kept, too.
    """
    from atelier.cloud.aws.session import aws_errors

    with aws_errors("Deleting the stack"):
        deployment = _deployment(name, region)
        deployment.settle_deletion(click.echo)
        deployment.check_down(delete_data=delete_data)
        _confirm(f"Delete the stack {name} of {deployment.session.region}?", yes=yes)
        snapshot = deployment.down(click.echo)
    click.echo(f"The stack {name} is deleted.")
    if snapshot:
        click.echo(
            f"The snapshot {snapshot} is kept. `atelier aws up --release FILE "
            f"--set DatabaseSnapshot={snapshot}` creates a stack with its data."
        )


@aws.command()
@_target
def parameters(name: str, region: str | None) -> None:
    """List the parameters of the template with their values and meanings."""
    from atelier.cloud.aws.session import aws_errors

    with aws_errors("Listing the parameters"):
        stack = _deployment(name, region).stack
        values = stack.values()
        for each in stack.parameters():
            click.echo(f"{each.name}={values.get(each.name, each.default or '')}")
            click.echo(f"    {each.description}")


def _deployment(name: str, region: str | None) -> "Deployment":
    from atelier.cloud.aws.deployment import Deployment

    return Deployment(name, region)


def _confirm(question: str, *, yes: bool, otherwise: Callable[[], object] = bool) -> None:
    """Ask a question, unless it is answered; without a yes, undo what was prepared and abort."""
    try:
        confirmed = yes or click.confirm(question)
    except click.Abort:
        confirmed = False
    if not confirmed:
        otherwise()
        raise click.Abort


def _show(planned: "Plan") -> None:
    """Print the changes and the monthly estimate."""
    from atelier.cloud.aws.estimate import estimate, prices, total

    for change in planned.changes:
        note = " (replaced)" if change.replaces else ""
        click.echo(f"{change.action:<7} {change.kind:<42} {change.name}{note}")
    items, table = estimate(planned.values), prices()
    click.echo(
        f"\nMonthly estimate, {table['region']}, prices of {table['date']} as entered by hand, "
        "without traffic:"
    )
    for item in items:
        price = "not in the table" if item.dollars is None else f"{item.dollars:8.2f} USD"
        click.echo(f"  {item.text:<40} {price}")
    click.echo(f"  {'total':<40} {total(items):8.2f} USD\n")


COMMANDS = (aws,)
