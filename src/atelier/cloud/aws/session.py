"""The AWS API: its clients, and its errors as AtelierError."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from atelier.errors import AtelierError

_INSTALL = (
    "The AWS commands need boto3: install atelier with the extra `aws`, as in "
    "`pip install 'atelier-qa[aws]'`."
)
_CREDENTIALS = (
    "configure them with `aws configure`, AWS_PROFILE or AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY"
)


class Session:
    """Clients of one region. AWS_ENDPOINT_URL and the other variables of boto3 apply."""

    def __init__(self, region: str | None = None) -> None:
        """Take the region, by default that of boto3's configuration. Raises AtelierError."""
        try:
            import boto3  # noqa: PLC0415 - an extra, which most installations do not have
        except ImportError as error:
            raise AtelierError(_INSTALL) from error
        self._session = boto3.session.Session(region_name=region)
        if not self._session.region_name:
            raise AtelierError("Set --region or AWS_DEFAULT_REGION to an AWS region.")
        self.region: str = self._session.region_name

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 has no types
        """Return the client of a service, such as `ec2`. Raises AtelierError for a bad URL."""
        try:
            return self._session.client(service)
        except ValueError as error:
            raise AtelierError(f"{error}: check AWS_ENDPOINT_URL and the region.") from error

    @property
    def account(self) -> str:
        """The number of the account."""
        identity: str = self.client("sts").get_caller_identity()["Account"]
        return identity


@contextmanager
def interruptible(tell: Callable[[str], None], text: str) -> Iterator[None]:
    """Tell a text when the user interrupts the context: AWS does not notice that."""
    try:
        yield
    except KeyboardInterrupt:
        tell(text)
        raise


@contextmanager
def aws_errors(operation: str) -> Iterator[None]:
    """Turn errors of the AWS API into an AtelierError; `operation` begins the sentence."""
    try:
        from botocore import exceptions  # noqa: PLC0415 - as above
        from botocore.parsers import ResponseParserError  # noqa: PLC0415
    except ImportError as error:
        raise AtelierError(_INSTALL) from error
    try:
        yield
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError) as error:
        raise AtelierError(f"{operation} needs AWS credentials: {_CREDENTIALS}.") from error
    except exceptions.ClientError as error:
        raise AtelierError(f"{operation} failed: {_reason(error.response)}") from error
    except exceptions.BotoCoreError as error:
        raise AtelierError(f"{operation} failed: {error}") from error
    except ResponseParserError as error:
        raise AtelierError(
            f"{operation} failed: what answered is not the AWS API. Check the region, "
            "AWS_ENDPOINT_URL and the proxy; then run the command again."
        ) from error


def _reason(response: dict[str, Any]) -> str:
    code, message = response["Error"]["Code"], response["Error"].get("Message", "")
    if code in {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}:
        return f"{message} Ask for that permission; then run the command again."
    if code in {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId"}:
        return f"{message} Renew the credentials; then run the command again."
    return f"{message} ({code})"


def error_code(error: Exception) -> str:
    """Return the code of an error of the AWS API, empty for another."""
    code: str = getattr(error, "response", {}).get("Error", {}).get("Code", "")
    return code
