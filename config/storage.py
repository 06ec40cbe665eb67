"""
Where uploads and results are kept, and how long: on a disk, or in a bucket that speaks S3.

All names in capitals are settings; the environment decides, and `.env.example` explains.
"""

from typing import Any

from environs import validate

from config.env import env

FILESYSTEM, S3 = "filesystem", "s3"


def required_if(condition: object) -> dict[str, Any]:
    """Return what makes a setting required, and no empty text, where the condition holds."""
    return {"validate": validate.Length(min=1)} if condition else {"default": ""}


STORAGE = env.str("STORAGE", FILESYSTEM, validate=validate.OneOf([FILESYSTEM, S3]))
S3_BUCKET = env.str("S3_BUCKET", **required_if(STORAGE == S3))
S3_REGION = env.str("S3_REGION", **required_if(STORAGE == S3))
S3_ENDPOINT = env.str("S3_ENDPOINT", "")
S3_ACCESS_KEY_ID = env.str("S3_ACCESS_KEY_ID", "")
# Both or neither: without them, the role that the machine has.
S3_SECRET_ACCESS_KEY = env.str("S3_SECRET_ACCESS_KEY", **required_if(S3_ACCESS_KEY_ID))
UPLOAD_DAYS = env.int("UPLOAD_DAYS", 7, validate=validate.Range(1, 3650))
RESULT_DAYS = env.int("RESULT_DAYS", 30, validate=validate.Range(1, 3650))
UPLOAD_QUOTA_MB = env.int("UPLOAD_QUOTA_MB", 1000, validate=validate.Range(1))
# Seven days are the most that S3 signs for, and a link's end is rounded up to the minute.
MOST_LINK_MINUTES = 7 * 24 * 60 - 1
LINK_MINUTES = env.int("LINK_MINUTES", 15, validate=validate.Range(1, MOST_LINK_MINUTES))


def bucket(*, name: str, endpoint: str, region: str, key_id: str, secret: str) -> dict[str, Any]:
    """
    Return the storage of a private bucket, whose files are reached by signed links.

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


STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
PICTURE_ORIGINS: list[str] = []  # other hosts from which pages may show pictures
if STORAGE == S3 and S3_BUCKET and S3_REGION:  # else the start is about to stop
    STORAGES["default"] = bucket(
        name=S3_BUCKET,
        endpoint=S3_ENDPOINT,
        region=S3_REGION,
        key_id=S3_ACCESS_KEY_ID,
        secret=S3_SECRET_ACCESS_KEY,
    )
    PICTURE_ORIGINS = [origin_of(STORAGES["default"])]
