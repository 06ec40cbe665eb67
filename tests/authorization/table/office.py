"""Rows of the back office: a line for each model, and one for each page of our own."""

from tests.authorization.rows import admin, managed, model

FOREIGN_APPS = ("admin/djstripe/",)  # the mirror of Stripe: dj-stripe's own pages, not asked here
LOOK = {
    "operation": "image.restyle",
    "look": ' {"swatches": ["#000000", "#ffffff"], "strength": 1, "contrast": 1, "grain": 0}',
}
LEDGER = ("credits.adjust", "credits.approve")

ROWS = [
    admin("GET POST", "", "staff"),
    admin("GET POST", "search/", "staff"),
    admin("GET POST", "login/", "anybody"),
    admin("GET POST", "logout/", "anybody"),
    admin("GET POST", "password_change/", "staff"),
    admin("GET POST", "password_change/done/", "staff"),
    admin("GET", "autocomplete/", "nobody"),  # for want of the field that asks
    admin("POST", "autocomplete/", "anybody"),  # refused to all as a method
    admin("GET POST", "jsi18n/", "anybody"),
    admin(
        "GET POST",
        "r/<path:content_type_id>/<path:object_id>/",
        "missing",
        fixed={"content_type_id": "0", "object_id": "0"},
    ),
    admin(
        "GET POST",
        "<app_label>/$",
        "view credits.adjust credits.approve hidden",
        fixed={"app_label": "credits"},
    ),
    admin("GET POST", "(?P<url>.*)$", "missing"),
    *model("auth/group", "VACD"),
    *model("account/emailaddress", "VACD"),
    *model("tenants/auditlog", "V"),
    *model("tenants/adminconfig", "VACD"),
    *model("tenants/organization", "VAC"),
    *model("tenants/user", "VAC"),
    admin("GET POST", "tenants/user/<id>/password/", "change"),
    *model("mfa/authenticator", "VD"),
    *model("usersessions/usersession", "VD"),
    *model("rbac/permission", "V"),
    *model("rbac/role", "VACD"),
    *model("rbac/userrole", "VAD"),
    *model("rbac/apikey", "V"),
    *model("rbac/invitation", "V"),
    *model("rbac/impersonation", "V"),
    admin("GET POST", "tenants/user/<path:object_id>/impersonate/", "people.impersonate"),
    *model("rbac/share", "VA"),
    *model("rbac/erasure", "V"),
    *model("rbac/personalexport", "V"),
    *model("credits/budget", "V"),
    *model("credits/budgetalert", "V"),
    *model("credits/budgetmonth", "V"),
    *model("credits/closedperiod", "V"),
    *model("credits/correction", "VC", roles=LEDGER, changes="credits.approve"),
    *model("credits/hold", "V", roles=LEDGER),
    *model("credits/liabilityreport", "V"),
    *model("credits/lot", "V", roles=LEDGER),
    *model("credits/creditevent", "VA"),
    *model("credits/credittransaction", "V", roles=LEDGER),
    *model("credits/wallet", "V", roles=LEDGER),
    *model("credits/expirywarning", "V"),
    *model("jobs/generationjob", "V"),
    *model("jobs/generationarea", "V"),
    *model("jobs/attempt", "V"),
    *model("jobs/organizationqueue", "V"),
    *model("jobs/blobupload", "V"),
    *model("jobs/ratelimitpolicy", "VAC", everything="config.manage"),
    admin("GET POST", "jobs/ratelimitpolicy/use/", "config.manage"),
    *model("jobs/style", "VAC"),
    admin("GET POST", "jobs/style/<path:object_id>/new-version/", "add"),
    *model("jobs/styleversion", "VA"),
    admin("GET", "jobs/styleversion/preview/", "view", query=LOOK),
    admin("POST", "jobs/styleversion/preview/", "anybody"),  # refused to all as a method
    *managed("jobs/externaloperation", "workers.manage", may_change=True),
    *managed("jobs/workerkey", "workers.manage"),
    *model("jobs/workerclaim", "V"),
    *model("tenants/outboxevent", "V"),
    *(
        admin("GET POST", f"credits/{name}/export/", "view credits.adjust credits.approve")
        for name in ("correction", "hold", "lot", "credittransaction", "wallet")
    ),
    admin("GET POST", "credits/closedperiod/close/", "add"),
    admin("GET POST", "credits/closedperiod/<path:object_id>/wallets-csv/", "view"),
    admin("GET POST", "credits/credittransaction/<path:object_id>/reverse/", "credits.adjust"),
    admin("GET POST", "credits/wallet/<path:object_id>/correct/", "credits.adjust"),
    admin("GET POST", "credits/wallet/<path:object_id>/standing/", "credits.adjust"),
]
