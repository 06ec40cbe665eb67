"""The page of the terms by which a programme hands credits on."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from apps.partners.pages import tables
from apps.partners.pages.base import ProgrammePage
from apps.partners.selectors.applications import versions_of_terms
from apps.partners.selectors.programmes import seats_taken

MOST_SHOWN = 50  # versions


class Terms(ProgrammePage):
    """The terms in force, and those before; staff change them."""

    tab = "terms"

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Show them, newest first, or all as CSV."""
        if self.wants_file:
            return self.send("terms", tables.TERMS, versions_of_terms(self.partner))
        versions = list(versions_of_terms(self.partner)[:MOST_SHOWN])
        page = {
            "terms": versions[0],
            "versions": versions,
            "seats_taken": seats_taken(self.partner),
        }
        return self.show("partners/terms.html", page)
