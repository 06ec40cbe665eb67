"""The menu of the customer's pages, in one table. Below /o/<slug>/, so each takes the slug."""

from typing import NamedTuple


class Entry(NamedTuple):
    """One line of the menu, for those who have the permission."""

    label: str
    url_name: str
    icon: str
    permission: str
    permission_for_own: str = ""  # shows the page, too: with the viewer's own part alone
    hidden_by: str = ""  # a permission of those for whom the page is not meant


NAVIGATION: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "",
        (
            Entry("Overview", "credits:overview", "layout-dashboard", "credits.view_own"),
            Entry("Jobs", "jobs:list", "images", "jobs.view", "jobs.view_own"),
            Entry(
                "My credits",
                "partners:my_credits",
                "gift",
                permission="jobs.view_own",
                hidden_by="jobs.view",  # so members of a programme have it in their menu
            ),
            Entry("Credits", "credits:lots", "coins", "credits.view_own"),
            Entry("Usage", "credits:usage", "gauge", "credits.view_own"),
            Entry("Budgets", "credits:budgets", "wallet", "credits.view_own"),
            Entry("Transactions", "credits:transactions", "scroll-text", "credits.view_own"),
            Entry("Prices", "credits:prices", "list", "credits.view_own"),
            Entry("Statements", "credits:statements", "file-text", "credits.view"),
        ),
    ),
    (
        "Billing",
        (
            Entry("Plans", "billing:plans", "layers", "billing.view"),
            Entry("Subscription", "billing:subscription", "refresh-cw", "billing.view"),
            Entry("Buy credits", "billing:buy", "coins", "billing.manage"),
            Entry("Automatic reload", "billing:auto_reload", "history", "billing.view"),
            Entry("Payments", "billing:payments", "receipt", "billing.view"),
            Entry("Invoices", "billing:invoices", "file-text", "billing.view"),
            Entry("Billing details", "billing:details", "building-2", "billing.view"),
            Entry("Payment methods", "billing:payment_methods", "credit-card", "billing.view"),
        ),
    ),
    (
        "Organization",
        (
            Entry("Members", "rbac:members", "users", "members.view"),
            Entry("Programme", "partners:programme", "handshake", "partners.view"),
            Entry("Capacity", "capacity:projects", "zap", "capacity.view"),
            Entry("Roles", "rbac:roles", "shield", "roles.view"),
            Entry("Shared", "rbac:shares", "external-link", "shares.view"),
            Entry("API keys", "rbac:keys", "key-round", "keys.view"),
            Entry("Audit log", "rbac:audit", "history", "audit.view"),
            Entry("Security", "rbac:security", "shield-check", "organization.secure"),
            Entry("Settings", "rbac:organization", "settings", "organization.view"),
        ),
    ),
)
