"""The host that a program runs on: its inputs, its metadata, and the AWS API."""

import urllib.error
import urllib.request
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import boto3

_METADATA = "http://169.254.169.254"  # of every EC2 instance
_SECONDS = 2.0
_LIFETIME_SECONDS = "21600"
_NOT_FOUND = 404
_UNAUTHORIZED = 401


class Host:
    """The host that this program runs on."""

    def __init__(self, inputs: Mapping[str, str]) -> None:
        """Take the inputs of boot.sh (/etc/atelier/host.env), as the environment has them."""
        self.inputs = inputs
        self._metadata = inputs.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", _METADATA).rstrip("/")
        self._token = ""

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 has no types
        """Return the client of a service."""
        return boto3.client(service)

    @cached_property
    def instance(self) -> str:
        """The id of this EC2 instance."""
        return self.metadata("instance-id") or ""

    def metadata(self, path: str) -> str | None:
        """Return an item of the metadata, or None if there is none."""
        for _ in range(2):
            if not self._token:
                seconds = {"X-aws-ec2-metadata-token-ttl-seconds": _LIFETIME_SECONDS}
                self._token = self._request("PUT", "api/token", seconds)
            try:
                return self._request(
                    "GET", f"meta-data/{path}", {"X-aws-ec2-metadata-token": self._token}
                )
            except urllib.error.HTTPError as error:
                if error.code == _UNAUTHORIZED:  # the token has expired
                    self._token = ""
                elif error.code == _NOT_FOUND:
                    return None
                else:
                    raise
        return None

    def _request(self, method: str, path: str, headers: dict[str, str]) -> str:
        url = f"{self._metadata}/latest/{path}"
        request = urllib.request.Request(url, headers=headers, method=method)  # noqa: S310 - http
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - http
            text: str = answer.read().decode()
            return text
