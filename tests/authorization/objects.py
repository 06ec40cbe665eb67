"""Which row an id in an address names, of each place, and one that nobody has."""

from django.apps import apps
from django.db.models import Model, UUIDField

from apps.core import ids
from apps.core.models import PublicId
from apps.credits.models import CreditTransaction, Hold
from apps.tenants.models import User
from tests.authorization.registry import personal_models
from tests.authorization.world import HERE, THERE, World

# parameter of an address (or {name} in a body): the model whose rows it names.
PARAMETERS = {
    "allocation_id": "capacity.Allocation",
    "application_id": "partners.Application",
    "audit_id": "tenants.AuditLog",
    "award_id": "partners.PartnerCredit",
    "budget_id": "credits.Budget",
    "campaign_id": "partners.Campaign",
    "claim_id": "jobs.WorkerClaim",
    "correction_id": "credits.Correction",
    "document_id": "billing.BillingDocument",
    "export_id": "rbac.PersonalExport",
    "group_id": "partners.MemberGroup",
    "hold_id": "credits.Hold",
    "invitation_id": "rbac.Invitation",
    "job_id": "jobs.GenerationJob",
    "key_id": "rbac.ApiKey",
    "member_id": "partners.PartnerMember",
    "organization": "tenants.Organization",
    "organization_id": "tenants.Organization",
    "partner_upload_id": "partners.Upload",
    "payment_id": "billing.Payment",
    "pk": "mfa.Authenticator",
    "reservation_id": "capacity.Reservation",
    "request_id": "partners.CreditRequest",
    "role_id": "rbac.Role",
    "rule_id": "partners.AwardRule",
    "session_id": "usersessions.UserSession",
    "share_id": "rbac.Share",
    "token": "",  # no id: known to who got the mail
    "transaction_id": "credits.CreditTransaction",
    "transfer_id": "rbac.OwnershipTransfer",
    "upload_id": "jobs.BlobUpload",
    "user_id": "tenants.User",
    "waitlist_entry_id": "capacity.WaitlistEntry",
    "wallet_id": "credits.Wallet",
}
# Parameters that name no row of a place.
CONSTANTS = {
    "position": "1",  # of an area: every job has a first one
    "name": "image.restyle",
    "content_type_id": "1",
    "method_id": "pm_unknown",  # Stripe's: no row of ours
    "url": "nowhere/",
    "token": "unknown",
}
MAKERS = ("user", "created_by", "invited_by", "from_user", "requested_by", "member")
GREATEST = 2_000_000_000  # of ids that are counted; nobody has it


class Objects:
    """Finds the row that a parameter shall name."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.found: dict[tuple[object, ...], str | None] = {}

    def id_of(
        self, model: str, which: str, person: User | None, *, is_raw: bool = False
    ) -> str | None:
        """
        Return the id of the person's own row, of another's, of one there, or of none.

        None where there is no such row; raw ids are those of the back office.
        """
        asked = (model, which, person and person.pk, is_raw)
        if asked not in self.found:
            kind = apps.get_model(model)
            row = self._row(kind, which, person)
            found = missing_id(kind, is_raw=is_raw) if which == "missing" else None
            self.found[asked] = shown_id(row, is_raw=is_raw) if row else found
        return self.found[asked]

    def _row(self, kind: type[Model], which: str, person: User | None) -> Model | None:
        if which == "missing":
            return None
        place = self.world.place(THERE if which in ("foreign", "there") else HERE)
        rows = place.rows.get(kind._meta.label)
        if rows is None:  # belongs to no organization
            rows = list(kind._base_manager.all()[:1])
        own = [row for row in rows if person is not None and is_made_by(row, person)]
        others = [row for row in rows if row not in own]
        if which == "own":
            return next(iter(own), None)
        # Whoever has made all rows of an organization stands for its others, too.
        return next(iter(others if kind in personal_models() else others or rows), None)


def is_made_by(row: Model, person: User) -> bool:
    """Tell whether a row is a person's own: himself, or made by him."""
    if row == person:
        return True
    if getattr(row, "actor", "") == f"user:{person.public_id}":
        return True
    if isinstance(row, Hold):  # the movement that placed it says by whom
        placed = CreditTransaction.objects.filter(wallet=row.wallet_id, reference=row.reference)
        return placed.filter(actor=f"user:{person.public_id}").exists()
    return any(getattr(row, f"{maker}_id", None) == person.pk for maker in MAKERS)


def shown_id(row: Model, *, is_raw: bool = False) -> str:
    """Return the id of a row as addresses have it."""
    return row.public_id if isinstance(row, PublicId) and not is_raw else str(row.pk)


def missing_id(kind: type[Model], *, is_raw: bool = False) -> str:
    """Return an id that is well-formed and nobody's."""
    if issubclass(kind, PublicId) and not is_raw:
        return ids.encode(kind.PREFIX, ids.new_id())
    return str(ids.new_id() if isinstance(kind._meta.pk, UUIDField) else GREATEST)
