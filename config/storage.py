"""Where uploads and results are kept: on this machine's disk, or in a bucket that speaks S3."""

from typing import Any

from environs import validate

FILESYSTEM, S3 = "filesystem", "s3"


def required_if(condition: object) -> dict[str, Any]:
    """Return what makes a setting required, and no empty text, where the condition holds."""
    return {"validate": validate.Length(min=1)} if condition else {"default": ""}


def bucket(
    *, name: str, endpoint: str, region: str, key_id: str, secret: str, seconds: int
) -> dict[str, Any]:
    """
    Return the storage of a private bucket, whose files are reached by links for so many seconds.

    No ACL is sent: files are as private as the bucket, which many do not let say otherwise.
    """
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": name,
            "endpoint_url": endpoint or f"https://s3.{region}.amazonaws.com",
            "region_name": region,
            "access_key": key_id or None,  # none: the machine has a role of its own
            "secret_key": secret or None,
            "addressing_style": "path" if endpoint else "virtual",
            "signature_version": "s3v4",
            "default_acl": None,
            "querystring_auth": True,
            "querystring_expire": seconds,
            "file_overwrite": False,
        },
    }


def origin_of(storage: dict[str, Any]) -> str:
    """Return where a bucket's files are loaded from, for the browser's policy."""
    options = storage["OPTIONS"]
    address: str = options["endpoint_url"].rstrip("/")
    if options["addressing_style"] == "path":
        return f"{address}/{options['bucket_name']}/"
    return address.replace("https://", f"https://{options['bucket_name']}.", 1)
