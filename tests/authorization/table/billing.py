"""Rows of billing: pages, API and back office."""

from tests.authorization.rows import admin, api, model, page

LEDGER = ("credits.adjust", "credits.approve")
BOUGHT = {"pack": "none"}  # is refused before anybody asks Stripe
PLAN = {"plan": "nothing"}
RELOADED = {"is_enabled": False, "threshold": 100, "amount": 1000}

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
    api("POST", "purchases", "billing.manage", body=BOUGHT),
    api("POST", "passes", "billing.manage", body=PLAN),
    api("POST", "passes/preview", "billing.manage", body=PLAN),
    api("GET", "payments", "billing.view"),
    api("GET", "payments.csv", "billing.view"),
    api("GET", "payments/<str:payment_id>", "billing.view"),
    page("GET", "billing/buy/", "billing.view"),
    page("POST", "billing/buy/", "billing.manage"),
    page("GET", "billing/buy/quote/", "billing.view"),
    page("GET POST", "billing/plans/pass/", "billing.manage", query=PLAN, body=PLAN),
    page("GET", "billing/payments/", "billing.view"),
    page("GET", "billing/payments/<str:payment_id>/", "billing.view"),
    page("GET", "billing/payments/<str:payment_id>/status/", "billing.view"),
    page("GET", "billing/payment-methods/", "billing.view"),
    page("POST", "billing/payment-methods/save/", "billing.manage"),
    page("POST", "billing/payment-methods/portal/", "billing.manage"),
    api("GET", "payment-methods", "billing.view"),
    api("POST", "payment-methods", "billing.manage"),
    api("DELETE", "payment-methods/<str:method_id>", "billing.manage"),
    api("PUT", "payment-methods/<str:method_id>/default", "billing.manage"),
    api("GET", "auto-reload", "billing.view"),
    api("PUT", "auto-reload", "billing.manage", body=RELOADED),
    api("POST", "auto-reload/resume", "billing.manage"),
    api("GET", "auto-reload/simulation", "billing.view"),
    page("GET", "billing/auto-reload/", "billing.view"),
    page("POST", "billing/auto-reload/", "billing.manage"),
    page("GET", "billing/auto-reload/sentence/", "billing.view"),
    page("POST", "billing/auto-reload/resume/", "billing.manage"),
    *model("billing/autoreload", "V"),
    *model("billing/payment", "V", roles=LEDGER),
    admin("GET POST", "billing/payment/export/", "view credits.adjust credits.approve"),
    admin("GET POST", "billing/payment/<path:object_id>/refund/", "add"),
    *model("billing/refund", "V", roles=LEDGER),
    *model("billing/dispute", "V", roles=LEDGER),
    *(
        admin("GET POST", f"billing/{name}/export/", "view credits.adjust credits.approve")
        for name in ("refund", "dispute")
    ),
    *model("billing/reconciliationcase", "V", roles=LEDGER),
    admin("GET POST", "billing/reconciliationcase/export/", "view credits.adjust credits.approve"),
    *(
        admin("GET POST", f"billing/reconciliationcase/<path:object_id>/{verb}/", "change")
        for verb in ("repair", "dismiss")
    ),
    *model("billing/reconciliationrun", "V"),
    admin("GET POST", "billing/reconciliationrun/run/", "add"),
    api("GET", "subscription", "billing.view"),
    api("POST", "subscription", "billing.manage", body=PLAN),
    api("GET", "subscription/next-invoice", "billing.view"),
    api("POST", "subscription/preview", "billing.manage", body=PLAN),
    api("POST", "subscription/change", "billing.manage", body=PLAN),
    api("POST", "subscription/cancel", "billing.manage"),
    api("POST", "subscription/undo", "billing.manage"),
    api("POST", "subscription/pause", "billing.manage"),
    api("POST", "subscription/resume", "billing.manage"),
    page("GET", "billing/subscription/", "billing.view"),
    page("POST", "billing/subscription/begin/", "billing.manage", body=PLAN),
    page("GET", "billing/subscription/change/", "billing.manage", query=PLAN),
    page("POST", "billing/subscription/change/", "billing.manage", body=PLAN),
    page("GET POST", "billing/subscription/cancel/", "billing.manage"),
    page("POST", "billing/subscription/ask/", "billing.manage", body={"kind": "undo"}),
    *model("billing/webhookevent", "V"),
    *model("billing/organizationsubscription", "V"),
    admin("GET POST", "billing/organizationsubscription/give/", "add"),
    admin("GET POST", "billing/organizationsubscription/<path:object_id>/extend-trial/", "change"),
    *model("billing/subscriptionchange", "V"),
    *model("billing/plantime", "V"),
    *model("billing/sandbox", "V"),
    admin("GET POST", "billing/sandbox/begin/", "add"),
    admin("GET POST", "billing/sandbox/<path:object_id>/move/", "change"),
    api("GET", "billing-history", "billing.view"),
    api("GET", "billing-history.csv", "billing.view"),
    page("GET", "billing/invoices/", "billing.view"),
    page("GET", "billing/invoices/<str:document_id>/pdf/", "billing.view"),
    *model("billing/billingdocument", "V", roles=LEDGER),
    admin("GET POST", "billing/billingdocument/export/", "view credits.adjust credits.approve"),
]
