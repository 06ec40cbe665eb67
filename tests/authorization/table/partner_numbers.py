"""Rows of a programme's numbers: overview and statements; pages and API."""

from tests.authorization.rows import api, page

MONTH = {"month": "2026-10"}

ROWS = [
    page("GET", "programme/overview/", "partners.view"),
    page("GET", "programme/overview/", "partners.view", query={"format": "csv"}),
    page("GET", "programme/statements/", "partners.view"),
    page("GET", "programme/statements/", "partners.view", query={"format": "csv"}),
    page("GET", "programme/statements/<str:member_id>/", "partners.view"),
    api("GET", "partner/dashboard", "partners.view"),
    api("GET", "partner/dashboard/members", "partners.view"),
    api("GET", "partner/dashboard/members.csv", "partners.view"),
    api("GET", "partner/statements", "partners.view", query=MONTH),
    api("GET", "partner/statements", "partners.view", query=MONTH | {"format": "csv"}),
    api("GET", "partner/statements/<str:member_id>", "partners.view", query=MONTH),
]
