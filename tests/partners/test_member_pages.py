"""Members and groups on pages and by the API: what is shown, changed and refused."""

import csv
import io

import pytest

from apps.partners.models import MemberGroup, PartnerMember
from apps.partners.services import groups, standing
from apps.partners.services.programmes import Terms
from apps.partners.services.standing import Cause
from tests.markup import repeated_ids
from tests.partners.awarding import give
from tests.partners.claiming import make_claimed, make_manager
from tests.partners.programme import make_members, make_programme
from tests.people import make_key, make_member, signed_in, with_key

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture
def partner():
    return make_programme(credits=100, terms=Terms(seat_limit=4))


@pytest.fixture
def client(partner):
    return signed_in(make_manager(partner))


@pytest.fixture
def member(partner):
    (made,) = make_members(partner, "ada@example.com")
    return made


@pytest.fixture
def base(partner):
    return f"/o/{partner.organization.slug}/programme/"


def reread(member: PartnerMember) -> PartnerMember:
    return PartnerMember.objects.get(pk=member.pk)


class TestTheList:
    def test_filters_by_status_group_and_text(self, client, base, partner, member):
        bo, _ = make_members(partner, "bo@example.com", "cy@example.com")
        standing.remove_member(member=bo, cause=Cause.REMOVED)
        group = groups.create_group(partner=partner, name="North")
        PartnerMember.objects.filter(pk=member.pk).update(group=group, first_name="Ada")
        for query, emails in (
            ("?status=left", {"bo@example.com"}),
            (f"?group={group.public_id}", {"ada@example.com"}),
            ("?q=Ada", {"ada@example.com"}),
            ("?q=ada+example", {"ada@example.com"}),
            ("?status=nonsense", {"ada@example.com", "bo@example.com", "cy@example.com"}),
        ):
            page = client.get(f"{base}members/{query}").content.decode()
            shown = {f"{name}@example.com" for name in ("ada", "bo", "cy")}
            assert {one for one in shown if one in page} == emails

    def test_is_a_file_that_no_spreadsheet_runs(self, client, base, member):
        PartnerMember.objects.filter(pk=member.pk).update(first_name="=1+1")
        response = client.get(f"{base}members/?format=csv")
        (row,) = csv.DictReader(io.StringIO(response.getvalue().decode()))
        assert (row["email"], row["first_name"]) == ("ada@example.com", "'=1+1")

    def test_asks_as_often_for_many_as_for_few(
        self, client, base, partner, member, django_assert_max_num_queries
    ):
        client.get(f"{base}members/")
        with django_assert_max_num_queries(40) as few:
            client.get(f"{base}members/")
        make_members(partner, *(f"m{number}@example.com" for number in range(3)))
        with django_assert_max_num_queries(len(few.captured_queries)):
            client.get(f"{base}members/")

    def test_goes_on_where_the_page_before_ended(self, client, base):
        many = make_programme(name="Many")
        make_members(many, *(f"m{number:02}@example.com" for number in range(30)))
        other = signed_in(make_manager(many))
        first = other.get(f"/o/{many.organization.slug}/programme/members/")
        assert len(first.context["members"]) == 25
        second = other.get(first.context["next_url"])
        assert len(second.context["members"]) == 5
        assert second.context["next_url"] is None


class TestInviting:
    def test_takes_addresses_as_people_paste_them(self, client, base, partner):
        group = groups.create_group(partner=partner, name="North")
        form = {"emails": "Ann <ann@example.com>\n bo@EXAMPLE.com,", "group": group.public_id}
        assert client.post(f"{base}members/invite/", form).status_code == 302
        found = PartnerMember.objects.filter(partner=partner, group=group)
        assert set(found.values_list("email", flat=True)) == {"ann@example.com", "bo@example.com"}

    def test_invites_nobody_where_one_address_is_none(self, client, base):
        response = client.post(f"{base}members/invite/", {"emails": "a@example.com\nb"})
        assert response.status_code == 422
        assert "b: This is no e-mail address" in response.content.decode()
        assert not PartnerMember.objects.exists()

    def test_says_that_no_seat_is_left(self, client, base):
        emails = "\n".join(f"m{number}@example.com" for number in range(5))
        response = client.post(f"{base}members/invite/", {"emails": emails})
        assert response.status_code == 409
        assert "may have 4 members" in response.content.decode()


