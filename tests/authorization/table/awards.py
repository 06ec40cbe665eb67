"""Rows of awards: pages, API and back office."""

from tests.authorization.rows import admin, api, model, page

VIEW, MANAGE = "partners.view", "partners.manage"
ASSIGNED = {"member": "{member_id}", "credits": 1}
LATER = {"until": "2199-01-01T00:00:00Z"}

ROWS = [
    api("POST", "partner/assign-credits", MANAGE, body=ASSIGNED, names="member_id"),
    api("GET", "partner/awards", VIEW),
    api("GET", "partner/awards.csv", VIEW),
    api("GET", "partner/awards/<str:award_id>", VIEW),
    api("POST", "partner/awards/<str:award_id>/revoke", MANAGE, body={"reason": "A mistake"}),
    api("POST", "partner/awards/<str:award_id>/extend", MANAGE, body=LATER),
    page("GET", "programme/awards/", VIEW),
    page("GET POST", "programme/awards/new/", MANAGE),
    page("GET", "programme/awards/<str:award_id>/", VIEW),
    page("POST", "programme/awards/<str:award_id>/extend/", MANAGE),
    page("POST", "programme/awards/<str:award_id>/revoke/", MANAGE),
    *model("partners/partnercredit", "V"),
    admin("GET POST", "partners/partnercredit/<path:object_id>/revoke/", "change"),
]
