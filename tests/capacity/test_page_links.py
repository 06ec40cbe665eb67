"""Where the pages of capacity lead: to a project, onto its waiting list, and to Stripe."""

import pytest

from tests.capacity.lines import free, full_project, wait
from tests.capacity.plants import hold, make_project, past_its_hold
from tests.people import make_member, make_organization, signed_in

pytestmark = pytest.mark.django_db
JOIN = "Join the waiting list"


@pytest.fixture
def show(acme):
    """Return what a page below capacity/ shows to the owner."""
    client = signed_in(make_member(acme, "owner"))
    return lambda rest="": client.get(f"/o/{acme.slug}/capacity/{rest}").content.decode()


def page_of(project):
    return f"projects/{project.code}/"


class TestTheListOfProjects:
    def test_leads_to_each_project(self, acme, show):
        project = make_project(5)
        assert f'href="/o/{acme.slug}/capacity/{page_of(project)}"' in show()


class TestAProject:
    def test_leads_to_its_waiting_list_while_nothing_is_free(self, acme, show):
        project = make_project(5)
        assert JOIN not in show(page_of(project))
        hold(make_organization(), project, 5)
        page = show(page_of(project))
        assert "Nothing is free now" in page
        assert f'href="/o/{acme.slug}/capacity/waiting/?project={project.code}#join"' in page
        with past_its_hold():
            assert JOIN not in show(page_of(project))

    def test_leads_there_while_others_wait_for_what_is_free(self, show):
        project, allocations = full_project(5)
        wait(make_organization(), project, 5)
        free(allocations)
        page = show(page_of(project))
        assert "Others wait for it" in page
        assert JOIN in page

    def test_says_that_one_waits_already(self, acme, show):
        project, _ = full_project(5)
        wait(acme, project, 5)
        page = show(page_of(project))
        assert "You are on the waiting list" in page
        assert JOIN not in page

    def test_leads_only_those_there_who_may_join(self, acme):
        project, _ = full_project(5)
        reader = signed_in(make_member(acme, "member"))
        page = reader.get(f"/o/{acme.slug}/capacity/{page_of(project)}").content.decode()
        assert JOIN not in page

    def test_leads_nowhere_when_it_is_closed(self, show):
        assert JOIN not in show(page_of(make_project(status="closed")))


class TestTheWaitingList:
    def test_has_the_project_that_one_comes_from(self, show):
        project, _ = full_project(5)
        assert f'value="{project.code}" selected' in show(f"waiting/?project={project.code}")
        assert "Join a waiting list" in show("waiting/?project=nothing")


class TestWhatIsHeld:
    @pytest.mark.parametrize("key", ["", "sk_test_of_nobody"], ids=["no Stripe", "Stripe"])
    def test_is_paid_through_stripe_where_there_is_a_key(self, acme, show, settings, key):
        settings.STRIPE_SECRET_KEY = key
        page = show(f"reservations/{hold(acme, make_project(5), 5).public_id}/")
        assert ("by bank transfer" in page) is not bool(key)
        assert ("/pay/" in page) is bool(key)
