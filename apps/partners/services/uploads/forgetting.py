"""What files say of a person, told to him and forgotten when he is erased."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import JSONField, Q, QuerySet, TextField
from django.db.models.functions import Cast, Lower

from apps.core.personal import GONE
from apps.core.sheets import Fault
from apps.partners.models import Upload, UploadRow
from apps.partners.selectors.personal_data import addresses_of
from apps.partners.selectors.uploads import WITH_FAULTS
from apps.tenants.models import User

FORGOTTEN = Fault("", "", "erased", "The person was erased, and with him what this row said.")


@transaction.atomic
def forget_in_uploads(*, user: User, addresses: Collection[str]) -> None:
    """
    Take a person out of the rows of files, and what he called his own files.

    `addresses` are all that were his. What was awarded stays, and so do its row and its sum.
    """
    rows = rows_about(user, addresses)
    rows.filter(status__in=WITH_FAULTS).update(errors=[FORGOTTEN.as_json()])
    rows.update(cells=[], email="")
    Upload.objects.filter(uploaded_by=user).update(filename=GONE)


def rows_about(user: User, addresses: Collection[str]) -> QuerySet[UploadRow]:
    """
    Return the rows of every file that name him.

    Of a file of which nobody said yet which column has the addresses: by any of the cells.
    """
    rows = UploadRow.objects.alias(said=Cast(Lower(Cast("cells", TextField())), JSONField()))
    unread = Q(status=UploadRow.Status.READ, said__has_any_keys=sorted(addresses))
    return rows.filter(Q(member__user=user) | Q(email__in=addresses) | unread)


def uploads_by(user: User) -> Iterable[Mapping[str, Any]]:
    """Return the files that he uploaded."""
    rows = Upload.objects.filter(uploaded_by=user).order_by("created_at", "id")
    found: Iterable[Mapping[str, Any]] = rows.values(
        *("id", "organization__slug", "filename", "batch", "status", "row_count", "created_at")
    )
    return found


def rows_naming(user: User) -> Iterable[Mapping[str, Any]]:
    """Return what files said of him."""
    rows = rows_about(user, addresses_of(user)).order_by("created_at", "id")
    return rows.values("id", "organization__slug", "number", "cells", "credits", "status")
