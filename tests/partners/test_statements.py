"""Monthly statements close to the unit, and agree with each other and with the ledger."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from apps.core.clock import database_now, moved_to
from apps.core.invariants import all_invariants, verify
from apps.core.periods import next_month
from apps.credits.models import Wallet
from apps.credits.selectors import main_wallet
from apps.credits.services.charges import charge_amount
from apps.credits.services.transfers import transfer_credits
from apps.partners.errors import ProgrammeStatementTooLong
from apps.partners.models import PartnerTerms
from apps.partners.selectors import member_statements, statements
from apps.partners.selectors.member_statements import history_shown_from, member_statement
from apps.partners.selectors.moved import day_of
from apps.partners.selectors.statements import programme_statement
from apps.partners.services.programmes import Terms, change_terms
from tests.partners.history import Life, counted, nonzero
from tests.partners.programme import make_members, make_programme
from tests.partners.test_numbers import award

pytestmark = pytest.mark.django_db
MARCH = date(2027, 3, 1)
MONTHS = [date(2026, month, 1) for month in (7, 8, 9, 10, 11, 12)]
FULL, SUMS = PartnerTerms.Privacy.FULL, PartnerTerms.Privacy.SUMS


@pytest.fixture
def life():
    found = Life(seed=3)
    found.live()
    return found


def as_counted(line):
    """Return a member's line as `counted` has it."""
    return Counter(
        opening=line.opening,
        received=line.awarded,
        used=line.used,
        sent=line.returned,
        lapsed=line.lapsed,
        corrected=line.corrected,
    )


def naive(wallet, month):
    sums = counted(wallet, month, next_month(month) - timedelta(days=1))
    sums["corrected"] += sums.pop("granted", 0)
    closing = sums["opening"] + sums.pop("net", 0)
    return sums, closing


def test_each_month_of_each_member_closes_as_a_naive_count_does(life):
    before = Counter()
    for month in MONTHS:
        whole = programme_statement(life.partner, month)
        lines = {one.email: one for one in whole.lines}
        total = [0] * len(whole.members.numbers)
        for member in life.members:
            sums, closing = naive(member.wallet, month)
            own = member_statement(life.partner, member, month).line
            assert (nonzero(as_counted(own)), own.closing) == (nonzero(sums), closing)
            assert own.opening == before[member.pk]
            before[member.pk] = own.closing
            if own.numbers != [0] * len(own.numbers):
                line = lines.pop(member.email)
                assert line.numbers == own.numbers
            total = [one + more for one, more in zip(total, own.numbers, strict=True)]
        assert not lines
        assert whole.members.numbers == total
        pool, (sums, closing) = whole.pool, naive(life.pool, month)
        bought = counted(life.pool, month, next_month(month) - timedelta(days=1))["granted"]
        assert (pool.opening, pool.bought, pool.closing) == (sums["opening"], bought, closing)
        came = pool.bought + pool.returned + pool.corrected
        assert pool.opening + came - pool.awarded - pool.used - pool.lapsed == pool.closing
        # What left one side arrived on the other.
        assert (pool.awarded, pool.returned) == (whole.members.awarded, whole.members.returned)
    for member in life.members:
        member.wallet.refresh_from_db()
        assert before[member.pk] == member.wallet.balance


def test_months_that_are_offered_begin_with_the_first_movement(life):
    with moved_to(life.now):
        offered = statements.months_of(life.partner.organization)
    assert offered[-1] == date(2026, 8, 1)
    assert offered[0] == life.now.astimezone(life.zone).date().replace(day=1)
    assert offered == sorted(set(offered), reverse=True)


@pytest.fixture
def march():
    """A programme of two members, of whom one spends 30 of 100 at noon on 10 March 2027."""
    with moved_to(at(1)):
        partner = make_programme(credits=1000)
        ada, ben = make_members(partner, "ada@example.com", "ben@example.com")
    with moved_to(at(5)):
        award(partner, ada, 100, reference="award:1")
        award(partner, ben, 7, reference="award:2")
    with moved_to(at(10)):
        charge_amount(
            wallet=ada.wallet,
            amount=30,
            reference="job:secret",
            source="job",
            description="A picture of my cat",
        )
    return partner, ada, ben


def at(day):
    return datetime(2027, 3, day, 12, tzinfo=UTC)


def test_members_by_address_a_page_at_a_time(march):
    partner, *_ = march
    first = programme_statement(partner, MARCH, limit=1)
    assert ([one.email for one in first.lines], first.has_more) == (["ada@example.com"], True)
    second = programme_statement(partner, MARCH, past="ada@example.com", limit=1)
    assert ([one.email for one in second.lines], second.has_more) == (["ben@example.com"], False)
    # The sums are those of all members, whatever page is shown.
    assert first.members == second.members
    assert (first.members.awarded, first.members.closing, first.count) == (107, 77, 2)


def test_who_had_nothing_in_a_month_has_no_line(march):
    partner, *_ = march
    statement = programme_statement(partner, date(2027, 2, 1))
    assert (statement.count, statement.lines) == (0, ())
    assert statement.members == statements.MemberLine()


def test_another_programme_is_in_no_line(march):
    partner, *_ = march
    other = make_programme(credits=500)
    [theirs] = make_members(other, "theirs@example.com")
    with moved_to(at(12)):
        award(other, theirs, 5, reference="award:theirs")
    statement = programme_statement(partner, MARCH)
    assert (statement.pool.awarded, statement.members.awarded, statement.count) == (107, 107, 2)
    own = programme_statement(other, MARCH)
    assert [one.email for one in own.lines] == ["theirs@example.com"]


