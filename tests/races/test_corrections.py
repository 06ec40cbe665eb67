"""Two members of staff at one correction: real connections, real commits."""

from collections import Counter
from uuid import uuid4

import pytest

from apps.core.invariants import verify
from apps.credits.models import Correction, CreditTransaction, Wallet
from apps.credits.services.correction_terms import Terms
from apps.credits.services.corrections import Why, request_correction
from apps.tenants.models import AdminConfig
from tests.credits.admin.staff import make_staff, page_of, wallet_of
from tests.people import signed_in
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
RACERS = 6


@pytest.fixture
def wallet():
    return wallet_of()


def ask(wallet) -> Correction:
    AdminConfig.objects.create(key="credits.correction_limit", value=0)
    return request_correction(
        wallet=wallet,
        action=Correction.Action.GRANT,
        terms=Terms(amount=40),
        why=Why(Correction.Reason.GOODWILL),
        user=make_staff("credit clerk"),
    )


def race(correction, decisions) -> Counter[int]:
    clients = [signed_in(make_staff("credit approver")) for _ in decisions]
    address = page_of("correction", f"{correction.pk}/change/")

    def work(client, decision):
        sent = {"decision": decision, "comment": "Raced"}
        return lambda: client.post(address, sent).status_code

    return Counter(at_once([work(*pair) for pair in zip(clients, decisions, strict=True)]))


class TestOneCorrection:
    def test_is_approved_once(self, wallet):
        correction = ask(wallet)

        said = race(correction, ["approve"] * RACERS)

        assert said == {302: 1, 409: RACERS - 1}
        assert CreditTransaction.objects.filter(reference=correction.reference).count() == 1
        assert Wallet.objects.get(pk=wallet.pk).balance == 140
        assert [finding for finding in verify() if finding.failures] == []

    def test_is_approved_or_rejected_and_never_both(self, wallet):
        correction = ask(wallet)

        said = race(correction, ["approve", "reject"] * (RACERS // 2))

        correction.refresh_from_db()
        posted = CreditTransaction.objects.filter(reference=correction.reference).count()
        assert said == {302: 1, 409: RACERS - 1}
        assert (correction.status, posted) in [("posted", 1), ("rejected", 0)]

    def test_is_posted_once_by_one_form_sent_many_times(self, wallet):
        clerk = make_staff("credit clerk")
        sent = {
            "correction_id": str(uuid4()),
            "action": "grant",
            "amount": 40,
            "kind": "adjustment",
            "reason": "goodwill",
        }
        address = page_of("wallet", f"{wallet.pk}/correct/")
        clients = [signed_in(clerk) for _ in range(RACERS)]
        shown = clients[0].post(address, {**sent, "step": "preview"})
        sent |= {"step": "confirm", "preview_token": shown.context["token"]}

        answers = at_once([lambda one=one: one.post(address, sent) for one in clients])

        assert {answer["Location"] for answer in answers} == {
            page_of("correction", f"{sent['correction_id']}/change/")
        }
        assert Wallet.objects.get(pk=wallet.pk).balance == 140
