"""Disputes: opened by test cards, answered with evidence, won or lost."""

from urllib.request import Request, urlopen

import pytest
import stripe


def pay(client, method):
    return client.v1.payment_intents.create(
        {
            "amount": 2000,
            "currency": "usd",
            "payment_method": method,
            "payment_method_types": ["card"],
            "confirm": True,
        }
    )


def dispute(client, method="pm_card_createDispute"):
    intent = pay(client, method)
    return client.v1.disputes.list({"payment_intent": intent.id}).data[0]


def answer(client, id_, words, **more):
    return client.v1.disputes.update(id_, {"evidence": {"uncategorized_text": words}, **more})


def types(client):
    return [event.type for event in client.v1.events.list({"limit": 100}).data][::-1]


def disputed(client):
    return [type_ for type_ in types(client) if ".dispute." in type_]


def net(client):
    return sum(one.net for one in client.v1.balance_transactions.list({"limit": 100}).data)


@pytest.mark.parametrize(
    ("method", "reason", "status"),
    [
        ("pm_card_createDispute", "fraudulent", "needs_response"),
        ("pm_card_createDisputeProductNotReceived", "product_not_received", "needs_response"),
        ("pm_card_createDisputeInquiry", "fraudulent", "warning_needs_response"),
    ],
)
def test_a_card_opens_a_dispute(client, method, reason, status):
    opened = dispute(client, method)
    assert (opened.reason, opened.status, opened.amount) == (reason, status, 2000)
    is_inquiry = status.startswith("warning")
    assert client.v1.charges.retrieve(opened.charge).disputed is not is_inquiry
    assert [one.amount for one in opened.balance_transactions] == ([] if is_inquiry else [-2000])
    assert opened.evidence_details.due_by > opened.created


def test_money_and_fee_are_gone_until_it_is_won(client):
    opened = dispute(client)
    assert net(client) == (2000 - 88) - (2000 + 1500)
    won = answer(client, opened.id, "winning_evidence")
    assert won.status == "won"
    assert net(client) == 2000 - 88
    assert disputed(client) == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
    ]


def test_losing_evidence_loses(client):
    lost = answer(client, dispute(client).id, "losing_evidence")
    assert (lost.status, lost.evidence_details.submission_count) == ("lost", 1)
    assert net(client) == (2000 - 88) - (2000 + 1500)
    assert disputed(client)[-1] == "charge.dispute.closed"


def test_other_evidence_is_under_review(client):
    waiting = answer(client, dispute(client).id, "here is the receipt")
    assert waiting.status == "under_review"
    with pytest.raises(stripe.InvalidRequestError):
        answer(client, waiting.id, "winning_evidence")


def test_evidence_can_be_collected_before_it_is_handed_in(client):
    opened = dispute(client)
    collected = answer(client, opened.id, "winning_evidence", submit=False)
    assert (collected.status, collected.evidence_details.has_evidence) == ("needs_response", True)
    assert client.v1.disputes.update(opened.id, {"submit": True}).status == "won"


def test_metadata_hands_nothing_in(client):
    changed = client.v1.disputes.update(dispute(client).id, {"metadata": {"a": "b"}})
    assert changed.status == "needs_response"


def test_an_inquiry_can_become_a_dispute(client):
    opened = dispute(client, "pm_card_createDisputeInquiry")
    worse = answer(client, opened.id, "escalate_inquiry_evidence")
    assert (worse.status, worse.is_charge_refundable) == ("needs_response", False)
    assert len(worse.balance_transactions) == 1
    assert answer(client, opened.id, "winning_evidence").status == "won"


@pytest.mark.parametrize(
    ("method", "status"),
    [("pm_card_createDispute", "lost"), ("pm_card_createDisputeInquiry", "warning_closed")],
)
def test_giving_in_closes_it_once(client, method, status):
    closed = client.v1.disputes.close(dispute(client, method).id)
    assert closed.status == status
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.disputes.close(closed.id)


def test_saying_nothing_loses(client, server):
    opened = dispute(client)
    body = f"seconds={10 * 86_400}".encode()
    urlopen(Request(f"{server.url}/_sim/clock", body), timeout=30).close()
    found = client.v1.disputes.retrieve(opened.id)
    assert (found.status, found.evidence_details.past_due) == ("lost", True)


def test_a_disputed_charge_cannot_be_refunded(client):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"charge": dispute(client).charge})
    assert refused.value.code == "charge_disputed"


def test_fraud_is_warned_of(client):
    intent = pay(client, "pm_card_createIssuerFraudRecord")
    warning = client.v1.radar.early_fraud_warnings.list({"payment_intent": intent.id}).data[0]
    assert warning.charge == intent.latest_charge
    assert client.v1.radar.early_fraud_warnings.retrieve(warning.id).actionable
    assert types(client)[-1] == "radar.early_fraud_warning.created"
