"""Rows of files by which partners hand credits on: pages, API and back office."""

from tests.authorization.rows import admin, api, model, page

ONE = "partner/uploads/<str:partner_upload_id>"
PAGE = "programme/uploads/<str:partner_upload_id>"

ROWS = [
    api("GET", "partner/uploads", "partners.view"),
    api("POST", "partner/uploads", "partners.manage"),
    api("GET", ONE, "partners.view"),
    api("DELETE", ONE, "partners.manage"),
    api("PUT", f"{ONE}/mapping", "partners.manage", body={"email": 0, "credits": 1}),
    api("POST", f"{ONE}/preview", "partners.manage"),
    api("POST", f"{ONE}/confirm", "partners.manage", body={"credits": 1}),
    api("GET", f"{ONE}/rows", "partners.view"),
    api("GET", f"{ONE}/result.csv", "partners.view"),
    api("GET", f"{ONE}/errors.csv", "partners.view"),
    page("GET", "programme/uploads/", "partners.view"),
    page("POST", "programme/uploads/", "partners.manage"),
    page("GET", "programme/uploads/template/", "partners.view"),
    page("GET", f"{PAGE}/", "partners.view"),
    page("GET", f"{PAGE}/status/", "partners.view"),
    page("GET", f"{PAGE}/result/", "partners.view"),
    page("GET", f"{PAGE}/errors/", "partners.view"),
    *(
        page("POST", f"{PAGE}/{action}/", "partners.manage")
        for action in ("columns", "preview", "confirm", "discard")
    ),
    *model("partners/upload", "V"),
    *model("partners/uploadrow", "V"),
    admin("GET POST", "partners/upload/<path:object_id>/rows/", "view"),
    admin("GET POST", "partners/upload/<path:object_id>/undo/", "change"),
]
