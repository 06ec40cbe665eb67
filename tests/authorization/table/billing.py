"""Rows of billing: pages, API and back office."""

from tests.authorization.rows import admin, api, model, page

ROWS = [
    api("GET", "plans", "billing.view"),
    api("GET", "credit-products", "billing.view"),
    page("GET", "billing/plans/", "billing.view"),
    *model("billing/subscriptionplan", "VAC"),
    *model("billing/planversion", "VA"),
    *model("billing/creditproduct", "VAC"),
    *model("billing/productversion", "VA"),
    *(
        admin("GET POST", f"billing/{name}/<path:object_id>/at-stripe/", "view")
        for name in ("subscriptionplan", "creditproduct")
    ),
    admin("GET POST", "billing/subscriptionplan/<path:object_id>/new-version/", "add"),
    admin("GET POST", "billing/creditproduct/<path:object_id>/new-version/", "add"),
]
