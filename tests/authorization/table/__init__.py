"""The table: one file for each area, one line for each route."""

from tests.authorization.rows import Row
from tests.authorization.table import (
    account,
    asking,
    awards,
    billing,
    capacity,
    credits,
    jobs,
    office,
    open_pages,
    partner_members,
    partner_numbers,
    partner_uploads,
    people,
)

FILES = {
    "tests/authorization/table/awards.py": awards.ROWS,
    "tests/authorization/table/asking.py": asking.ROWS,
    "tests/authorization/table/billing.py": billing.ROWS,
    "tests/authorization/table/capacity.py": capacity.ROWS,
    "tests/authorization/table/credits.py": credits.ROWS,
    "tests/authorization/table/jobs.py": jobs.ROWS,
    "tests/authorization/table/partner_members.py": partner_members.ROWS,
    "tests/authorization/table/partner_numbers.py": partner_numbers.ROWS,
    "tests/authorization/table/partner_uploads.py": partner_uploads.ROWS,
    "tests/authorization/table/people.py": people.ROWS,
    "tests/authorization/table/account.py": account.ROWS,
    "tests/authorization/table/office.py": office.ROWS,
    "tests/authorization/table/open_pages.py": open_pages.ROWS,
}
ROWS: list[Row] = [row for rows in FILES.values() for row in rows]
# A whole app of the back office that is not ours; its routes need no line each.
FOREIGN_APPS = office.FOREIGN_APPS


def file_for(route: str) -> str:
    """Return where a line for the route belongs."""
    words = {"admin/": "office", "accounts/": "account", "account/": "account"}
    words |= {"/credits": "credits", "staff/corr": "credits", "staff/wal": "credits"}
    words |= {"/billing": "billing", "v1/plans": "billing", "/credit-products": "billing"}
    words |= {"/payments": "billing", "/purchases": "billing"}
    words |= {"/subscription": "billing"}
    words |= dict.fromkeys(("/projects", "/allocations", "/reservations"), "capacity")
    asked = ("/requests", "/rules", "/campaigns", "my-credits", "programmes")
    words |= {"/awards": "awards"} | dict.fromkeys(asked, "asking")
    words |= dict.fromkeys(("partner/uploads", "programme/uploads"), "partner_uploads")
    words |= dict.fromkeys(("v1/partner", "/programme/"), "partner_members")
    words |= {
        "/jobs": "jobs",
        "/uploads": "jobs",
        "v1/files": "jobs",
        "v1/worker": "jobs",
        "api/v1/": "people",
        "o/": "people",
    }
    name = next((file for word, file in words.items() if word in route), "open_pages")
    return f"tests/authorization/table/{name}.py"
