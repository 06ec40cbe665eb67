"""Notes into which place a request wrote, whatever it answered."""

from django.db import connection

from tests.authorization.registry import tenant_models
from tests.authorization.world import World

FUNCTION = """
CREATE FUNCTION matrix_touched() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE place text;
BEGIN
    place := CASE COALESCE(NEW.organization_id, OLD.organization_id)
        WHEN '{here}' THEN 'here' WHEN '{there}' THEN 'there' END;
    IF place IS NOT NULL THEN
        PERFORM set_config('matrix.' || place, TG_TABLE_NAME, true);
    END IF;
    RETURN NULL;
END $$
"""
TRIGGER = """
CREATE TRIGGER matrix_touched AFTER INSERT OR UPDATE OR DELETE ON {table}
FOR EACH ROW EXECUTE FUNCTION matrix_touched()
"""


def watch_writes(world: World) -> None:
    """Let each table of organizations tell of writes, until the transaction is undone."""
    here, there = world.here.organization.pk, world.there.organization.pk
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(FUNCTION.format(here=here, there=there))
        for model in tenant_models():
            if any(one.column == "organization_id" for one in model._meta.concrete_fields):
                table = connection.ops.quote_name(model._meta.db_table)
                cursor.execute(TRIGGER.format(table=table))


def touched() -> list[str]:
    """Return the places into which this transaction has written."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('matrix.here', true), current_setting('matrix.there', true)"
        )
        return [
            place
            for place, table in zip(("here", "there"), cursor.fetchone(), strict=True)
            if table
        ]
