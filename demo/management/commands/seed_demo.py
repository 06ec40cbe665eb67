"""`manage.py seed_demo`: fill the demo, once."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction

from demo import billing, jobs, payments, seeding, workers
from demo.people import PASSWORD


class Command(BaseCommand):
    """Seed the demo through the services; a second call changes nothing."""

    help = "Fill this instance with the demo's people, history and pictures (only with DEMO=1)."

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed if need be, and write the logins where the start page reads them."""
        if not seeding.is_seeded():
            with transaction.atomic():
                seeded = seeding.seed_people_and_history()
                jobs.submit_sample_jobs()
                worker_key = workers.sell_what_workers_do()
                # Before the commit: a database with people always has the file of their logins.
                self.write_logins(seeded, worker_key)
            self.stdout.write(f"Seeded {len(seeded.people)} people.")
        # These ask the simulator, so in no transaction.
        billing.seed_catalogue()
        payments.live()

    def write_logins(self, seeded: seeding.Seeded, worker_key: str) -> None:
        """Write who can sign in, and the keys, which are shown nowhere else."""
        logins = [
            {
                "email": person.email,
                "password": PASSWORD,
                "role": person.role,
                "organization": person.organization,
                "description": person.description,
            }
            for person in seeded.people
        ]
        keys = [{"organization": slug, "key": key} for slug, key in seeded.api_keys.items()]
        document = {"logins": logins, "api_keys": keys, "worker_key": worker_key}
        settings.DEMO_LOGINS.parent.mkdir(parents=True, exist_ok=True)
        settings.DEMO_LOGINS.write_text(json.dumps(document, indent=2, ensure_ascii=False))
