"""The pages of organizations: settings, addresses that moved, ownership, the danger zone."""

import pytest

from apps.credits.selectors import main_wallet
from apps.credits.services.holds import hold_amount
from apps.rbac.selectors import open_transfer_of, owners_of
from apps.rbac.services.ownership import decline_transfer, request_transfer
from apps.tenants.models import Organization
from apps.tenants.services.organizations import update_organization
from tests.people import make_member, make_organization, make_person, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_person(full_name="Ada Acker")


@pytest.fixture
def organization(owner):
    return make_organization(owner=owner, name="Acme")


@pytest.fixture
def browser(owner, organization):
    return signed_in(owner)


@pytest.fixture
def heir(organization):
    return make_member(organization, "member", full_name="Bo Bilal")


def text_of(answer) -> str:
    return answer.content.decode()


class TestTheSettings:
    FORM = {
        "name": "Acme AG",
        "slug": "acme-ag",
        "description": "",
        "website": "",
        "billing_email": "bills@example.com",
        "time_zone": "Europe/Berlin",
    }

    def test_change_the_address_and_lead_there(self, browser, organization):
        answer = browser.post("/o/acme/settings/", self.FORM)

        assert answer["Location"] == "/o/acme-ag/settings/"
        organization.refresh_from_db()
        assert (organization.billing_email, organization.time_zone) == (
            "bills@example.com",
            "Europe/Berlin",
        )

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("slug", "Not OK"),
            ("slug", "taken"),
            ("slug", "once-taken"),
            ("time_zone", "Mars/Olympus"),
            ("billing_email", "no address"),
        ],
    )
    def test_show_what_is_wrong_on_its_field(self, browser, organization, field, value):
        update_organization(organization=make_organization(slug="once-taken"), slug="taken")

        answer = browser.post("/o/acme/settings/", {**self.FORM, field: value})

        assert field in answer.context["form"].errors
        organization.refresh_from_db()
        assert organization.slug == "acme"


class TestAnAddressThatMoved:
    @pytest.fixture(autouse=True)
    def moved(self, organization):
        update_organization(organization=organization, slug="acme-ag")

    @pytest.mark.parametrize("page", ["", "settings/", "transactions/?type=earned"])
    def test_leads_members_to_the_new_one(self, browser, page):
        answer = browser.get(f"/o/acme/{page}", follow=True)

        assert answer.status_code == 200
        assert answer.redirect_chain[0][0] == f"/o/acme-ag/{page}"

    def test_leads_from_a_bookmark_of_the_beginning(self, browser):
        assert browser.get("/o/acme/start/")["Location"] == "/o/acme-ag/"

    def test_does_not_exist_for_others(self, client):
        stranger = signed_in(make_person())

        assert stranger.get("/o/acme/settings/").status_code == 404
        assert client.get("/o/acme/settings/")["Location"].startswith("/accounts/login/")

    def test_takes_no_form(self, browser, organization):
        answer = browser.post("/o/acme/settings/", TestTheSettings.FORM)

        assert answer.status_code == 404


class TestOneMore:
    def test_is_made_by_somebody_with_an_account(self, browser, owner):
        assert "Create the organization" in text_of(browser.get("/organizations/new/"))

        answer = browser.post("/organizations/new/", {"name": "Acme Labs", "slug": ""})

        made = Organization.objects.get(slug="acme-labs")
        assert answer["Location"] == "/o/acme-labs/start/"
        assert list(owners_of(made)) == [owner]
        assert not made.is_personal

    def test_shows_that_its_address_is_taken(self, browser):
        answer = browser.post("/organizations/new/", {"name": "Acme", "slug": "acme"})

        assert "slug" in answer.context["form"].errors

    def test_appears_in_the_switcher_of_every_page(self, browser, owner):
        make_organization(owner=owner, name="Ada", is_personal=True)

        page = text_of(browser.get("/o/acme/settings/"))

        assert 'href="/o/ada/start/"' in page
        assert "personal" in page
        assert 'href="/organizations/new/"' in page

    def test_needs_sign_in(self, client):
        for address in ("/organizations/new/", "/organizations/"):
            assert client.get(address)["Location"].startswith("/accounts/login/")


