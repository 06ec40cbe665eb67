"""What the pages of the ledger show, and whom."""

import csv
import io
import re
from html import unescape

import pytest

from apps.credits.models import CreditTransaction, Lot
from tests.credits.reading.history import DAY, NOON, at, charge, grant, refund
from tests.people import make_member, make_organization, signed_in

PAGES = ("", "lots/", "usage/", "transactions/", "explain/")
JUNE = "period=custom&from_date=2026-06-15&to_date=2026-06-17"


@pytest.fixture
def person(wallet):
    return make_member(wallet.organization, "developer", full_name="Dee Veloper")


@pytest.fixture
def client(person):
    return signed_in(person)


@pytest.fixture
def used(wallet, person):
    """A gift of 20 and a pack of 500; Dee used 30 and got 10 of it back, another used 14."""
    dee = f"user:{person.public_id}"
    with at(NOON):
        grant(wallet, "gift", 20, Lot.Kind.PROMOTIONAL, expires_at=NOON + 400 * DAY)
        grant(wallet, "pack", 500)
        grant(wallet, "later", 70, effective_at=NOON + 400 * DAY, features=("storage",))
    with at(NOON + DAY):
        charge(wallet, "job:1", 3, actor=dee, description="Sunrise")
        charge(wallet, "job:2", 4, event="store", actor="user:two", source="batch")
    with at(NOON + 2 * DAY):
        refund(wallet, "job:1", amount=10)
        charge(wallet, "job:3", 1, actor="user:two")
    return wallet


def text_of(answer):
    """Return the words of a page's main part."""
    assert answer.status_code == 200, answer.status_code
    main = answer.content.decode().split("<main", 1)[1].split("</main>")[0]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main)))


class Pages:
    """Opens pages of one organization."""

    def __init__(self, client, organization):
        self.client, self.organization = client, organization

    def __call__(self, rest=""):
        return self.client.get(f"/o/{self.organization.slug}/{rest}")


@pytest.fixture
def show(client, wallet):
    return Pages(client, wallet.organization)


class TestLots:
    def test_are_shown_in_burn_order_with_the_reason(self, show, used):
        with at(NOON + 3 * DAY):
            words = text_of(show("lots/"))

        assert "486 credits" in words
        assert re.search(r"Purchased credits.*Used last: nothing else comes after it", words)
        assert re.search(r"Not to be spent now.*Only for storage.*70.*Not begun", words)
        assert re.search(r"Used up or expired.*Promotional credits", words)

    def test_are_shown_as_they_were(self, show, used):
        words = text_of(show("lots/?as_of=2026-06-15T18:00"))

        assert "As of 15 Jun 2026, 18:00" in words
        assert "520 credits" in words
        assert "Priority 30 goes before 50." in words
        assert "Used up or expired" not in words

    def test_are_shown_as_they_will_be(self, show, used):
        with at(NOON + 3 * DAY):
            assert "556 credits" in text_of(show("lots/?as_of=2027-12-01T00:00"))

    def test_lead_to_their_transactions(self, show, used):
        pack = Lot.objects.get(origin="pack").public_id

        assert f"transactions/?lot={pack}" in show("lots/").content.decode()
        assert " 5 transactions" in text_of(show(f"transactions/?lot={pack}"))

    def test_are_found_in_operations_that_ended_on_another_lot(self, show, used):
        gift = Lot.objects.get(origin="gift").public_id

        words = text_of(show(f"transactions/?lot={gift}"))

        assert " 2 transactions" in words  # the gift, and the charge that went on to the pack
        assert f"Only what moved the lot {gift}" in words


