"""Our one migration for dj-stripe stands for the ones that it brings: no more, no fewer."""

from importlib import import_module
from pathlib import Path

import djstripe

ours = import_module("apps.billing.djstripe_migrations.0001_clean_2_11")


class TestTheCleanMigration:
    def test_replaces_every_migration_that_djstripe_brings(self):
        folder = Path(djstripe.__file__).parent / "migrations"
        brought = {("djstripe", file.stem) for file in folder.glob("[0-9]*.py")}

        # If this fails, dj-stripe was upgraded: add its new migrations after ours.
        assert set(ours.Migration.replaces) == brought
