"""Many rows by one statement: they are what `bulk_create` would have made of them."""

import pytest
from django.db import connection
from django.db.models import F
from django.forms.models import model_to_dict
from django.test.utils import CaptureQueriesContext

from apps.core import scope
from apps.core.bulk import insert_many
from apps.core.clock import database_now
from apps.credits.services.holders import open_member_wallets
from apps.partners.models import PartnerMember, UploadRow
from tests.partners.programme import make_programme
from tests.partners.uploading import make_upload


@pytest.fixture
def partner(db):
    """Return a programme without members."""
    return make_programme()


def members(partner, *names):
    """Return new members who have something in columns of every kind; not saved."""
    wallets = open_member_wallets(organization=partner.organization, count=len(names))
    return [
        PartnerMember(
            organization=partner.organization,
            partner=partner,
            wallet=wallet,
            email=f"{number}@example.com",
            first_name=name,
            digest=bytes([0, 39, 92, 255, number % 256]),
            link_expires_at=database_now(),
            mail_attempts=number,
        )
        for number, (name, wallet) in enumerate(zip(names, wallets, strict=True))
    ]


def as_kept(rows):
    """Return the rows as the database has them."""
    model = type(rows[0])
    return {
        row["id"]: row for row in model.objects.filter(pk__in=[one.pk for one in rows]).values()
    }


def test_rows_are_what_bulk_create_makes_of_them(partner):
    names = ("", "Ada", 'O\'Neill "the %s" \\x41 {}', "Zoë 𝔸\n,")
    rows = members(partner, *names)
    PartnerMember.objects.bulk_create(rows)
    expected = as_kept(rows)
    PartnerMember.objects.filter(pk__in=expected).delete()

    insert_many(rows)

    times = dict.fromkeys(("created_at", "updated_at"))
    assert [{**row, **times} for row in as_kept(rows).values()] == [
        {**row, **times} for row in expected.values()
    ]


def test_what_the_database_fills_in_is_read_back(partner):
    (row,) = insert_many(members(partner, "Ada"))

    kept = PartnerMember.objects.get(pk=row.pk)
    assert (row.created_at, row.updated_at) == (kept.created_at, kept.updated_at)
    assert model_to_dict(row) == model_to_dict(kept)
    row.first_name = "Augusta"
    row.save()  # it is known to be there
    assert PartnerMember.objects.get().first_name == "Augusta"


def test_lists_are_kept_as_json(partner):
    upload = make_upload(partner, "ada@example.com,Ada,1")
    cells, errors = ["a", 'b"', "%s", ""], [{"column": "", "value": "1"}]
    (row,) = insert_many(
        [
            UploadRow(
                organization=partner.organization,
                upload=upload,
                number=9,
                cells=cells,
                errors=errors,
                credits=2**60,
            )
        ]
    )

    row.refresh_from_db()
    assert (row.cells, row.errors, row.credits) == (cells, errors, 2**60)


def test_a_thousand_rows_take_the_statement_of_one(partner):
    taken = []
    for count in (1, 1000):
        rows = members(partner, *("Ada" for _ in range(count)))
        for number, row in enumerate(rows):
            row.email, row.digest = f"{count}.{number}@example.com", None
        with CaptureQueriesContext(connection) as asked:
            insert_many(iter(rows))
        taken.append(len(asked))

    assert taken == [1, 1]
    assert PartnerMember.objects.count() == 1001


def test_nothing_takes_no_statement(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert insert_many([]) == []


def test_an_expression_is_refused(partner):
    (row,) = members(partner, "Ada")
    row.reminders = F("mail_attempts")

    with pytest.raises(TypeError):
        insert_many([row])


def test_a_row_that_leaves_a_cell_which_the_first_one_fills_is_refused(partner):
    first, second = members(partner, "Ada", "Grace")
    first.created_at = database_now()

    with pytest.raises(TypeError):
        insert_many([first, second])


def test_a_row_that_fills_a_cell_which_the_first_one_leaves_is_refused(partner):
    first, second = members(partner, "Ada", "Grace")
    second.created_at = database_now()

    with pytest.raises(TypeError, match="created_at"):
        insert_many([first, second])


def test_a_table_of_organizations_needs_one(partner):
    rows = members(partner, "Ada")

    with scope.entered(scope.NOTHING), pytest.raises(scope.NoOrganization):
        insert_many(rows)