class TestOneMember:
    def test_is_shown_with_what_is_offered(self, client, base, member):
        give(member, 7)
        page = client.get(f"{base}members/{member.public_id}/").content.decode()
        assert "7 credits, not claimed yet" in page

    def test_leads_to_awards_and_statement(self, client, base, partner, member):
        here = f"{base}members/{member.public_id}/"
        award = f'href="{base}awards/new/?member={member.public_id}"'
        others = (f'href="{base}awards/?member={member.public_id}"',)
        others += (f'href="{base}statements/{member.public_id}/"',)
        page = client.get(here).content.decode()
        assert all(link in page for link in (award, *others))
        reader = signed_in(make_member(partner.organization, "read-only"))
        page = reader.get(here).content.decode()
        assert all(link in page for link in others)
        assert award not in page

    def test_is_changed(self, client, base, member):
        form = {"email": "ada@example.com", "first_name": "Ada", "last_name": "", "group": ""}
        assert client.post(f"{base}members/{member.public_id}/", form).status_code == 302
        assert reread(member).first_name == "Ada"

    def test_says_what_is_wrong(self, client, base, partner, member):
        make_members(partner, "bo@example.com")
        address = f"{base}members/{member.public_id}/"
        assert client.post(address, {"email": "bo@example.com"}).status_code == 409
        assert client.post(address, {"email": "bo"}).status_code == 422

    def test_is_suspended_lifted_and_removed_for_a_reason(self, client, base, member):
        address = f"{base}members/{member.public_id}/"
        for verb, status in (("suspend", "suspended"), ("lift", "invited"), ("remove", "left")):
            refused = client.post(f"{address}{verb}/", {"reason": " "})
            assert refused.status_code == 422
            assert refused.context[f"{verb}_form"].errors["reason"]
            assert f'id="{verb}-reason_error"' in refused.content.decode()
            assert repeated_ids(refused.content.decode()) == []
            assert reread(member).status != status
            client.post(f"{address}{verb}/", {"reason": "because"})
            assert reread(member).status == status

    def test_is_written_to_a_while_after_the_last_mail(self, client, base, member):
        for verb in ("remind", "resend"):
            response = client.post(f"{base}members/{member.public_id}/{verb}/")
            assert response.status_code == 429
            page = response.content.decode()
            assert "got a mail a short time ago. The next one can go out in" in page
            assert "How you know this member" in page
        response = client.post(f"{base}members/remind/", follow=True)
        assert "1 got a mail less than a day ago" in response.content.decode()

    def test_is_only_shown_to_who_may_not_manage(self, base, partner, member):
        reader = signed_in(make_member(partner.organization, "read-only"))
        page = reader.get(f"{base}members/{member.public_id}/").content.decode()
        assert "Remove from the programme" not in page
        address = f"{base}members/{member.public_id}/remove/"
        assert reader.post(address, {"reason": "x"}).status_code == 403

    def test_of_another_programme_is_not_there(self, client, base):
        (theirs,) = make_members(make_programme(name="Other"), "theirs@example.com")
        assert client.get(f"{base}members/{theirs.public_id}/").status_code == 404
        response = client.post(f"{base}members/{theirs.public_id}/remove/", {"reason": "x"})
        assert response.status_code == 404
        assert reread(theirs).status == "invited"


def test_a_member_sees_nothing_of_the_programme(base, partner):
    client = signed_in(make_claimed(partner).user)
    assert client.get(f"{base}members/").status_code == 403
    assert client.get("/api/v1/partner/members").status_code == 403


