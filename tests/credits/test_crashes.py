"""A process that dies after any of its statements: the next attempt makes it whole."""

import pytest

from apps.core.invariants import verify
from apps.credits.ledger import commands as ask
from tests.races.cases import CASES
from tests.races.crashes import crash_everywhere

pytestmark = pytest.mark.django_db(transaction=True)
# One for each way of writing; `make figures-2` does all of CASES.
SOME = [
    *("charge_after_expiry", "refund", "capture_and_overflow", "renew_allowance", "batch"),
    *("charge_within_budgets", "make_a_budget"),
    *("recall_after_its_date", "service_recall_many"),
    *("service_transfer", "sweep", "correction_approved", "with_an_idempotency_key"),
]


class TestDyingAfterEachStatement:
    @pytest.mark.parametrize("name", SOME)
    def test_leaves_one_effect_after_the_next_attempt(self, name):
        crashes = crash_everywhere(CASES[name])

        assert (crashes.torn, crashes.wrong) == (0, 0)
        assert crashes.statements >= 4
        assert [finding for finding in verify() if finding.failures] == []

    def test_doubles_what_is_tried_again_under_another_reference(self):
        """The control: deaths after COMMIT, and after what is asked then, are among those tried."""

        def ask_anew(scene):
            scene.post(ask.Charge, "another cause", amount=30)

        assert crash_everywhere(CASES["charge"], again=ask_anew).wrong >= 1
