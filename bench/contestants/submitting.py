"""
Coffer as production serves it: jobs with one area, submitted over HTTP by keys of the API.

Given: its migrated database, organizations with credits and a picture, a key for each. An
answer of 201 has paid, written job, area and attempt, audited, kept the answer for repeats,
and rung for a worker; none works here.
"""

import json
import tempfile
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from uuid import uuid4

from bench import coffer
from bench.host import Pick

FUNDS = 10**9  # credits of each organization
UNLIMITED = {"RATE_LIMITS": "false"}  # which would measure the limit


class Contestant:
    """Submits jobs."""

    APPLICATION = "config.wsgi:application"
    PATH = "/api/v1/jobs"
    ROWS = "jobs_generationjob"  # what is counted in the end

    def __init__(self, url: str) -> None:
        coffer.use(url)
        self.resources = ExitStack()

    def prepare(self, accounts: int) -> None:
        """Make so many customers, and serve them."""
        from django.db import connection

        from figures.running import running
        from tests.database import migrated_database
        from tests.jobs.work import set_price

        database = self.resources.enter_context(migrated_database())
        home = Path(self.resources.enter_context(tempfile.TemporaryDirectory()))
        set_price(1)
        self.customers = [self.make_customer() for _ in range(accounts)]
        served, _ = self.resources.enter_context(running(database, home, UNLIMITED))
        self.address = served.serve(self.APPLICATION).removeprefix("http://")
        connection.close()  # no process may inherit it

    def make_customer(self) -> tuple[str, dict[str, Any]]:
        """Return the key of a new customer, and what is submitted with it."""
        from apps.credits.models import Lot
        from apps.credits.selectors import main_wallet
        from apps.credits.services.grants import grant_credits
        from tests.jobs.work import OPERATION, make_upload
        from tests.people import make_key, make_member, make_organization

        organization = make_organization()
        grant_credits(
            wallet=main_wallet(organization),
            amount=FUNDS,
            kind=Lot.Kind.PURCHASE,
            reference="bench:funds",
            source="bench",
        )
        member = make_member(organization, "developer")
        _, key = make_key(organization, member, "jobs:write")
        upload = make_upload(organization, member)
        wanted = {"operation": OPERATION, "upload_id": upload.public_id}
        return key, {**wanted, "parameters": {"style": "dusk"}}

    def open(self) -> None:
        """Connect."""
        self.http = HTTPConnection(self.address, timeout=60)

    def submit(self, pick: Pick) -> int:
        """Submit once; whatever is not accepted ends the contest."""
        key, wanted = self.customers[pick()]
        headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "Idempotency-Key": str(uuid4()),
        }
        self.http.request("POST", self.PATH, json.dumps(wanted), headers)
        answer = self.http.getresponse()
        body = answer.read()
        if answer.status != 201:
            raise RuntimeError(f"{answer.status}: {body.decode(errors='replace')[:300]}")
        return 1

    def spent(self) -> int:
        """Count what was accepted."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {self.ROWS}")
            (total,) = cursor.fetchone()
        connection.close()
        return total

    def close(self) -> None:
        """End the server, and drop the database."""
        self.resources.close()
