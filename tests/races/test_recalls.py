"""Credits that are recalled while they are spent: real connections, real commits."""

import pytest
from django.db.models import Sum

from apps.credits.ledger.returning import Recall
from apps.credits.models import CreditTransaction, Lot
from apps.credits.services.holders import open_member_wallet
from apps.credits.services.transfers import transfer_credits
from tests.credits.wallets import make_wallet
from tests.invariants import broken
from tests.races.racing import at_once
from tests.races.test_ledger import charge, say

pytestmark = pytest.mark.django_db(transaction=True)


class TestRecallsAndSpending:
    def test_share_what_there_is(self):
        pool = make_wallet(credits=100)
        member = open_member_wallet(organization=pool.organization)
        about = {"wallet": pool, "target": member, "reference": "award", "source": "test"}
        transfer_credits(**about, amount=40, returns=True)
        lot, origin = Lot.objects.get(wallet=member), Lot.objects.get(wallet=pool)

        def recall(number: int, amount: int | None = None) -> Recall:
            return Recall(
                wallet_id=member.id,
                target_id=pool.id,
                lots=(lot.id,),
                reference=f"recall:{number}",
                source="test",
                amount=amount,
            )

        commands = [
            *(charge(member, f"job:{number}", 5) for number in range(6)),
            *(recall(number, 7) for number in range(3)),
            *(recall(1, 7) for _ in range(2)),  # the same once more
            *(charge(pool, f"pool:{number}", 2) for number in range(3)),
        ]
        said = set(at_once([lambda one=one: say(one) for one in commands]))

        assert said <= {"done", "replayed", "insufficient_credits", "lot_has_less"}
        assert say(recall(9)) == "done"
        used = CreditTransaction.objects.filter(transaction_type="consumed")
        origin.refresh_from_db()
        assert origin.remaining == 100 + used.aggregate(sum=Sum("amount"))["sum"]
        assert broken() == []