class TestUsage:
    def test_adds_up_and_compares(self, show, used):
        words = text_of(show(f"usage/?{JUNE}"))

        assert "34 credits" in words
        assert "3 charges, 10 given back" in words
        assert "+34 from 0" in words
        assert re.search(r"render 30 2 10", words)

    def test_is_split_by_member(self, show, used):
        words = text_of(show(f"usage/?{JUNE}&group_by=actor"))

        assert re.search(r"Dee Veloper 20 ", words)

    def test_leads_to_what_makes_a_bar(self, show, used):
        page = show(f"usage/?{JUNE}").content.decode()
        day, behind = (
            re.search(r'href="([^"]+date=2026-06-16)"', page)[1],
            re.search(r'href="([^"]+&amp;event=render)"', page),
        )

        explained = text_of(show.client.get(unescape(day)))
        transactions = text_of(show.client.get(unescape(behind[1])))

        assert "34 credits on Tue 16 Jun 2026" in explained
        assert "Adds up" in explained
        assert "3 transactions on this page" in transactions

    def test_takes_own_dates_at_their_word(self, show, used):
        words = text_of(show("usage/?period=7d&from_date=2026-06-17&to_date=2026-06-17"))

        assert "17 Jun 2026 to 17 Jun 2026" in words

    def test_is_a_file_as_well(self, show, used):
        answer = show(f"usage/?{JUNE}&group_by=category&format=csv")
        rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))

        assert sum(int(row["credits"]) for row in rows) == 34
        assert {row["label"] for row in rows} == {"compute", "storage"}

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ("period=custom", "Give this day as well"),
            (
                "period=custom&from_date=2026-06-16&to_date=2026-06-15",
                "This is before the first day",
            ),
            ("period=custom&from_date=2026-01-01&to_date=2026-06-15", "At most 92 days"),
            ("period=custom&from_date=0001-01-01&to_date=0001-01-01", "No credits are kept"),
            ("period=year", "Select a valid choice"),
        ],
    )
    def test_says_what_is_wrong_with_a_period(self, show, used, query, words):
        assert words in text_of(show(f"usage/?{query}"))


class TestTransactions:
    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ("type=usage", 4),
            ("event=render", 3),
            ("source=batch", 1),
            ("actor=user:two", 2),
            ("amount_max=-30", 1),  # of the whole operation, which drew on two lots
            ("amount_min=500&amount_max=500", 1),
            ("amount_min=0", 4),
            ("q=sunrise", 1),
            ("from_date=2026-06-17&to_date=2026-06-17", 2),
        ],
    )
    def test_are_found_by_each_filter(self, show, used, query, count):
        assert f" {count} transaction" in text_of(show(f"transactions/?{query}"))

    def test_are_the_same_in_the_file(self, show, used):
        answer = show("transactions/?amount_max=-30&format=csv")
        rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))

        assert [(row["reference"], row["amount"]) for row in rows] == [
            ("job:1", "-10"),
            ("job:1", "-20"),
        ]

    def test_keep_their_filters_on_older_pages(self, show, used, monkeypatch):
        monkeypatch.setattr("apps.credits.pages.views.PAGE_SIZE", 1)
        page = show("transactions/?actor=user:two").content.decode()
        older = unescape(re.search(r'href="([^"]+)" rel="next"', page)[1])

        assert "End of the list" in text_of(show.client.get(older))

    def test_tell_who_made_them_by_name(self, show, used, person):
        entry = CreditTransaction.objects.filter(reference="job:1").last()

        words = text_of(show(f"transactions/{entry.public_id}/"))

        assert f"By Dee Veloper user:{person.public_id}" in words

    def test_say_what_is_wrong_with_a_filter(self, show, used):
        assert "This is no id of a lot" in show("transactions/?lot=txn_1").content.decode()


