"""The Celery application, its queues, and everything that runs by the clock in one table."""

import os
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import worker_init, worker_process_init
from kombu import Exchange, Queue

from apps.core.scope import whole_process

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("coffer")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# A worker that names no queue listens to both. One of its own for pictures, which take long,
# keeps them from holding up Stripe's events, mails and sweeps: docs/guides/operations.md.
app.conf.task_queues = [
    Queue(name, Exchange(name), routing_key=name) for name in ("celery", "work")
]
app.conf.task_routes = {"jobs.work": {"queue": "work"}}


@worker_init.connect
@worker_process_init.connect
def see_every_organization(**details: object) -> None:
    """Let the tasks of a worker sweep through the rows of all organizations."""
    whole_process("worker")


def _mails(queue: str, schedule: float | crontab) -> dict[str, Any]:
    return {"task": "core.send_mails", "kwargs": {"queue": queue}, "schedule": schedule}


app.conf.beat_schedule = {
    "Ring again for waiting jobs": {"task": "jobs.sweep_jobs", "schedule": 15.0},
    "Compare files with their rows": {
        "task": "jobs.compare_files",
        "schedule": crontab(hour=3, minute=53),
    },
    "Handle events of Stripe's that wait": {"task": "billing.sweep_events", "schedule": 15.0},
    "Ask for events that no webhook brought": {"task": "billing.poll_events", "schedule": 300.0},
    "Ask for all events that Stripe still has": {
        "task": "billing.poll_events",
        "schedule": crontab(hour=3, minute=29),
        "kwargs": {"is_whole": True},
    },
    "Resume changes of subscriptions": {
        "task": "billing.sweep_subscriptions",
        "schedule": 60.0,
    },
    "Mirror Stripe's objects": {"task": "billing.mirror_events", "schedule": 60.0},
    "Resume refunds": {"task": "billing.sweep_refunds", "schedule": 60.0},
    "Resume and end purchases": {"task": "billing.sweep_purchases", "schedule": 60.0},
    "Tell billing details and resume paying invoices": {
        "task": "billing.sweep_documents",
        "schedule": 60.0,
    },
    "Resume automatic reloads": {"task": "billing.sweep_reloads", "schedule": 60.0},
    "Send mails about automatic reloads": _mails("reloads", 60.0),
    "Tell of money that goes back by itself": _mails("refunds", 60.0),
    "Compare the catalogue with Stripe's": {
        "task": "billing.compare_catalogue",
        "schedule": crontab(hour=4, minute=13),
    },
    "Compare Stripe, payments and ledger": {
        "task": "billing.reconcile",
        "schedule": crontab(hour=4, minute=37),
    },
    "Send mails about ownership": _mails("transfers", 60.0),
    "Tell of looks in a member's place": _mails("impersonations", 60.0),
    "End looks in a member's place": {"task": "rbac.end_impersonations", "schedule": 60.0},
    "Make files of personal data": {"task": "rbac.make_exports", "schedule": 60.0},
    "Send mails about erasure": _mails("erasures", 60.0),
    "Erase people whose time has come": {
        "task": "rbac.erase_people",
        "schedule": crontab(minute=11),
    },
    "Expire lots of idle wallets": {"task": "credits.sweep_expired_lots", "schedule": 60.0},
    "Let unused awards go by their terms": {"task": "partners.settle_awards", "schedule": 30.0},
    "Warn of credits that expire soon": _mails("credit_expiry", crontab(minute=5)),
    "Send alerts of budgets": _mails("budgets", 60.0),
    "Tell members what they were awarded": _mails("awards", 60.0),
    "Send mails about requests for credits": _mails("credit_requests", 60.0),
    "Send invitations that wait": _mails("invitations", 60.0),
    "Send links of programmes that wait": _mails("programme_claims", 60.0),
    "Tell what became of applications for programmes": _mails("partner_applications", 60.0),
    "Warn of API keys that end soon": _mails("key_expiry", crontab(minute=35)),
    "End unpaid reservations and what was cancelled, and offer what is free": {
        "task": "capacity.sweep_capacity",
        "schedule": 60.0,
    },
    "Share generation that was read": {
        "task": "capacity.share_generation",
        "schedule": 300.0,
    },
    "Tell who waited what is offered to him": _mails("capacity_offers", 60.0),
    "Prune answers kept for replays": {
        "task": "core.prune_idempotency_keys",
        "schedule": crontab(minute=17),
    },
    "Verify every invariant": {"task": "core.verify_invariants", "schedule": crontab(minute=41)},
    "Ring again for uploads of partners": {"task": "partners.sweep_uploads", "schedule": 30.0},
    "Close months that are over": {
        "task": "credits.close_months",
        "schedule": crontab(hour="1-23/6", minute=23),
    },
    "Walk every chain": {"task": "core.verify_chains", "schedule": crontab(hour=2, minute=7)},
}
