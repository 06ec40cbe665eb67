"""Statements of the programme and of each member: read them, or take them away."""

from datetime import date
from urllib.parse import urlencode

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from apps.core.documents import pdf_response
from apps.core.exports import stream_csv
from apps.partners.pages.base import ProgrammePage
from apps.partners.pages.number_forms import MonthForm
from apps.partners.selectors import member_statements, statements
from apps.partners.selectors.members import member_of

PAGE_SIZE = 50  # members


class StatementPage(ProgrammePage):
    """A page of a month, which is chosen above it."""

    tab = "statements"

    def month_form(self) -> MonthForm:
        """Return which month is asked for, of those that there are."""
        months = statements.months_of(self.organization)
        return MonthForm(self.request.GET, months=months)

    def links(self, here: str, month: date) -> dict[str, str]:
        """Return where the same month is as a file."""
        chosen = {"month": f"{month:%Y-%m}"}
        return {
            "reset_url": here,
            "export_url": f"{here}?{urlencode({**chosen, 'format': 'csv'})}",
            "pdf_url": f"{here}?{urlencode({**chosen, 'format': 'pdf'})}",
        }


class Statements(StatementPage):
    """The programme's month: the pool, all members together, and each."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Show the sums and a page of members; or answer the whole as a file."""
        form = self.month_form()
        month, wanted = form.chosen, request.GET.get("format")
        if wanted == "csv":
            statement = statements.programme_statement(self.partner, month)
            return stream_csv(
                filename=f"{statement.name}.csv",
                columns=statements.COLUMNS,
                rows=statement.rows(),
            )
        if wanted == "pdf":
            facts = statements.document_facts(self.partner, month)
            return pdf_response(
                filename=f"{facts['statement'].name}.pdf",
                template="partners/statement_document.html",
                facts=facts,
            )
        past = request.GET.get("past", "")
        statement = statements.programme_statement(self.partner, month, past=past, limit=PAGE_SIZE)
        here = reverse("partners:statements", args=[slug])
        chosen = {"month": f"{month:%Y-%m}"}
        more = {**chosen, "past": statement.lines[-1].email} if statement.has_more else {}
        page = {
            "statement": statement,
            "form": form,
            "is_too_long": statement.count > statements.LARGEST_PDF,
            "next_url": f"{here}?{urlencode(more)}" if more else None,
            "first_url": f"{here}?{urlencode(chosen)}" if past else None,
            **self.links(here, month),
        }
        return self.show("partners/statements.html", page)


class MemberStatement(StatementPage):
    """A member's month."""

    def get(self, request: HttpRequest, slug: str, member_id: str) -> HttpResponseBase:
        """Show what he had, got and used, and each movement where the terms show it; or a file."""
        member = member_of(self.partner, member_id)
        form = self.month_form()
        statement = member_statements.member_statement(self.partner, member, form.chosen)
        wanted = request.GET.get("format")
        if wanted == "csv":
            return stream_csv(
                filename=f"{statement.name}.csv",
                columns=member_statements.COLUMNS,
                rows=statement.rows(),
            )
        facts = member_statements.document_facts(statement)
        if wanted == "pdf":
            return pdf_response(
                filename=f"{statement.name}.pdf",
                template="partners/member_statement_document.html",
                facts=facts,
            )
        here = reverse("partners:member_statement", args=[slug, member_id])
        page = {**facts, "form": form, **self.links(here, form.chosen)}
        return self.show("partners/member_statement.html", page)
