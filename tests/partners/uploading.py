"""Files of members and credits, uploaded and carried out by the services that do it in earnest."""

from apps.partners.models import Partner, Upload, UploadRow
from apps.partners.services.uploads.carrying import carry_out
from apps.partners.services.uploads.confirming import confirm_upload
from apps.partners.services.uploads.storing import store_upload


def make_file(*rows: str, header: str = "email,name,credits") -> bytes:
    """Return a CSV of these rows below a header."""
    return "\n".join([header, *rows, ""]).encode()


def make_upload(
    partner: Partner, *rows: str, batch: str = "", header: str = "email,name,credits"
) -> Upload:
    """Return an upload of these rows that was looked at."""
    data = make_file(*rows, header=header)
    return store_upload(partner=partner, data=data, filename="members.csv", batch=batch)


def confirm(upload: Upload, mode: Upload.Mode = Upload.Mode.ALL) -> Upload:
    """Confirm what the preview says."""
    return confirm_upload(upload=upload, mode=mode, credits=upload.credits)


def carried(upload: Upload, mode: Upload.Mode = Upload.Mode.ALL) -> Upload:
    """Confirm an upload, let a worker carry it out, and return what became of it."""
    carry_out(confirm(upload, mode).pk)
    upload.refresh_from_db()
    return upload


def statuses(upload: Upload) -> list[str]:
    """Return how each row stands, in order."""
    rows = UploadRow.objects.filter(upload=upload).order_by("number")
    return list(rows.values_list("status", flat=True))


def faults(upload: Upload) -> list[str]:
    """Return the codes of what is wrong, in the order of rows."""
    rows = UploadRow.objects.filter(upload=upload).order_by("number")
    return [fault["code"] for row in rows for fault in row.errors]
