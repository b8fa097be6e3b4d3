"""The bucket of a stack: releases, exports to import, logs of jobs."""

from hashlib import sha256
from pathlib import Path
from typing import Any

from atelier.cloud.aws.session import Session, error_code
from atelier.errors import AtelierError

_DEFAULT_REGION = "us-east-1"  # the one that must not be named when a bucket is created
_KEPT_DAYS = 7
EXPORT_FILES = ("questions", "answers", "answers_photos")


def bucket_name(session: Session, stack: str) -> str:
    """Return the name of the bucket of a stack."""
    return f"{stack}-{session.account}-{session.region}"


def release_hash(file: Path) -> str:
    """Return the SHA-256 of a release, in hexadecimal."""
    with file.open("rb") as content:
        digest = sha256()
        while block := content.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


class Storage:
    """The bucket."""

    def __init__(self, session: Session, name: str) -> None:
        """Take the session and the bucket's name."""
        self.name = name
        self._region = session.region
        self._api: Any = session.client("s3")

    def exists(self) -> bool:
        """Return whether the bucket is there."""
        try:
            self._api.head_bucket(Bucket=self.name)
        except self._api.exceptions.ClientError as error:
            if error_code(error) in {"404", "NoSuchBucket"}:
                return False
            raise
        return True

    def create(self) -> None:
        """Create the bucket if it is missing: private, encrypted; imports and logs expire."""
        if not self.exists():
            where = {"LocationConstraint": self._region}
            options = (
                {} if self._region == _DEFAULT_REGION else {"CreateBucketConfiguration": where}
            )
            self._api.create_bucket(Bucket=self.name, **options)
        self._api.put_public_access_block(
            Bucket=self.name,
            PublicAccessBlockConfiguration={
                "BlockPublicAcls": True,
                "IgnorePublicAcls": True,
                "BlockPublicPolicy": True,
                "RestrictPublicBuckets": True,
            },
        )
        encrypted = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        self._api.put_bucket_encryption(
            Bucket=self.name, ServerSideEncryptionConfiguration={"Rules": [encrypted]}
        )
        self._api.put_bucket_lifecycle_configuration(
            Bucket=self.name,
            LifecycleConfiguration={"Rules": [_expiry("imports/"), _expiry("jobs/")]},
        )

    def put_release(self, file: Path, digest: str) -> None:
        """Upload a release under its hash, unless it is there."""
        key = f"releases/{digest}.tar.gz"
        if self.text(key, head=True) is None:
            self._api.upload_file(str(file), self.name, key)

    def put_export(self, folder: Path, prefix: str) -> list[str]:
        """Upload the files of an export; return their names. Raises AtelierError."""
        found = export_files(folder)
        for file in found:
            self._api.upload_file(str(file), self.name, f"{prefix}{file.name}")
        return [file.name for file in found]

    def copy_export(self, source: str, prefix: str) -> None:
        """Copy the files of an export from `s3://BUCKET/PREFIX`. Raises AtelierError."""
        bucket, _, folder = source.removeprefix("s3://").partition("/")
        folder = f"{folder.rstrip('/')}/" if folder else ""
        pages = self._api.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder)
        keys = [each["Key"] for page in pages for each in page.get("Contents", [])]
        chosen = [key for key in keys if _is_export_file(key.removeprefix(folder))]
        if len(chosen) < len(EXPORT_FILES):
            raise AtelierError(f"{source} lacks files of an export: {_names()}.")
        for key in chosen:
            self._api.copy(
                {"Bucket": bucket, "Key": key}, self.name, f"{prefix}{key.removeprefix(folder)}"
            )

    def text(self, key: str, *, head: bool = False) -> str | None:
        """Return an object as text, or None if it is missing; with `head`, only an empty text."""
        try:
            if head:
                self._api.head_object(Bucket=self.name, Key=key)
                return ""
            content: bytes = self._api.get_object(Bucket=self.name, Key=key)["Body"].read()
        except self._api.exceptions.ClientError as error:
            if error_code(error) in {"404", "NoSuchKey", "NoSuchBucket"}:
                return None
            raise
        return content.decode(errors="replace")

    def remove(self, prefix: str = "") -> None:
        """Delete the objects below a prefix."""
        pages = self._api.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        for page in pages:
            keys = [{"Key": each["Key"]} for each in page.get("Contents", [])]
            if keys:
                self._api.delete_objects(Bucket=self.name, Delete={"Objects": keys})

    def delete(self) -> None:
        """Delete the bucket and all objects, if it is there."""
        if self.exists():
            self.remove()
            self._api.delete_bucket(Bucket=self.name)


def export_files(folder: Path) -> list[Path]:
    """Return the three files of an export, plain or compressed. Raises AtelierError."""
    found = [file for file in sorted(folder.iterdir()) if _is_export_file(file.name)]
    if {file.name.partition(".")[0] for file in found} != {*EXPORT_FILES}:
        raise AtelierError(f"{folder} lacks files of an export: {_names()}.")
    return found


def _is_export_file(name: str) -> bool:
    return name in {f"{each}{ending}" for each in EXPORT_FILES for ending in (".csv", ".csv.gz")}


def _names() -> str:
    return ", ".join(f"{each}.csv" for each in EXPORT_FILES) + " (or .csv.gz)"


def _expiry(prefix: str) -> dict[str, Any]:
    return {
        "ID": prefix,
        "Status": "Enabled",
        "Filter": {"Prefix": prefix},
        "Expiration": {"Days": _KEPT_DAYS},
    }
