"""Statements: true to the unit, the same everywhere, and verifiable without us."""

import csv
import importlib.util
import io
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.core.management import call_command

from apps.core import clock
from apps.core.periods import Period
from apps.credits.models import CreditTransaction, Lot, Wallet
from apps.credits.selectors import main_wallet, statements
from apps.credits.services.charges import charge_event, refund_charge
from apps.credits.services.grants import grant_credits
from apps.credits.services.holders import open_member_wallet
from apps.credits.services.prices import set_price
from tests.people import make_key, make_member, make_organization, signed_in, with_key
from tests.problem_documents import problem_of

pytestmark = pytest.mark.django_db
SCRIPT = Path(__file__).parents[2] / "docs" / "guides" / "verify_statement.py"
API = "/api/v1/credits/statements"


def at(month: int, day: int, hour: int = 12) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def charge(wallet: Wallet, reference: str) -> None:
    charge_event(wallet=wallet, event="render", reference=reference, source="api")


@pytest.fixture
def organization():
    """An organization with three months of movements; October begins at 570 and ends at 540."""
    with clock.moved_to(at(9, 1)):
        set_price(name="render", credit_cost=30, category="compute")
        organization = make_organization(slug="acme")
        wallet = main_wallet(organization)
        grant_credits(
            wallet=wallet, amount=500, kind=Lot.Kind.PURCHASE, reference="payment:1", source="pay"
        )
        charge(wallet, "=september")
    with clock.moved_to(at(10, 1, 0)):
        charge(wallet, "first instant")
    with clock.moved_to(at(10, 20)):
        charge(wallet, "=1+1|two\nlines, and 'quotes'")
        charge(wallet, "'already")
        refund_charge(
            wallet=wallet, charge_reference="'already", reference="-back", source="api", amount=25
        )
        grant_credits(
            wallet=wallet, amount=35, kind=Lot.Kind.PROMOTIONAL, reference="gift", source="promo"
        )
    with clock.moved_to(at(11, 1, 0)):
        charge(wallet, "first instant of November")
    return organization


@pytest.fixture
def wallet(organization):
    return main_wallet(organization)


@pytest.fixture
def client(organization):
    auditor = make_member(organization, "read-only")
    return with_key(make_key(organization, auditor, "credits:read")[1])


@pytest.fixture
def october(wallet):
    return statements.statement_of(wallet, Period.of_month(date(2026, 10, 5)))


