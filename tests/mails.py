"""The queues of mails, for tests: a row that waits in each, sent as the task sends it."""

from collections.abc import Callable
from datetime import timedelta

from apps.billing.models import AutoReload, Payment, Refund
from apps.capacity.services.reserving import release_reservation
from apps.core.clock import database_now, moved_to
from apps.core.mail import Round, queues, send_due
from apps.core.models import Mailed
from apps.credits.models import ExpiryWarning, Lot
from apps.credits.selectors import main_wallet
from apps.credits.services.budget_alerts import send_test_alert
from apps.credits.services.budgets import create_budget
from apps.credits.services.grants import grant_credits
from apps.partners.services.applications import apply, decline
from apps.partners.services.requests import decline_request, request_credits
from apps.rbac.services.erasures import request_erasure
from apps.rbac.services.keys import create_key
from apps.rbac.services.ownership import request_transfer
from tests.capacity.lines import offered
from tests.capacity.plants import begin_to_pay, hold, make_project, money_comes
from tests.partners.awarding import give, make_active_member
from tests.partners.programme import make_members, make_programme
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


def new_refund() -> Mailed:
    """Money that goes back because what it paid for was gone."""
    owner = make_person()
    organization = make_organization(owner=owner)
    late = hold(organization, make_project(5), 5)
    release_reservation(reservation=late)
    money_comes(begin_to_pay(late))
    return Refund.objects.get(organization=organization)


def new_credit_request() -> Mailed:
    """A request that was declined."""
    asked = request_credits(member=make_active_member(make_programme()), credits=1)
    return decline_request(request=asked, by=make_person(), answer="Not now")


def new_claim() -> Mailed:
    (member,) = make_members(make_programme(), "claimant@example.com")
    return member


def new_application() -> Mailed:
    """An application for a programme that was declined."""
    owner = make_person()
    application = apply(
        organization=make_organization(owner=owner), name="Test", expected_members=3, by=owner
    )
    return decline(application=application, answer="Not yet.", by=make_person(is_staff=True))


def new_award() -> Mailed:
    """An award to a member who has claimed before."""
    return give(make_active_member(make_programme(credits=10)))


def new_offer() -> Mailed:
    """An offer to one who has waited for blocks."""
    return offered(make_organization(owner=make_person()), 5)


WAITING: dict[str, Callable[[], Mailed]] = {  # makes a row whose mail is due
    "awards": new_award,
    "budgets": new_budget_alert,
    "capacity_offers": new_offer,
    "credit_expiry": new_expiry_warning,
    "credit_requests": new_credit_request,
    "erasures": new_erasure,
    "impersonations": new_impersonation,
    "invitations": new_invitation,
    "key_expiry": new_key,
    "partner_applications": new_application,
    "programme_claims": new_claim,
    "refunds": new_refund,
    "reloads": new_reload,
    "transfers": new_transfer,
}
