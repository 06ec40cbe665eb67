"""Rows of billing: pages and API."""

from tests.authorization.rows import api, page

ROWS = [
    api("GET", "plans", "billing.view"),
    api("GET", "credit-products", "billing.view"),
    page("GET", "billing/plans/", "billing.view"),
]
