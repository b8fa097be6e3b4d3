"""AWS on this machine, as tests use it; `moto_server` runs it."""

from typing import Any

import boto3
import httpx

REGION = "us-east-1"


class Aws:
    """A running moto server: its environment for commands, and clients for tests."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.environment = {
            "AWS_ENDPOINT_URL": url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 has no types
        return boto3.client(
            service,
            endpoint_url=self._url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def reset(self) -> None:
        """Forget everything."""
        httpx.post(f"{self._url}/moto-api/reset").raise_for_status()
