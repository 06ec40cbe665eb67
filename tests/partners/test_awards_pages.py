"""The pages of awards."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.partners.models import Campaign, PartnerCredit
from tests.partners.awarding import give, in_pool, make_active_member, spend
from tests.partners.programme import make_members, make_programme
from tests.people import make_member, signed_in

pytestmark = pytest.mark.django_db
ACTS = ("extend", "revoke")


@pytest.fixture
def client(partner):
    return signed_in(make_member(partner.organization, "owner"))


def address(partner, name="awards", *args):
    return reverse(f"partners:{name}", args=[partner.organization.slug, *args])


def form_of(client, partner, **fields):
    """Return what the form would send, with the key that it was drawn with."""
    key = client.get(address(partner, "new_award")).context["form"]["key"].value()
    return {"key": key, "credits": 30, **fields}


def test_the_list_shows_what_became_of_each(client, partner):
    member = make_active_member(partner)
    award = give(member, 10, note="For <b>spring</b>")
    spend(member, 4)
    page = client.get(address(partner))
    (line,) = page.context["awards"]
    assert (line["award"], line["standing"].used, line["standing"].left) == (award, 4, 6)
    assert "For &lt;b&gt;spring&lt;/b&gt;" in page.content.decode()


def test_a_list_of_nothing_says_so(client, partner):
    assert "Nothing awarded yet" in client.get(address(partner)).content.decode()


def test_the_list_is_filtered_paged_and_handed_out(client, partner):
    ada, bea = make_active_member(partner), make_active_member(partner, "bea@example.com")
    used, available = give(ada, 1), give(bea, 1)
    spend(ada, 1)
    here = address(partner)
    for query, found in (
        ("?status=used", [used]),
        ("?q=bea", [available]),
        ("?source=upload", []),
        ("?status=nonsense", [available, used]),
        (f"?after={available.public_id}", [used]),
        ("?from_date=0001-01-01&to_date=9999-12-31", [available, used]),
        ("?from_date=2000-01-01&to_date=2000-01-02", []),
        (f"?member={ada.public_id}", [used]),
    ):
        shown = client.get(here + query).context["awards"]
        assert [one["award"] for one in shown] == found, query
    text = b"".join(client.get(f"{here}?format=csv&status=used").streaming_content).decode()
    assert (used.public_id in text, available.public_id in text) == (True, False)


def test_an_award_is_shown_before_it_is_made(client, partner):
    member = make_active_member(partner)
    here = address(partner, "new_award")
    form = form_of(client, partner, member="Ada@example.com")

    shown = client.post(here, form).context
    preview, seen = shown["preview"], {"confirmed": shown["seen"]}
    assert (preview.pool_before, preview.pool_after) == (100, 70)
    assert (preview.member_before, preview.member_after) == (0, 30)
    assert (PartnerCredit.objects.count(), in_pool(partner)) == (0, 100)

    for _ in range(2):  # sent twice, it is one award
        done = client.post(here, {**form, **seen})
    award = PartnerCredit.objects.get()
    assert done.url == address(partner, "award", award.public_id)
    assert (award.member, award.credits, in_pool(partner)) == (member, 30, 70)


def test_what_was_shown_confirms_no_other_award(client, partner):
    make_active_member(partner)
    here = address(partner, "new_award")
    form = form_of(client, partner, member="ada@example.com")
    seen = {"confirmed": client.post(here, form).context["seen"]}

    for changed in ({"credits": 99}, {"note": "More"}, {"validity_days": 7}):
        answer = client.post(here, {**form, **changed, **seen})
        assert answer.context["preview"].award.credits == changed.get("credits", 30)
        assert in_pool(partner) == 100

    client.post(here, {**form, **seen})
    again = client.post(here, {**form, "credits": 99}, follow=True)  # by the form of before
    assert "This form has awarded 30 credits already." in again.content.decode()
    assert again.context["form"]["key"].value() != form["key"]
    assert in_pool(partner) == 70


def test_the_form_says_what_is_wrong(client, partner):
    make_members(partner, "ada@example.com")
    here = address(partner, "new_award")
    for fields, status, text in (
        ({"member": "bea@example.com"}, 404, "Nobody in the programme has this id"),
        ({"member": "ada@example.com", "credits": 101}, 402, "100 are available"),
        ({"member": "ada@example.com", "credits": 0}, 422, "greater than or equal to 1"),
    ):
        answer = client.post(here, form_of(client, partner, **fields, confirmed="1"))
        assert answer.status_code == status, fields
        assert text in answer.content.decode()
    assert in_pool(partner) == 100


def test_an_award_is_extended_and_revoked(client, partner):
    member = make_active_member(partner)
    award = give(member, 10)
    spend(member, 4)
    here = address(partner, "award", award.public_id)
    assert "6 credits return to the pool; 4 stay used." in " ".join(
        client.get(here).content.decode().split()
    )
    day = (award.expires_at + timedelta(days=5)).date()
    extend, revoke = (address(partner, f"{one}_award", award.public_id) for one in ACTS)
    for wrong, says in (
        ("2000-01-01", "This must be later"),
        ("9999-12-31", "This must be within"),
    ):
        refused = client.post(extend, {"until": wrong})
        assert refused.status_code == 400
        assert refused.context["extend_form"].errors["until"][0].startswith(says)
    assert client.post(extend, {}).status_code == 422
    assert client.post(extend, {"until": day.isoformat()}).url == here
    award.refresh_from_db()
    assert award.expires_at.date() >= day
    assert client.post(revoke, {"reason": ""}).status_code == 422
    assert client.post(revoke, {"reason": "left"}).url == here
    assert in_pool(partner) == 96
    assert "What you can do" not in client.get(here).content.decode()
    assert client.post(extend, {"until": "2099-01-01"}).status_code == 409


def test_who_only_looks_changes_nothing(partner):
    viewer = signed_in(make_member(partner.organization, "read-only"))
    award = give(make_active_member(partner), 10)
    page = viewer.get(address(partner, "award", award.public_id))
    assert "Revoke" not in page.content.decode()
    for name, args in (
        ("new_award", []),
        ("extend_award", [award.public_id]),
        ("revoke_award", [award.public_id]),
    ):
        assert viewer.post(address(partner, name, *args)).status_code == 403


def test_another_partners_award_is_not_there(client, partner):
    theirs = give(make_active_member(make_programme(credits=10)), 5)
    assert client.get(address(partner, "award", theirs.public_id)).status_code == 404
    for act in ACTS:
        path = address(partner, f"{act}_award", theirs.public_id)
        assert client.post(path, {"reason": "x", "until": "2099-01-01"}).status_code == 404


def test_campaigns_that_are_over_can_be_looked_for_and_not_be_awarded_in(client, partner):
    now = timezone.now()
    for name, begins, ends in (("Over", -2, -1), ("Open", -1, None), ("Later", 1, 2)):
        Campaign.objects.create(
            organization=partner.organization,
            partner=partner,
            name=name,
            budget=10,
            begins_at=now + timedelta(days=begins),
            ends_at=now + timedelta(days=ends) if ends else None,
        )
    offered = client.get(address(partner, "new_award")).context["form"]["campaign"]
    assert [one.name for one in offered.field.queryset] == ["Later", "Open"]
    looked_for = client.get(address(partner)).context["filter_form"]["campaign"]
    assert [one.name for one in looked_for.field.queryset] == ["Later", "Open", "Over"]


def test_an_award_leads_to_its_campaign(client, partner):
    campaign = Campaign.objects.create(
        organization=partner.organization,
        partner=partner,
        name="Spring",
        budget=10,
        begins_at=partner.created_at,
    )
    award = give(make_active_member(partner), 5, campaign=campaign)
    link = f'href="{address(partner, "campaign", campaign.public_id)}"'
    assert link in client.get(address(partner, "award", award.public_id)).content.decode()
    assert link in client.get(address(partner, "overview")).content.decode()