def text_of(response) -> str:
    assert response.status_code == 200, response.content
    return b"".join(response.streaming_content).decode()


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def script():
    spec = importlib.util.spec_from_file_location("verify_statement", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestStatementOf:
    def test_adds_up(self, october):
        sums = {one.type: (one.count, one.amount) for one in october.sums}

        # 100 of the trial went first; what was left of it expired before the charge of the 1st.
        assert october.opening.balance == 570
        assert sums["refunded"] == (1, 25)
        assert sums["earned"] == (1, 35)
        assert october.opening.balance + sum(s.amount for s in october.sums) == (
            october.closing.balance
        )
        assert october.count == sum(one.count for one in october.sums)

    def test_has_the_first_instant_and_not_the_last(self, october):
        references = [entry.reference for entry in october.movements()]

        assert "first instant" in references
        assert "=september" not in references
        assert "first instant of November" not in references

    def test_ends_where_the_next_one_begins(self, wallet, october):
        september = statements.statement_of(wallet, Period.of_month(date(2026, 9, 1)))
        november = statements.statement_of(wallet, Period.of_month(date(2026, 11, 1)))

        assert september.opening == statements.Mark()
        assert september.closing == october.opening
        assert november.opening == october.closing
        assert november.closing.entry_hash == bytes(Wallet.objects.get().head_hash).hex()

    def test_of_an_empty_period_holds_what_it_held(self, wallet, october):
        quiet = statements.statement_of(
            wallet, Period.of_days(date(2026, 10, 25), date(2026, 10, 26))
        )

        assert quiet.opening == quiet.closing == october.closing
        assert quiet.sums == ()

    def test_is_not_torn_by_what_is_charged_meanwhile(self, wallet):
        running = Period.of_month(date(2026, 11, 1))
        statement = statements.statement_of(wallet, running)
        with clock.moved_to(at(11, 2)):
            charge(wallet, "meanwhile")

        assert len(list(statement.movements())) == statement.count == 1

    def test_asks_as_often_for_many_rows_as_for_few(
        self, wallet, october, django_assert_num_queries
    ):
        with django_assert_num_queries(3):
            statements.statement_of(wallet, october.period)
        with django_assert_num_queries(1):
            list(october.lines())


class TestTheLines:
    def test_are_the_same_in_chunks_of_any_size(self, october, monkeypatch):
        whole = list(october.lines())

        for size in (1, 2, 3, october.count):
            monkeypatch.setattr(statements, "CHUNK", size)
            assert list(october.lines()) == whole

    def test_take_a_query_for_each_chunk(self, october, monkeypatch, django_assert_num_queries):
        monkeypatch.setattr(statements, "CHUNK", 2)

        with django_assert_num_queries(-(-october.count // 2)):
            list(october.lines())


class TestTheProgram:
    """docs/guides/verify_statement.py, which knows nothing of us."""

    @pytest.fixture
    def statement(self, client):
        return text_of(client.get(f"{API}?month=2026-10&format=csv"))

    @pytest.fixture
    def rows(self, statement):
        return rows_of(statement)

    def run(self, text: str, folder: Path, *options: str):
        file = folder / "statement.csv"
        file.write_bytes(text.encode())
        return subprocess.run(
            [sys.executable, "-I", *options, SCRIPT, file],
            capture_output=True,
            text=True,
            check=False,
        )

    def refusal_of(self, rows) -> str:
        with pytest.raises((ValueError, TypeError, KeyError)) as refusal:
            script().verify(rows)
        return str(refusal.value)

    @pytest.mark.parametrize("options", [[], ["-OO"]])
    def test_accepts_what_we_made(self, statement, tmp_path, options):
        done = self.run(statement, tmp_path, *options)

        assert done.returncode == 0, done.stderr
        assert "lines are as they were written" in done.stdout

    @pytest.mark.parametrize("options", [[], ["-OO"]])
    def test_names_the_first_bad_line(self, statement, tmp_path, options):
        lines = statement.split("\r\n")
        lines[2] = lines[2].replace(",expired,-70,", ",expired,-7,")

        done = self.run("\r\n".join(lines), tmp_path, *options)

        assert done.returncode == 1
        assert "Line 3 was changed" in done.stderr

    @pytest.mark.parametrize("month", ["2026-09", "2026-11", "2026-12", "2020-01"])
    def test_accepts_every_month(self, client, month):
        script().verify(rows_of(text_of(client.get(f"{API}?month={month}&format=csv"))))

    def test_accepts_a_page_of_the_customer(self, organization):
        browser = signed_in(make_member(organization, "owner"))

        answer = browser.get("/o/acme/statements/?month=2026-10&format=csv")

        script().verify(rows_of(text_of(answer)))

    @pytest.mark.parametrize(
        ("line", "column", "value"),
        [
            ("movement", "amount", "-1"),
            ("movement", "balance_after", "1000000"),
            ("movement", "reference", "another cause"),
            ("movement", "type", "voided"),
            ("movement", "created_at", "2026-10-20T12:00:00.000001+00:00"),
            ("movement", "lot", "00000000-0000-0000-0000-000000000000"),
            ("movement", "wallet", "00000000-0000-0000-0000-000000000000"),
            ("movement", "reverses", "00000000-0000-0000-0000-000000000000"),
            ("movement", "previous_hash", "0" * 64),
            ("movement", "entry_hash", "0" * 64),
            ("movement", "sequence", "1000"),
            ("movement", "line", "sum"),
            ("opening", "balance_after", "0"),
            ("opening", "entry_hash", "0" * 64),
            ("opening", "sequence", "0"),
            ("opening", "created_at", "2026-10-02T00:00:00.000000+00:00"),
            ("opening", "amount", "5"),
            ("sum", "amount", "1"),
            ("sum", "type", "adjusted"),
            ("closing", "balance_after", "0"),
            ("closing", "entry_hash", "0" * 64),
            ("closing", "sequence", "1"),
            ("closing", "created_at", "2026-10-02T00:00:00.000000+00:00"),
        ],
    )
    def test_refuses_a_cell_that_was_changed(self, rows, line, column, value):
        script().verify(rows)
        changed = next(row for row in rows if row["line"] == line)
        assert changed[column] != value

        changed[column] = value

        assert self.refusal_of(rows)

    def test_refuses_it_without_any_one_line(self, rows):
        for number in range(len(rows)):
            assert self.refusal_of(rows[:number] + rows[number + 1 :]), number

    def test_refuses_it_with_any_two_lines_swapped(self, rows):
        sums = [number for number, row in enumerate(rows) if row["line"] == "sum"]
        for number in range(len(rows) - 1):
            if number in sums and number + 1 in sums:
                continue  # the order of the sums means nothing
            swapped = rows.copy()
            swapped[number : number + 2] = rows[number + 1], rows[number]
            assert self.refusal_of(swapped), number

    def test_is_shown_in_the_guide_as_it_is(self):
        assert SCRIPT.read_text() in SCRIPT.with_name("statements.md").read_text()

    def test_refuses_a_file_that_is_none(self, tmp_path):
        for text in ("", "line\r\n", "a,b\r\n1,2\r\n"):
            assert self.run(text, tmp_path).returncode == 1


class TestTheApi:
    def test_answers_the_sums(self, client, october, wallet):
        answer = client.get(f"{API}?from_date=2026-10-01&to_date=2026-10-31").json()

        assert answer["object"] == "statement"
        assert answer["wallet"] == wallet.public_id
        assert answer["opening"]["balance"] == october.opening.balance
        assert answer["closing"] == {
            "sequence": october.closing.sequence,
            "balance": october.closing.balance,
            "entry_hash": october.closing.entry_hash,
        }
        assert answer["starts_at"] == "2026-10-01T00:00:00Z"
        assert answer["ends_at"] == "2026-11-01T00:00:00Z"
        assert {one["type"] for one in answer["sums"]} >= {"consumed", "refunded"}
        assert text_of(client.get(answer["csv_url"])).startswith("line,wallet,")

    def test_answers_csv_to_whom_accepts_it(self, client):
        answer = client.get(f"{API}?month=2026-10", headers={"Accept": "text/csv"})

        assert answer["Content-Type"].startswith("text/csv")
        assert "attachment" in answer["Content-Disposition"]

    def test_streams(self, client):
        assert client.get(f"{API}?month=2026-10&format=csv").streaming

    def test_gives_no_spreadsheet_a_formula(self, client):
        for row in rows_of(text_of(client.get(f"{API}?month=2026-10&format=csv"))):
            assert not row["reference"].startswith(("=", "+", "-", "@"))

    @pytest.mark.parametrize(
        "query",
        [
            "",
            "month=2026-13",
            "month=yesterday",
            "from_date=2026-10-01",
            "month=2026-10&from_date=2026-10-01&to_date=2026-10-02",
            "from_date=2026-10-02&to_date=2026-10-01",
            "month=2026-10&colour=red",
            "month=9999-12",
            "from_date=0001-01-01&to_date=9999-12-31",
        ],
    )
    @pytest.mark.parametrize("kind", ["json", "csv", "pdf"])
    def test_refuses_what_is_no_period(self, client, query, kind):
        problem_of(client.get(f"{API}?{query}&format={kind}"), 400, "validation_error")

    def test_asks_for_the_permission(self, organization):
        member = make_member(organization, "member")

        problem_of(signed_in(member).get(f"{API}?month=2026-10"), 403, "permission_denied")

    def test_knows_no_wallet_of_others(self, client):
        other = main_wallet(make_organization(name="Other"))

        for wallet in (other.public_id, "wal_nothing", "wal_01K00000000000000000000000"):
            for kind in ("json", "csv"):
                answer = client.get(f"{API}?month=2026-10&wallet={wallet}&format={kind}")
                problem_of(answer, 404, "not_found")

    def test_takes_the_wallet_by_its_id(self, client, wallet):
        answer = client.get(f"{API}?month=2026-10&wallet={wallet.public_id}").json()

        assert answer["wallet"] == wallet.public_id

    def test_shows_no_members_wallet(self, client, organization):
        """Partners show it, as far as their terms go."""
        members = open_member_wallet(organization=organization)

        for kind in ("json", "csv", "pdf"):
            answer = client.get(f"{API}?month=2026-10&wallet={members.public_id}&format={kind}")
            problem_of(answer, 404, "not_found")

    def test_refuses_a_pdf_of_too_many_lines(self, client, monkeypatch):
        monkeypatch.setattr(statements, "LARGEST_PDF", 3)

        problem = problem_of(
            client.get(f"{API}?month=2026-10&format=pdf"), 400, "statement_too_long"
        )

        assert problem["largest"] == 3


class TestThePdf:
    @pytest.fixture(autouse=True)
    def _needs_pango(self):
        try:
            import weasyprint  # noqa: F401
        except (ImportError, OSError):
            pytest.skip("Pango is not installed here")

    def test_is_one(self, client):
        answer = client.get(f"{API}?month=2026-10&format=pdf")

        assert answer["Content-Type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF-")

    def test_is_one_on_the_page(self, organization):
        browser = signed_in(make_member(organization, "owner"))

        answer = browser.get("/o/acme/statements/?month=2026-10&format=pdf")

        assert answer.content.startswith(b"%PDF-")

    def test_says_what_the_csv_says(self, october, organization):
        from django.template.loader import render_to_string

        text = render_to_string(
            "credits/statement_document.html", statements.document_facts(october)
        )

        for entry in CreditTransaction.objects.filter(id__in=october.movements()):
            # A line of its own: two in one line are wider than the page.
            assert f'<div class="hash">{bytes(entry.entry_hash).hex()}</div>' in text
        assert october.opening.entry_hash in text
        assert "1 October 2026 to 31 October 2026" in text

    def test_fetches_nothing(self):
        from apps.core.documents import _refuse

        with pytest.raises(ValueError, match="fetch nothing"):
            _refuse("file:///etc/passwd")


class TestWithoutPango:
    def test_refuses_a_pdf_and_says_what_to_do(self, client, monkeypatch):
        monkeypatch.setitem(sys.modules, "weasyprint", None)

        problem_of(client.get(f"{API}?month=2026-10&format=pdf"), 406, "pdf_unavailable")


class TestThePage:
    def test_shows_the_period(self, organization, october):
        browser = signed_in(make_member(organization, "owner"))

        answer = browser.get("/o/acme/statements/?month=2026-10")

        assert answer.status_code == 200
        assert answer.context["statement"] == october
        assert october.closing.entry_hash in answer.content.decode()

    def test_shows_the_last_month_to_who_chooses_none(self, organization):
        browser = signed_in(make_member(organization, "owner"))

        answer = browser.get("/o/acme/statements/")

        assert answer.context["statement"].period == Period.of_month(datetime.now(UTC).date())

    @pytest.mark.parametrize(
        "query",
        [
            "from_date=2026-10-01",
            "from_date=2026-10-02&to_date=2026-10-01",
            "month=1999-01",
            "from_date=2026-10-01&to_date=9999-12-31",
        ],
    )
    def test_says_what_is_wrong_with_a_period(self, organization, query):
        browser = signed_in(make_member(organization, "owner"))

        for kind in ("", "csv", "pdf"):
            answer = browser.get(f"/o/acme/statements/?{query}&format={kind}")

            assert answer.status_code == 200
            assert answer.context["form"].errors

    def test_does_not_exist_for_others(self, organization):
        stranger = signed_in(make_member(make_organization(name="Other"), "owner"))

        assert stranger.get("/o/acme/statements/").status_code == 404

    def test_knows_no_wallet_of_others_and_of_members(self, organization):
        other = main_wallet(make_organization(name="Other"))
        browser = signed_in(make_member(organization, "owner"))

        members = open_member_wallet(organization=organization)

        for wallet in (other, members):
            answer = browser.get(f"/o/acme/statements/?wallet={wallet.public_id}")
            assert answer.status_code == 404

    def test_asks_for_the_permission(self, organization):
        browser = signed_in(make_member(organization, "member"))

        assert browser.get("/o/acme/statements/").status_code == 403


class TestTheSchema:
    def test_describes_the_three_formats(self, tmp_path):
        call_command("spectacular", "--file", tmp_path / "schema.yml", "--fail-on-warn")

        text = (tmp_path / "schema.yml").read_text()

        assert "/api/v1/credits/statements" in text
        assert "application/pdf" in text
