"""Rules by which people join programmes by themselves."""

from typing import Any

from django.db.models import Case, QuerySet, When

from apps.core.errors import NotFound
from apps.core.walls.asking import ask
from apps.partners.models import AwardRule, Partner
from apps.tenants.models import User

OUTSIDE = "a person sees the rules for his own domains before he belongs to the programme"


def rules_of(partner: Partner) -> QuerySet[AwardRule]:
    """Return the programme's rules, those that have ended too, newest first."""
    rows = AwardRule.objects.filter(partner=partner).select_related("campaign", "partner")
    return rows.order_by("-created_at", "-id")


def rule_of(partner: Partner, public_id: str) -> AwardRule:
    """
    Return the programme's rule with this id.

    :raises NotFound: if it has none.
    """
    return _with_id(rules_of(partner), public_id)


def open_rules(user: User) -> QuerySet[Any]:
    """
    Return the rules by which a person may join, of whichever organization, newest first.

    Those of the domains at which he has a verified address; `is_taken` tells of each whether he
    has its credits already.
    """
    ((is_open, has_taken),) = ask(
        "SELECT partners_rules_open_to(%s), partners_rules_taken_by(%s)", user.pk, user.pk
    )
    rows = AwardRule.objects.across_organizations(OUTSIDE).filter(pk__in=is_open)
    taken = Case(When(pk__in=has_taken, then=True), default=False)
    mine = rows.annotate(is_taken=taken).select_related("partner")
    return mine.order_by("-created_at", "-id")


def open_rule(user: User, public_id: str) -> AwardRule:
    """
    Return a rule by which a person may join.

    :raises NotFound: if there is none with this id for him.
    """
    return _with_id(open_rules(user), public_id)


def _with_id(rows: QuerySet[AwardRule], public_id: str) -> AwardRule:
    row_id = AwardRule.read_id(public_id)
    found = rows.filter(pk=row_id).first() if row_id else None
    if found is None:
        raise NotFound
    return found