class TestExplain:
    def test_adds_up_the_balance(self, show, used):
        with at(NOON + 3 * DAY):
            words = text_of(show("explain/"))

        assert "486 credits now" in words
        assert re.search(
            r"What makes it Purchased credits .*\+486 .*Purchased \(test\) \+500", words
        )
        assert re.search(r"Sum \+486 Adds up", words)
        assert re.search(r"What does not count .*has not begun", words)

    def test_is_reached_from_the_number(self, show, used):
        assert "/explain/" in show("").content.decode()
        assert "/explain/" in show("lots/").content.decode()

    def test_adds_up_a_transaction(self, show, used):
        entry = CreditTransaction.objects.filter(reference="job:1").last()
        page = show(f"transactions/{entry.public_id}/").content.decode()
        explain = unescape(re.search(r'href="([^"]+of=transaction[^"]+)"', page)[1])

        words = text_of(show.client.get(explain))

        assert "−30 credits" in words
        assert "3 × render at 10 credits" in words
        assert re.search(r"given back of it later .*\+10", words)

    @pytest.mark.parametrize(
        "query", ["of=colour", "of=usage&date=soon", "of=transaction", "as_of=soon"]
    )
    def test_is_not_there_for_what_names_no_number(self, show, used, query):
        assert show(f"explain/?{query}").status_code == 404


class TestOverview:
    def test_tells_when_credits_run_out_in_plain_words(self, show, wallet):
        with at(NOON - 41 * DAY):
            grant(wallet, "pack", 1000)
            grant(wallet, "gift", 390, Lot.Kind.PROMOTIONAL, expires_at=NOON + 2 * DAY)
        for number in range(40, 10, -1):
            with at(NOON - number * DAY):
                charge(wallet, f"job:{number}")
        with at(NOON):
            words = text_of(show(""))

        assert re.search(r"At the rate of the last 30 days your credits last until about", words)
        assert re.search(r"\d+ of your promotional credits will expire unused on 17 Jun", words)

    def test_waits_for_a_week(self, show, wallet):
        assert "is told after a week" in text_of(show(""))


class TestWhoIsShown:
    @pytest.fixture
    def member(self, used):
        """Someone who may see his own part only, and used 20 of the credits."""
        person = make_member(used.organization, "member")
        with at(NOON + 2 * DAY):
            charge(used, "job:own", 2, actor=f"user:{person.public_id}", description="Mine")
        return Pages(signed_in(person), used.organization)

    def test_a_member_sees_his_own_usage(self, member):
        words = text_of(member(f"usage/?{JUNE}&group_by=actor"))

        assert "20 credits" in words
        assert "Dee" not in words

    def test_a_member_finds_his_own_transactions(self, member, used):
        assert " 1 transaction" in text_of(member("transactions/?actor=user:two"))
        answer = member("transactions/?format=csv&actor=user:two")
        rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
        assert [row["reference"] for row in rows] == ["job:own"]

    def test_a_member_is_explained_his_own_day(self, member):
        words = text_of(member("explain/?of=usage&date=2026-06-17"))

        assert "20 credits on" in words
        assert "Adds up" in words

    def test_a_member_is_not_told_what_everybody_used(self, member, used):
        entry = CreditTransaction.objects.filter(reference="job:1").last()

        assert member("explain/").status_code == 403
        assert member(f"explain/?of=transaction&transaction={entry.public_id}").status_code == 404
        assert "explain/?as_of" not in member("lots/").content.decode()
        assert "At the rate of" not in text_of(member(""))

    @pytest.mark.parametrize("page", PAGES)
    def test_an_organization_is_not_there_for_others(self, used, page):
        stranger = make_member(make_organization(name="Other"), "owner")

        assert Pages(signed_in(stranger), used.organization)(page).status_code == 404

    @pytest.mark.parametrize("page", PAGES)
    def test_pages_show_nothing_of_others(self, used, page):
        other = make_organization(name="Other")
        stranger = make_member(other, "owner")

        words = Pages(signed_in(stranger), other)(page).content.decode()

        for secret in ("Sunrise", "Dee", Lot.objects.get(origin="pack").public_id):
            assert secret not in words

    @pytest.mark.parametrize("page", PAGES)
    def test_pages_ask_as_often_for_many_rows(
        self, show, used, page, django_assert_max_num_queries
    ):
        for number in range(6):
            grant(used, f"more:{number}", 10)
            charge(used, f"work:{number}", actor=f"user:{number}")

        show(page)  # signs in and remembers the organization
        with django_assert_max_num_queries(24):  # the frame's banner asks eight
            show(page)
