"""Pages of long lists: every row once, in one order, written in one place."""

import re
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core import paging
from apps.core.clock import database_now
from apps.tenants.models import User
from tests.people import make_person

APPS = Path(paging.__file__).parents[1]
BY_HAND = re.compile(r"id__lt=last\.|\}__lt\b|SIZE \+ 1\b")


@pytest.fixture
def people(db):
    """Return five people, newest first; three of them came at the same moment."""
    for _ in range(5):
        make_person()
    rows = User.objects.order_by("-created_at", "-id")
    newest, *_, oldest = rows
    User.objects.exclude(pk__in=[newest.pk, oldest.pk]).update(created_at=newest.created_at)
    User.objects.filter(pk=newest.pk).update(created_at=database_now())
    return rows.all()


class TestPages:
    @pytest.mark.parametrize("size", [1, 2, 3, 5, 6])
    def test_hold_every_row_once_in_order(self, people, size):
        seen, end, pages = [], None, 0
        while pages == 0 or end:
            page, end = paging.page_of(paging.after(people, end), size=size)
            seen += page
            pages += 1

        assert seen == list(people)
        assert pages == -(-5 // size)

    def test_of_nothing_are_one_without_a_next(self, people):
        assert paging.page_of(people.none(), size=2) == ([], None)

    def test_ask_for_one_row_more_and_count_nothing(self, people):
        last = people[1]
        with CaptureQueriesContext(connection) as asked:
            paging.page_of(paging.after(people, last), size=2)

        (query,) = asked
        assert "LIMIT 3" in query["sql"]
        assert "OFFSET" not in query["sql"]

    def test_begin_where_an_index_can_begin(self, people):
        """An alternative alone is a filter over all rows; this is a bound of the index."""
        where = str(paging.after(people, people[1]).query).partition("WHERE")[2]

        assert re.search(r'AND "tenants_user"."created_at" <= ', where)

    def test_are_cut_nowhere_by_hand(self):
        sources = [path for path in APPS.rglob("*.py") if path.name != "paging.py"]

        assert len(sources) > 100
        assert [path.name for path in sources if BY_HAND.search(path.read_text())] == []


class TestFiles:
    @pytest.mark.parametrize("order", [[], ["email"], ["created_at"]])
    def test_have_every_row_once_newest_first_in_whatever_order_rows_come(
        self, people, monkeypatch, order
    ):
        monkeypatch.setattr(paging, "CHUNK", 2)

        assert list(paging.every(people.order_by(*order))) == list(people)
