"""The table knows every route, and nothing that is no route."""

from apps.rbac.permissions import BY_CODE
from tests.authorization.cells import parameters_of
from tests.authorization.codes import SCOPE_OF, STAFF_CODES
from tests.authorization.objects import CONSTANTS, PARAMETERS
from tests.authorization.resolver import routes
from tests.authorization.rows import Row, Rule
from tests.authorization.table import FILES, FOREIGN_APPS, ROWS, file_for


def missing_rows(rows: list[Row]) -> list[str]:
    """Say for each (route, method) without a row which line to add where."""
    declared = {(row.route, method) for row in rows for method in row.methods}
    return [
        f"No row for {method} {route!r}: add a line to {file_for(route)}, as its neighbours are."
        for route, methods in routes().items()
        for method in methods
        if (route, method) not in declared and not route.startswith(FOREIGN_APPS)
    ]


class TestTheTable:
    def test_has_a_row_for_every_route_and_method(self):
        assert missing_rows(ROWS) == []

    def test_says_where_a_missing_row_belongs(self):
        without = [row for row in ROWS if row.route != "api/v1/jobs"]

        assert missing_rows(without) == [
            f"No row for {method} 'api/v1/jobs': add a line to "
            "tests/authorization/table/jobs.py, as its neighbours are."
            for method in ("GET", "POST")
        ]

    def test_has_no_row_for_what_is_not_there(self):
        known = routes()

        stale = [
            f"{method} {row.route}: take it out of {file}"
            for file, rows in FILES.items()
            for row in rows
            for method in row.methods
            if method not in known.get(row.route, ())
        ]

        assert stale == []

    def test_knows_what_every_parameter_names(self):
        unknown = [
            f"{row.route}: add {name} to PARAMETERS in tests/authorization/objects.py"
            for row in ROWS
            for name in parameters_of(row)
            if name not in {*PARAMETERS, *CONSTANTS, *row.fixed, "slug", "object_id", "id"}
        ]

        assert unknown == []

    def test_knows_every_permission(self):
        assert {
            code: f"add {code} to tests/authorization/codes.py"
            for code in BY_CODE.keys() - SCOPE_OF.keys()
        } == {}
        assert SCOPE_OF.keys() - BY_CODE.keys() == set()

    def test_names_only_permissions_that_there_are(self):
        codes = {row.code for row in ROWS if row.rule in (Rule.PAGE, Rule.API)}
        staff = {row.code for row in ROWS if row.rule is Rule.STAFF_API}

        assert codes <= SCOPE_OF.keys() - STAFF_CODES.keys()
        assert staff <= STAFF_CODES.keys()
