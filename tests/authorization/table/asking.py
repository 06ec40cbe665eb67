"""Rows of requests, rules and campaigns of a programme, and of a member's own credits."""

from tests.authorization.rows import Row, Rule, api, model, page, personal

VIEW, MANAGE = "partners.view", "partners.manage"
OWN, ASK = "credits.view_own", "jobs.submit"
RULE = {"domain": "matrix.test", "credits": 1}
CAMPAIGN = {"name": "matrix", "budget": 1}
ANSWER = {"answer": "matrix"}
NOBODY = ("nobody here is a member who asked",)

ROWS = [
    page("GET", "programme/requests/", VIEW),
    page("GET", "programme/requests/<str:request_id>/", VIEW),
    page("POST", "programme/requests/<str:request_id>/approve/", MANAGE, body={"credits": 1}),
    page("POST", "programme/requests/<str:request_id>/decline/", MANAGE, body=ANSWER),
    page("GET", "programme/rules/", VIEW),
    page("POST", "programme/rules/", MANAGE, body=RULE),
    page("GET", "programme/rules/<str:rule_id>/", VIEW),
    page("POST", "programme/rules/<str:rule_id>/", MANAGE, body={"credits": 1}),
    page("POST", "programme/rules/<str:rule_id>/end/", MANAGE),
    page("GET", "programme/campaigns/", VIEW),
    page("POST", "programme/campaigns/", MANAGE, body=CAMPAIGN),
    page("GET", "programme/campaigns/<str:campaign_id>/", VIEW),
    page("GET", "programme/campaigns/<str:campaign_id>/", VIEW, query={"format": "csv"}),
    page("POST", "programme/campaigns/<str:campaign_id>/", MANAGE, body=CAMPAIGN),
    page("POST", "programme/campaigns/<str:campaign_id>/end/", MANAGE),
    page("GET", "my-credits/", OWN),
    page("POST", "my-credits/", ASK, body={"credits": 1}),
    page("GET", "my-credits/history/", OWN),
    page("POST", "my-credits/requests/<str:request_id>/withdraw/", ASK, parties=NOBODY),
    api("GET", "partner/requests", VIEW),
    api("GET", "partner/requests/<str:request_id>", VIEW),
    api("POST", "partner/requests/<str:request_id>/approve", MANAGE),
    api("POST", "partner/requests/<str:request_id>/decline", MANAGE, body=ANSWER),
    api("GET", "partner/rules", VIEW),
    api("POST", "partner/rules", MANAGE, body=RULE),
    api("GET", "partner/rules/<str:rule_id>", VIEW),
    api("PATCH", "partner/rules/<str:rule_id>", MANAGE, body={"credits": 2}),
    api("DELETE", "partner/rules/<str:rule_id>", MANAGE),
    api("GET", "partner/campaigns", VIEW),
    api("POST", "partner/campaigns", MANAGE, body=CAMPAIGN),
    api("GET", "partner/campaigns/<str:campaign_id>", VIEW),
    api("PATCH", "partner/campaigns/<str:campaign_id>", MANAGE, body={"budget": 2}),
    api("POST", "partner/campaigns/<str:campaign_id>/end", MANAGE),
    api("GET", "partner/campaigns/<str:campaign_id>/report", VIEW),
    api("GET", "partner/campaigns/<str:campaign_id>/report.csv", VIEW),
    api("GET", "my-credits", OWN),
    api("GET", "my-credits/transactions.csv", OWN),
    api("GET", "my-credits/requests", OWN),
    api("POST", "my-credits/requests", ASK, body={"credits": 1}),
    api("POST", "my-credits/requests/<str:request_id>/withdraw", ASK, parties=NOBODY),
    personal("GET", "programmes/"),
    personal("POST", "programmes/<str:rule_id>/join/", code="nothing"),
    Row(("GET",), "api/v1/programmes", Rule.PERSON_API),
    Row(("POST",), "api/v1/programmes/<str:rule_id>/join", Rule.PERSON_API, "nothing"),
    *model("partners/awardrule", "V"),
    *model("partners/campaign", "V"),
    *model("partners/creditrequest", "V"),
]
