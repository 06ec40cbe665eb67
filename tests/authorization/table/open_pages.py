"""Rows of what needs no permission, and of organizations seen from outside."""

from tests.authorization.rows import everybody, personal

ROWS = [
    everybody("GET", ""),
    personal("GET", "organizations/"),
    personal("GET POST", "organizations/new/"),
    personal("POST", "organizations/<str:organization>/reopen/", code="nothing"),
    everybody("GET POST", "invitations/<str:token>/", reveals=True),
    everybody("GET POST", "demo/mailbox/", code="nothing"),
    everybody("GET POST", "demo/mailbox/<str:mail_id>/", code="nothing", fixed={"mail_id": "1:0"}),
    everybody(
        "GET POST", "demo/mailbox/<str:mail_id>/html/", code="nothing", fixed={"mail_id": "1:0"}
    ),
    everybody("POST", "demo/login", code="nothing"),
    everybody("GET", "api/schema/"),
    everybody("GET", "api/docs/"),
    everybody("GET", "api/try/"),
    everybody("GET POST", "problems/"),
    everybody("GET POST", "problems/<slug:code>", fixed={"code": "not-found"}),
    everybody("GET POST", "livez"),
    everybody("POST", "webhooks/stripe/"),
    everybody("GET POST", "readyz"),
]
