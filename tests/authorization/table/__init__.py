"""The table: one file for each area, one line for each route."""

from tests.authorization.rows import Row
from tests.authorization.table import account, billing, credits, jobs, office, open_pages, people

FILES = {
    "tests/authorization/table/billing.py": billing.ROWS,
    "tests/authorization/table/credits.py": credits.ROWS,
    "tests/authorization/table/jobs.py": jobs.ROWS,
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
