"""Charges, refunds, disputes, the balance, and money that goes elsewhere."""

from tests.simulator.conformance.scenarios import DAY, Shop, scenario


@scenario("refunds")
def refunds_never_exceed_the_charge(shop: Shop) -> None:
    intent = shop.pay()
    part = shop.v1.refunds.create({"payment_intent": intent.id, "amount": 500})
    assert part.status == "succeeded"
    too_much = {"payment_intent": intent.id, "amount": 1501}
    assert shop.refusal(shop.v1.refunds.create, too_much).param == "amount"
    shop.v1.refunds.create({"payment_intent": intent.id})
    charge = shop.v1.charges.retrieve(intent.latest_charge, {"expand": ["refunds"]})
    assert (charge.refunded, charge.amount_refunded) == (True, 2000)
    assert [refund.amount for refund in charge.refunds.data] == [1500, 500]
    error = shop.refusal(shop.v1.refunds.create, {"payment_intent": intent.id})
    assert error.code == "charge_already_refunded"


@scenario("refunds#failed-refunds")
def a_refund_can_fail_later(shop: Shop) -> None:
    refund = shop.v1.refunds.create({"payment_intent": shop.pay("pm_card_refundFail").id})
    assert refund.status == "succeeded"
    shop.visit(f"{shop.url}/_sim/clock", seconds=60)
    assert shop.v1.refunds.retrieve(refund.id).status == "failed"
    assert "refund.failed" in shop.types()


@scenario("disputes/responding")
def a_dispute_is_answered_and_won(shop: Shop) -> None:
    intent = shop.pay("pm_card_createDispute")
    opened = shop.v1.disputes.list({"payment_intent": intent.id}).data[0]
    assert (opened.status, opened.reason) == ("needs_response", "fraudulent")
    staged = {"evidence": {"customer_name": "Jenny"}, "submit": False}
    assert shop.v1.disputes.update(opened.id, staged).status == "needs_response"
    words = {"evidence": {"uncategorized_text": "winning_evidence"}}
    won = shop.v1.disputes.update(opened.id, words)
    assert won.status == "won"
    assert [one.amount for one in won.balance_transactions] == [-2000, 2000]
    assert "charge.dispute.funds_reinstated" in shop.types()


@scenario("testing#disputes")
def a_dispute_is_answered_and_lost(shop: Shop) -> None:
    intent = shop.pay("pm_card_createDisputeProductNotReceived")
    opened = shop.v1.disputes.list({"charge": intent.latest_charge}).data[0]
    words = {"evidence": {"uncategorized_text": "losing_evidence"}}
    assert shop.v1.disputes.update(opened.id, words).status == "lost"
    assert shop.types()[-1] == "charge.dispute.closed"


@scenario("disputes/how-disputes-work#inquiries")
def an_inquiry_is_closed(shop: Shop) -> None:
    intent = shop.pay("pm_card_createDisputeInquiry")
    opened = shop.v1.disputes.list({"payment_intent": intent.id}).data[0]
    assert (opened.status, opened.is_charge_refundable) == ("warning_needs_response", True)
    assert shop.v1.disputes.close(opened.id).status == "warning_closed"


@scenario("disputes/monitoring/early-fraud-warnings")
def fraud_is_warned_of(shop: Shop) -> None:
    intent = shop.pay("pm_card_createIssuerFraudRecord")
    warning = shop.v1.radar.early_fraud_warnings.list({"payment_intent": intent.id}).data[0]
    assert warning.actionable


@scenario("balance")
def money_becomes_available_and_is_paid_out(shop: Shop) -> None:
    shop.pay("pm_card_bypassPending", amount=10_000)
    available = shop.v1.balance.retrieve().available[0].amount
    assert available == 10_000 - 320
    too_much = {"amount": available + 1, "currency": "usd"}
    assert shop.refusal(shop.v1.payouts.create, too_much).code == "balance_insufficient"
    payout = shop.v1.payouts.create({"amount": available, "currency": "usd"})
    assert shop.v1.balance.retrieve().available[0].amount == 0
    shop.visit(f"{shop.url}/_sim/clock", seconds=2 * DAY)
    assert shop.v1.payouts.retrieve(payout.id).status == "paid"


@scenario("reports/balance-transaction-types")
def every_movement_has_a_balance_transaction(shop: Shop) -> None:
    intent = shop.pay(expand=["latest_charge.balance_transaction"])
    movement = intent.latest_charge.balance_transaction
    assert (movement.type, movement.amount, movement.fee, movement.net) == (
        "charge",
        2000,
        88,
        1912,
    )
    shop.v1.refunds.create({"payment_intent": intent.id})
    listed = shop.v1.balance_transactions.list()
    assert [one.type for one in listed.data] == ["refund", "charge"]
    assert shop.v1.balance_transactions.retrieve(movement.id).source == intent.latest_charge.id


@scenario("connect/separate-charges-and-transfers")
def money_is_transferred_and_taken_back(shop: Shop) -> None:
    shop.v1.topups.create({"amount": 5000, "currency": "usd"})
    account = shop.v1.accounts.create({"type": "standard"})
    transfer = shop.v1.transfers.create(
        {"amount": 1000, "currency": "usd", "destination": account.id}
    )
    shop.v1.transfers.reversals.create(transfer.id, {"amount": 400})
    found = shop.v1.transfers.retrieve(transfer.id)
    assert (found.amount_reversed, found.reversed) == (400, False)
    assert shop.refusal(shop.v1.transfers.reversals.create, transfer.id, {"amount": 601})
    assert shop.v1.accounts.retrieve(account.id).type == "standard"


@scenario("payments/customer-balance")
def a_bank_transfer_pays_an_intent_in_two_parts(shop: Shop) -> None:
    customer = shop.customer()
    intent = shop.v1.payment_intents.create(
        {
            "amount": 20_000,
            "currency": "jpy",
            "customer": customer.id,
            "payment_method_types": ["customer_balance"],
            "payment_method_data": {"type": "customer_balance"},
            "payment_method_options": {
                "customer_balance": {
                    "funding_type": "bank_transfer",
                    "bank_transfer": {"type": "jp_bank_transfer"},
                }
            },
            "confirm": True,
        }
    )
    assert intent.next_action.type == "display_bank_transfer_instructions"
    fund = shop.v1.test_helpers.customers.fund_cash_balance
    fund(customer.id, {"amount": 15_000, "currency": "jpy"})
    assert "payment_intent.partially_funded" in shop.types()
    fund(customer.id, {"amount": 6_000, "currency": "jpy"})
    assert shop.v1.payment_intents.retrieve(intent.id).status == "succeeded"
    left = shop.v1.customers.cash_balance.retrieve(customer.id)
    assert left.available.to_dict() == {"jpy": 1000}
