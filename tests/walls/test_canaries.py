"""The canaries: with both walls, with the second alone, and with none."""

import pytest
from django.db import connection

from apps.core.walls.building import walls
from tests.walls.canaries import application_scoping_off, look_everywhere, make_two

pytestmark = pytest.mark.django_db


def take_down_the_second_wall() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table, wall in walls().items():
            if wall.whose:
                cursor.execute(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')


class TestTheCanaries:
    def test_are_heard_by_nobody_else(self):
        look = look_everywhere(make_two())

        assert look.asked > 100
        assert look.leaks == []

    def test_are_heard_by_nobody_else_where_the_database_alone_holds_them(self):
        two = make_two()
        with application_scoping_off():
            look = look_everywhere(two)

        assert look.leaks == []

    def test_are_heard_where_no_wall_is_left(self):
        two = make_two()
        take_down_the_second_wall()
        with application_scoping_off():
            look = look_everywhere(two)

        assert len(look.leaks) > 5
