"""Rows of programmes: application, terms, groups and members; pages, API and back office."""

from tests.authorization.rows import Row, Rule, admin, api, everybody, model, page

REASON = {"reason": "matrix"}
GROUP = {"name": "matrix"}
APPLIED = {"name": "matrix", "expected_members": 3}
PEOPLE = {"members": [{"email": "somebody@matrix.test"}]}

ROWS = [
    page("GET", "programme/", "partners.view"),
    page("GET", "programme/application/", "partners.view"),
    page("POST", "programme/application/", "partners.manage", body=APPLIED),
    page("POST", "programme/application/<str:application_id>/withdraw/", "partners.manage"),
    page("GET", "programme/terms/", "partners.view"),
    page("GET", "programme/groups/", "partners.view"),
    page("POST", "programme/groups/", "partners.manage", body=GROUP),
    page("GET", "programme/groups/<str:group_id>/", "partners.view"),
    page("POST", "programme/groups/<str:group_id>/", "partners.manage", body=GROUP),
    page("POST", "programme/groups/<str:group_id>/remove/", "partners.manage"),
    page("GET", "programme/members/", "partners.view"),
    page("GET POST", "programme/members/invite/", "partners.manage"),
    page("POST", "programme/members/remind/", "partners.manage"),
    page("GET", "programme/members/<str:member_id>/", "partners.view"),
    page("POST", "programme/members/<str:member_id>/", "partners.manage"),
    *(
        page("POST", f"programme/members/<str:member_id>/{verb}/", "partners.manage", body=REASON)
        for verb in ("remind", "resend", "suspend", "lift", "remove")
    ),
    everybody("GET POST", "claims/<str:token>/", reveals=True),
    api("GET", "partner", "partners.view"),
    api("GET", "partner/terms", "partners.view"),
    api("GET", "partner/applications", "partners.view"),
    api("POST", "partner/applications", "partners.manage", body=APPLIED),
    api("GET", "partner/applications/<str:application_id>", "partners.view"),
    api("POST", "partner/applications/<str:application_id>/withdraw", "partners.manage"),
    api("GET", "partner/groups", "partners.view"),
    api("POST", "partner/groups", "partners.manage", body=GROUP),
    api("GET", "partner/groups/<str:group_id>", "partners.view"),
    api("PUT", "partner/groups/<str:group_id>", "partners.manage", body=GROUP),
    api("DELETE", "partner/groups/<str:group_id>", "partners.manage"),
    api("GET", "partner/members", "partners.view"),
    api("POST", "partner/members", "partners.manage", body=PEOPLE),
    api("GET", "partner/members.csv", "partners.view"),
    api("POST", "partner/members/remind", "partners.manage"),
    api("GET", "partner/members/<str:member_id>", "partners.view"),
    api("PATCH DELETE", "partner/members/<str:member_id>", "partners.manage"),
    api("POST", "partner/members/<str:member_id>/remind", "partners.manage"),
    api("POST", "partner/members/<str:member_id>/resend", "partners.manage"),
    api("POST", "partner/members/<str:member_id>/suspension", "partners.manage", body=REASON),
    api("DELETE", "partner/members/<str:member_id>/suspension", "partners.manage"),
    Row(
        ("POST",),
        "api/v1/partner/claim",
        Rule.PERSON_API,
        code="nothing",
        body={"token": "unknown"},
    ),
    *model("partners/application", "V"),
    *(
        admin("GET POST", f"partners/application/<path:object_id>/{verb}/", "change")
        for verb in ("approve", "decline")
    ),
    *model("partners/partner", "V"),
    admin("GET POST", "partners/partner/begin/", "add"),
    *(
        admin("GET POST", f"partners/partner/<path:object_id>/{verb}/", "change")
        for verb in ("terms", "suspend", "lift")
    ),
    *model("partners/partnerterms", "V"),
    *model("partners/partnermember", "V"),
    *model("partners/membergroup", "V"),
    admin("GET POST", "partners/membergroup/<path:object_id>/rename/", "change"),
    *(
        admin("GET POST", f"partners/{name}/export/", "view")
        for name in (
            *("application", "awardrule", "campaign", "creditrequest", "membergroup", "partner"),
            *("partnercredit", "partnermember", "partnerterms", "upload", "uploadrow"),
        )
    ),
]
