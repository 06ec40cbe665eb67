"""
The second wall between organizations: row-level security, which the database itself holds.

A table with a column `organization_id` gets its wall by itself, at the end of `migrate`
(`building`). A table that belongs to an organization some other way, or that shows rows to
others as well, says so on its model: `WALL = Wall(…)`; so does one that belongs to a person
and to no organization. `inspection` looks in the database's
catalogue whether every wall stands. Reasons: docs/adr/0011-two-walls-between-tenants.md.
"""

from dataclasses import dataclass

WEB = "coffer_web"  # the role of web processes: sees one organization at a time
STAFF = "coffer_staff"  # of workers, commands and the admin: sees all, owns nothing
EVERYTHING = "SELECT, INSERT, UPDATE, DELETE"
MINE = "(SELECT coffer_user())"  # who signed in, for `also_read`


@dataclass(frozen=True)
class Wall:
    """Whose the rows of a table are, in SQL over its columns, and what the web may do there."""

    whose: str = "organization_id"  # an organization's id; empty: the table belongs to nobody
    person: str = ""  # or a person's id: then the web shows him, and nobody else, his rows
    also_read: str = ""  # rows that may be read beside those of the organization
    also_add: str = ""  # rows that may be added beside those of the organization
    # Privileges of the web's role; of UPDATE also by column: "SELECT, UPDATE (state, held_for)".
    web: str = EVERYTHING
    staff: str = EVERYTHING  # and of the role of staff

    @property
    def stands(self) -> bool:
        """Whether there is anybody whose the rows are."""
        return bool(self.whose or self.person)