def test_groups_are_made_changed_and_dissolved(client, base, partner):
    assert client.post(f"{base}groups/", {"name": "North"}).status_code == 302
    assert client.post(f"{base}groups/", {"name": "north"}).status_code == 409
    group = MemberGroup.objects.get(partner=partner)
    address = f"{base}groups/{group.public_id}/"
    assert client.post(address, {"name": "South", "cost_centre": "12"}).status_code == 302
    assert "South" in client.get(f"{base}groups/").content.decode()
    assert client.post(f"{address}remove/").status_code == 302
    assert client.get(address).status_code == 404


def test_terms_are_shown_with_those_before(client, base):
    page = client.get(f"{base}terms/").content.decode()
    assert "90 days from the claim" in page
    assert "returns to the pool" in page


class TestTheApi:
    @pytest.fixture
    def api(self, partner):
        _, token = make_key(
            partner.organization, make_manager(partner), "partners:read", "partners:write"
        )
        return with_key(token)

    def test_invites_lists_changes_and_removes(self, api, partner):
        group = api.post("/api/v1/partner/groups", {"name": "North"}, content_type=JSON).json()
        asked = {"members": [{"email": "Ada@Example.com", "group": group["id"]}]}
        for _ in range(2):
            answer = api.post("/api/v1/partner/members", asked, content_type=JSON)
            (ada,) = answer.json()["members"]
        assert (ada["email"], ada["status"]) == ("ada@example.com", "invited")
        listed = api.get("/api/v1/partner/members", {"group": group["id"]}).json()["data"]
        assert [one["id"] for one in listed] == [ada["id"]]
        one = f"/api/v1/partner/members/{ada['id']}"
        changed = api.patch(one, {"first_name": "Ada"}, content_type=JSON).json()
        assert (changed["first_name"], changed["group"]) == ("Ada", group["id"])
        assert api.patch(one, {"group": None}, content_type=JSON).json()["group"] is None
        suspended = api.post(f"{one}/suspension", {"reason": "x"}, content_type=JSON)
        assert suspended.json()["status"] == "suspended"
        assert api.delete(f"{one}/suspension").json()["status"] == "invited"
        assert api.post(f"{one}/remind").json()["code"] == "partner_member_mailed_recently"
        assert api.post(f"{one}/resend").status_code == 429
        assert api.post("/api/v1/partner/members/remind").json()["too_soon"] == 1
        assert api.delete(one).status_code == 204
        assert api.get(one).json()["status"] == "left"
        assert api.get("/api/v1/partner").json()["members"]["left"] == 1

    def test_asks_as_often_for_many_who_are_there_as_for_few(
        self, api, partner, django_assert_max_num_queries
    ):
        group = groups.create_group(partner=partner, name="North")
        ada, *_ = people = make_members(partner, "ada@example.com", "bo@example.com", "c@a.example")
        PartnerMember.objects.filter(partner=partner).update(group=group)

        def invite(*members):
            asked = {"members": [{"email": one.email} for one in members]}
            return api.post("/api/v1/partner/members", asked, content_type=JSON).json()["members"]

        invite(ada)
        with django_assert_max_num_queries(60) as few:
            invite(ada)
        with django_assert_max_num_queries(len(few.captured_queries)):
            assert [one["group"] for one in invite(*people)] == [group.public_id] * 3

    def test_takes_no_more_than_some_at_once(self, api):
        many = [{"email": f"m{number}@example.com"} for number in range(201)]
        response = api.post("/api/v1/partner/members", {"members": many}, content_type=JSON)
        assert response.status_code == 400
        assert not PartnerMember.objects.exists()

    def test_tells_terms_groups_and_a_file(self, api, member):
        assert api.get("/api/v1/partner/terms").json()["data"][0]["seat_limit"] == 4
        made = api.post("/api/v1/partner/groups", {"name": "North"}, content_type=JSON)
        group = made["Location"]
        changed = api.put(group, {"name": "South"}, content_type=JSON).json()
        assert (changed["name"], changed["members"]) == ("South", 0)
        assert api.get(group).json() == changed
        assert api.delete(group).status_code == 204
        assert api.get(group).status_code == 404
        assert "ada@example.com" in api.get("/api/v1/partner/members.csv").getvalue().decode()