class TestOwnership:
    PAGE = "/o/acme/ownership/"

    def test_is_offered_and_withdrawn(self, browser, organization, heir):
        browser.post(f"{self.PAGE}offer/", {"to": heir.pk})
        offer = open_transfer_of(organization)
        assert "Bo Bilal" in text_of(browser.get(self.PAGE))

        browser.post(f"{self.PAGE}{offer.public_id}/withdraw/")

        assert open_transfer_of(organization) is None

    def test_is_accepted_by_the_one_who_was_asked(self, organization, owner, heir):
        offer = request_transfer(organization=organization, from_user=owner, to_user=heir)
        client = signed_in(heir)
        assert "Become the owner" in text_of(client.get(self.PAGE))

        client.post(f"{self.PAGE}{offer.public_id}/accept/")

        assert list(owners_of(organization)) == [heir]

    def test_is_told_to_the_one_who_was_asked_until_he_answers(self, organization, owner, heir):
        offer = request_transfer(organization=organization, from_user=owner, to_user=heir)
        told = "Ada Acker offers you the ownership of Acme"
        assert told in text_of(signed_in(heir).get("/organizations/"))
        assert told not in text_of(signed_in(owner).get("/organizations/"))

        decline_transfer(transfer=offer, user=heir)

        assert told not in text_of(signed_in(heir).get("/organizations/"))

    def test_is_not_offered_to_a_stranger(self, browser, organization):
        answer = browser.post(f"{self.PAGE}offer/", {"to": make_person().pk})

        assert "to" in answer.context["form"].errors
        assert open_transfer_of(organization) is None

    def test_shows_others_who_owns_it_and_no_form(self, organization, owner, heir):
        request_transfer(organization=organization, from_user=owner, to_user=heir)
        bystander = signed_in(make_member(organization, "admin"))

        page = text_of(bystander.get(self.PAGE))

        assert owner.email in page
        assert "Become the owner" not in page
        assert "Withdraw" not in page
        assert "/ownership/offer/" not in page

    def test_takes_no_answer_of_others(self, browser, organization, owner, heir):
        offer = request_transfer(organization=organization, from_user=owner, to_user=heir)
        bystander = signed_in(make_member(organization, "admin"))

        for client in (browser, bystander):
            assert client.post(f"{self.PAGE}{offer.public_id}/accept/").status_code == 404
        assert bystander.post(f"{self.PAGE}{offer.public_id}/withdraw/").status_code == 403
        assert signed_in(heir).post(f"{self.PAGE}{offer.public_id}/maybe/").status_code == 404
        assert list(owners_of(organization)) == [owner]

    def test_is_given_up_beside_another_owner_alone(self, browser, organization, owner):
        assert browser.post(f"{self.PAGE}step-down/").status_code == 409
        other = make_member(organization, "owner")
        assert "Give up ownership" in text_of(browser.get(self.PAGE))

        browser.post(f"{self.PAGE}step-down/")

        assert list(owners_of(organization)) == [other]


class TestTheDangerZone:
    PAGE = "/o/acme/danger/"

    def test_shows_what_would_be_left(self, browser):
        page = browser.get(self.PAGE)

        assert page.context["leftover"].credits == 100
        assert "100" in text_of(page)
        assert 'href="/o/acme/danger/"' in text_of(browser.get("/o/acme/settings/"))

    def test_closes_what_is_typed_and_lets_it_be_undone(self, browser, organization):
        answer = browser.post(self.PAGE, {"confirmation": "acme", "reason": "Done"}, follow=True)
        assert answer.redirect_chain[-1][0] == "/organizations/"
        assert "Open Acme again" in text_of(answer)
        assert browser.get("/o/acme/settings/").status_code == 404

        browser.post(f"/organizations/{organization.public_id}/reopen/")

        assert browser.get("/o/acme/settings/").status_code == 200

    @pytest.mark.parametrize("typed", ["", "Acme", "other"])
    def test_closes_nothing_by_a_slip(self, browser, organization, typed):
        answer = browser.post(self.PAGE, {"confirmation": typed})

        assert "confirmation" in answer.context["form"].errors
        organization.refresh_from_db()
        assert organization.status == "active"

    def test_says_what_stands_in_the_way(self, browser, organization):
        hold_amount(wallet=main_wallet(organization), amount=5, reference="h", source="test")
        assert "cannot be closed yet" in text_of(browser.get(self.PAGE))

        answer = browser.post(self.PAGE, {"confirmation": "acme"})

        assert "5 credits are held" in text_of(answer)
        organization.refresh_from_db()
        assert organization.status == "active"

    def test_is_for_owners(self, organization):
        admin = signed_in(make_member(organization, "admin"))

        assert admin.get(self.PAGE).status_code == 403
        assert admin.post(self.PAGE, {"confirmation": "acme"}).status_code == 403
        assert "/danger/" not in text_of(admin.get("/o/acme/settings/"))

    def test_is_not_reopened_by_others(self, browser, organization, heir):
        browser.post(self.PAGE, {"confirmation": "acme"})

        for person in (heir, make_person()):
            address = f"/organizations/{organization.public_id}/reopen/"
            assert signed_in(person).post(address).status_code == 404

    def test_costs_as_many_queries_however_many_wallets(
        self, browser, organization, django_assert_max_num_queries
    ):
        from apps.credits.models import Wallet

        for _ in range(10):
            Wallet.objects.create(organization=organization, kind=Wallet.Kind.MEMBER)

        with django_assert_max_num_queries(29):  # the banner asks eight, capacity three
            browser.get(self.PAGE)
