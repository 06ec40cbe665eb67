"""The queues of mails, for tests: a row that waits in each, sent as the task sends it."""

from collections.abc import Callable
from datetime import timedelta

from apps.billing.models import AutoReload, Payment
from apps.core.clock import database_now, moved_to
from apps.core.mail import Round, queues, send_due
from apps.core.models import Mailed
from apps.credits.models import ExpiryWarning, Lot
from apps.credits.selectors import main_wallet
from apps.credits.services.budget_alerts import send_test_alert
from apps.credits.services.budgets import create_budget
from apps.credits.services.grants import grant_credits
from apps.rbac.services.erasures import request_erasure
from apps.rbac.services.keys import create_key
from apps.rbac.services.ownership import request_transfer
from tests.people import make_member, make_organization, make_person
from tests.rbac.inviting import make_invitation
from tests.rbac.looking import make_support, start

DAY = timedelta(days=1)


def send_round(queue: str, **options) -> Round:
    """Let one round of a queue be sent, and say what it did."""
    return send_due(queues()[queue], **options)


def send(queue: str, **options) -> int:
    """Let one round of a queue be sent; return for how many rows the mails went out."""
    return send_round(queue, **options).mails


def new_erasure() -> Mailed:
    person = make_person()
    return request_erasure(user=person, confirmation=person.email)


def new_transfer() -> Mailed:
    owner = make_person()
    organization = make_organization(owner=owner)
    heir = make_member(organization, "member")
    return request_transfer(organization=organization, from_user=owner, to_user=heir)


def new_impersonation() -> Mailed:
    """A look of which the owner and the member are told, each by his own mail."""
    organization = make_organization()
    return start(make_support(), make_member(organization, "member"), organization)


def new_invitation() -> Mailed:
    owner = make_person()
    return make_invitation(make_organization(owner=owner), owner)


def new_budget_alert() -> Mailed:
    wallet = main_wallet(make_organization())
    return send_test_alert(budget=create_budget(wallet=wallet, monthly_limit=100))


def new_key() -> Mailed:
    """A key that ends within a day: no other warning follows."""
    owner = make_person()
    organization = make_organization(owner=owner)
    with moved_to(database_now() - timedelta(hours=6)):
        end = database_now() + timedelta(days=1, hours=5)
        key, _ = create_key(
            organization=organization,
            created_by=owner,
            name="Test",
            scopes=["jobs:read"],
            expires_at=end,
        )
    return key


def new_expiry_warning() -> Mailed:
    """A warning of credits that end in twenty days."""
    now, wallet = database_now(), main_wallet(make_organization())
    with moved_to(now - 40 * DAY):
        grant_credits(
            wallet=wallet,
            amount=5,
            kind=Lot.Kind.PURCHASE,
            reference="ends",
            source="test",
            expires_at=now + 20 * DAY,
        )
    lot = Lot.objects.get(wallet=wallet, origin="ends")
    return ExpiryWarning.objects.create(
        organization=wallet.organization, lot=lot, days=30, amount=5, mail_due_at=now
    )


def new_reload() -> Mailed:
    """An automatic reload that has stopped because a card was declined for good."""
    owner = make_person()
    organization = make_organization(owner=owner)
    payment = Payment.objects.create(
        organization=organization,
        purpose=Payment.Purpose.RELOAD,
        credits=1000,
        amount=2000,
        currency="eur",
        is_live=False,
        status=Payment.Status.FAILED,
    )
    return AutoReload.objects.create(
        organization=organization,
        threshold=100,
        amount=1000,
        currency="eur",
        price=2000,
        state=AutoReload.State.SUSPENDED,
        reason=AutoReload.Reason.DECLINED_FOR_GOOD,
        news=payment,
        mail_due_at=database_now(),
    )


WAITING: dict[str, Callable[[], Mailed]] = {  # makes a row whose mail is due
    "budgets": new_budget_alert,
    "credit_expiry": new_expiry_warning,
    "erasures": new_erasure,
    "impersonations": new_impersonation,
    "invitations": new_invitation,
    "key_expiry": new_key,
    "reloads": new_reload,
    "transfers": new_transfer,
}
