"""What import contracts cannot see."""

import ast
import re
from pathlib import Path

import pytest
from celery import current_app
from django.apps import apps
from django.db import models

from apps.core.mail import queues

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path
    for folder in ("apps", "config", "demo", "embedded", "simulator", "figures", "bench")
    for path in (ROOT / folder).rglob("*.py")
    if "migrations" not in path.parts and "djstripe_migrations" not in path.parts
)
MONEY = [path for path in SOURCES if path.is_relative_to(ROOT / "apps" / "credits")]
# What rows that are locked may be joined with: what they belong to from their first day to their
# last. A join of anything else is of before the wait for the lock (see `lock_subscriptions`).
JOINED_WHEN_LOCKED = {
    "": {"organization"},
    "apps/billing/services/invoice_attempts.py": {"document"},
    "apps/jobs/services/ending.py": {
        "wallet",
        "upload",
    },  # an upload only goes, and its key with it
    "apps/partners": {"partner", "partner__organization", "member"},
    "apps/partners/services/uploads/storing.py": {"campaign"},
    "apps/rbac/services": {"role", "user", "staff_user", "invited_by"},
}
LONGEST_FILE = 300
LONGEST_FUNCTION = 50


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def calls_in(path: Path, name: str) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Name) and node.func.id == name)
            or (isinstance(node.func, ast.Attribute) and node.func.attr == name)
        )
    ]


def joined_when_locked(path: Path) -> set[str]:
    """Return what is joined in functions that lock rows; `*` if a variable says what."""
    joined = set()
    for function in ast.walk(tree_of(path)):
        if not isinstance(function, ast.FunctionDef):
            continue
        called = [
            node
            for node in ast.walk(function)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        ]
        if any(call.func.attr == "select_for_update" for call in called):
            for call in called:
                if call.func.attr == "select_related":
                    joined |= {getattr(name, "value", "*") for name in call.args or ["*"]}
    return joined


def may_be_joined_in(path: Path) -> set[str]:
    name = str(path.relative_to(ROOT))
    allowed = [joined for start, joined in JOINED_WHEN_LOCKED.items() if name.startswith(start)]
    return set().union(*allowed)


class TestTheHouse:
    def test_has_no_model_fetched_by_name(self):
        found = [path for path in SOURCES if calls_in(path, "get_model")]

        assert not found

    def test_rings_only_for_tasks_that_exist(self):
        rung = {
            call.args[0].value
            for path in SOURCES
            for call in calls_in(path, "enqueue")
            if call.args and isinstance(call.args[0], ast.Constant)
        }

        assert rung
        assert rung <= set(current_app.tasks)

    def test_rings_only_for_queues_of_mails_that_exist(self):
        rung = {
            keyword.value.value
            for path in SOURCES
            for call in calls_in(path, "enqueue")
            for keyword in call.keywords
            if isinstance(call.args[0], ast.Constant) and call.args[0].value == "core.send_mails"
        }

        assert rung
        assert rung <= set(queues())

    def test_schedules_only_tasks_that_exist(self):
        from config.celery import app

        scheduled = {entry["task"] for entry in app.conf.beat_schedule.values()}

        assert scheduled <= set(app.tasks)

    def test_names_every_task_after_its_app(self):
        ours = [task for task in current_app.tasks.values() if task.__module__.startswith("apps.")]

        assert ours
        for task in ours:
            assert task.name == f"{task.__module__.split('.')[1]}.{task.__name__}"

    @pytest.mark.parametrize("path", MONEY, ids=lambda path: str(path.relative_to(ROOT)))
    def test_has_no_float_where_credits_are_counted(self, path):
        floats = [
            node.lineno
            for node in ast.walk(tree_of(path))
            if (isinstance(node, ast.Name) and node.id == "float")
            or (isinstance(node, ast.Constant) and isinstance(node.value, float))
        ]

        assert not floats

    def test_joins_no_row_that_it_locks_with_what_may_change(self):
        found = {path: joined_when_locked(path) - may_be_joined_in(path) for path in SOURCES}

        assert not {path: joined for path, joined in found.items() if joined}

    def test_has_no_way_back_across_apps(self):
        ways = [
            f"{model.__name__}.{field.name}"
            for app in apps.get_app_configs()
            if app.name.startswith("apps.")
            for model in app.get_models()
            for field in model._meta.get_fields()
            if isinstance(field, models.ForeignKey)
            and field.related_model._meta.app_label != app.label
            and not field.remote_field.hidden
        ]

        assert not ways

    @pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
    def test_is_read_in_small_pieces(self, path):
        text = path.read_text()
        long = [
            f"{node.name}: {node.end_lineno - node.lineno + 1}"
            for node in ast.walk(tree_of(path))
            if isinstance(node, ast.FunctionDef)
            and node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION
        ]

        assert text.count("\n") <= LONGEST_FILE
        assert not long

    def test_has_no_drawer(self):
        drawers = {"utils.py", "helpers.py", "common.py", "misc.py"}

        assert not [path for path in SOURCES if path.name in drawers]

    def test_names_no_other_host_in_a_page(self):
        pages = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "static" / "js").rglob("*.js")]
        loads = re.compile(r"""(?:src|href|action)=["']https?://""")
        found = [str(page) for page in pages if loads.search(page.read_text())]

        assert pages
        assert not found