def test_the_file_has_the_pool_each_member_and_all(march):
    partner, ada, ben = march
    rows = [
        dict(zip(statements.COLUMNS, row, strict=True))
        for row in programme_statement(partner, MARCH).rows()
    ]
    assert [row["line"] for row in rows] == ["pool", "member", "member", "members"]
    assert [row["member"] for row in rows] == ["", ada.public_id, ben.public_id, ""]
    assert [row["awarded"] for row in rows] == [107, 100, 7, 107]
    assert [row["closing"] for row in rows] == [893, 70, 7, 77]


def test_sums_alone_show_no_single_movement(march):
    partner, ada, _ = march
    statement = member_statement(partner, ada, MARCH)
    assert (statement.line.awarded, statement.line.used, statement.shows_history) == (
        100,
        30,
        False,
    )
    assert statement.movements() == []
    assert [row[0] for row in statement.rows()] == ["opening", *["sum"] * 5, "closing"]
    assert "secret" not in str(list(statement.rows()))
    assert "secret" not in str(member_statements.document_facts(statement)["movements"])


def test_full_terms_show_what_was_spent_on_what():
    partner = make_programme(credits=1000, terms=Terms(privacy=FULL))
    [ada] = make_members(partner, "ada@example.com")
    award(partner, ada, 100, reference="award:1")
    charge_amount(wallet=ada.wallet, amount=30, reference="job:1", source="job")
    statement = member_statement(partner, ada, day_of(partner.organization, database_now()))
    assert statement.shows_history
    assert [(one.what, one.credits) for one in statement.movements()] == [
        ("awarded", 100),
        ("used", -30),
    ]
    kinds = [row[0] for row in statement.rows()]
    assert kinds == ["opening", "movement", "movement", *["sum"] * 5, "closing"]
    facts = member_statements.document_facts(statement)
    assert (len(facts["movements"]), facts["has_more"]) == (2, False)


def test_history_is_shown_since_the_terms_have_shown_it_without_a_break():
    partner = make_programme(terms=Terms(privacy=FULL))
    assert history_shown_from(partner) == member_statements.ALWAYS
    change_terms(partner=partner, terms=Terms(privacy=SUMS), reason="no more")
    assert history_shown_from(partner) is None
    change_terms(partner=partner, terms=Terms(privacy=FULL), reason="again")
    change_terms(partner=partner, terms=Terms(privacy=FULL, claim_days=9), reason="longer")
    assert history_shown_from(partner) == partner.terms.get(number=3).created_at


def test_history_begins_with_the_terms_that_show_it(march, monkeypatch):
    partner, ada, _ = march
    monkeypatch.setattr(member_statements, "history_shown_from", lambda _: at(7))
    found = member_statement(partner, ada, MARCH)
    assert [one.reference for one in found.movements()] == ["job:secret"]
    monkeypatch.setattr(member_statements, "history_shown_from", lambda _: at(11))
    assert member_statement(partner, ada, MARCH).movements() == []
    monkeypatch.setattr(
        member_statements, "history_shown_from", lambda _: datetime(2027, 5, 1, tzinfo=UTC)
    )
    assert not member_statement(partner, ada, MARCH).shows_history


def test_a_pdf_of_too_many_members_is_refused(march, monkeypatch):
    partner, *_ = march
    monkeypatch.setattr(statements, "LARGEST_PDF", 1)
    with pytest.raises(ProgrammeStatementTooLong) as refusal:
        statements.document_facts(partner, MARCH)
    assert refusal.value.details["members"] == 2
    monkeypatch.setattr(statements, "LARGEST_PDF", 2)
    assert len(statements.document_facts(partner, MARCH)["statement"].lines) == 2


def test_a_statement_asks_as_often_for_many_members_as_for_few(march, django_assert_num_queries):
    partner, *_ = march
    many = make_members(partner, *(f"many{number}@example.com" for number in range(20)))
    with moved_to(at(20)):
        for number, member in enumerate(many):
            award(partner, member, 1, reference=f"award:many:{number}")
    with django_assert_num_queries(1):
        assert len(programme_statement(partner, MARCH).lines) == 22


def test_months_in_which_the_sides_differ_are_found():
    with moved_to(at(1)):
        partner = make_programme(credits=100)
        [ada] = make_members(partner, "ada@example.com")
        elsewhere = Wallet.objects.create(organization=partner.organization, kind="member")
    pool = main_wallet(partner.organization)
    ways = [(pool, elsewhere, 20), (elsewhere, ada.wallet, 50)]  # in March, and in April
    for number, (wallet, target, day) in enumerate(ways):
        with moved_to(at(1) + timedelta(days=day)):
            transfer_credits(
                wallet=wallet, target=target, amount=5, reference=f"way:{number}", source="partner"
            )
    ours = [one for one in all_invariants() if one.code in ("H03", "H10")]
    # Over all months they are even, so that nobody else finds it.
    assert [one.invariant.code for one in verify(ours) if one.failures] == ["H10"]
    [found] = [one for one in verify(ours) if one.invariant.code == "H10"]
    assert (found.examined, found.failures) == (2, 2)
