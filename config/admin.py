"""How the back office looks: its names and its menu, in one table."""

ADMIN_MENU: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (  # title, model, icon
    (
        "People",
        (
            ("Organizations", "tenants.Organization", "apartment"),
            ("Users", "tenants.User", "person"),
            ("Role assignments", "rbac.UserRole", "group"),
            ("Invitations", "rbac.Invitation", "mail"),
            ("Erasures", "rbac.Erasure", "person_remove"),
            ("Personal exports", "rbac.PersonalExport", "download"),
        ),
    ),
    (
        "Ledger",
        (
            ("Wallets", "credits.Wallet", "account_balance_wallet"),
            ("Transactions", "credits.CreditTransaction", "receipt_long"),
            ("Lots", "credits.Lot", "toll"),
            ("Holds", "credits.Hold", "lock"),
            ("Corrections", "credits.Correction", "rule"),
            ("Budgets", "credits.Budget", "savings"),
            ("Budget alerts", "credits.BudgetAlert", "notifications"),
            ("Expiry warnings", "credits.ExpiryWarning", "mark_email_unread"),
            ("Price list", "credits.CreditEvent", "sell"),
            ("Liability", "credits.LiabilityReport", "balance"),
            ("Closed months", "credits.ClosedPeriod", "lock_clock"),
        ),
    ),
    (
        "Billing",
        (
            ("Plans", "billing.SubscriptionPlan", "layers"),
            ("Versions of plans", "billing.PlanVersion", "history"),
            ("Packs", "billing.CreditProduct", "package_2"),
            ("Versions of packs", "billing.ProductVersion", "history"),
            ("Payments", "billing.Payment", "payments"),
            ("Refunds", "billing.Refund", "undo"),
            ("Disputes", "billing.Dispute", "gavel"),
            ("Invoices and receipts", "billing.BillingDocument", "description"),
            ("Billing details", "billing.BillingDetails", "business"),
            ("Attempts to pay invoices", "billing.InvoiceAttempt", "credit_card"),
            ("Differences", "billing.ReconciliationCase", "difference"),
            ("Reconciliations", "billing.ReconciliationRun", "compare_arrows"),
            ("Subscriptions", "billing.OrganizationSubscription", "autorenew"),
            ("Passes and given plans", "billing.PlanTime", "hourglass"),
            ("Changes of subscriptions", "billing.SubscriptionChange", "swap_horiz"),
            ("Automatic reloads", "billing.AutoReload", "autorenew"),
            ("Sandboxes", "billing.Sandbox", "more_time"),
            ("Stripe's events", "billing.WebhookEvent", "inbox"),
        ),
    ),
    (
        "Work",
        (
            ("Jobs", "jobs.GenerationJob", "photo_library"),
            ("Areas of jobs", "jobs.GenerationArea", "grid_view"),
            ("Attempts", "jobs.Attempt", "replay"),
            ("Queues", "jobs.OrganizationQueue", "format_list_numbered"),
            ("Uploads", "jobs.BlobUpload", "upload_file"),
            ("Styles", "jobs.Style", "palette"),
            ("Rate limits", "jobs.RateLimitPolicy", "speed"),
            ("Versions of styles", "jobs.StyleVersion", "history"),
        ),
    ),
    (
        "Access",
        (
            ("Roles", "rbac.Role", "shield_person"),
            ("Permissions", "rbac.Permission", "key_vertical"),
            ("Shares", "rbac.Share", "share"),
            ("API keys", "rbac.ApiKey", "vpn_key"),
            ("Second factors", "mfa.Authenticator", "phonelink_lock"),
            ("Sessions", "usersessions.UserSession", "devices"),
            ("Impersonations", "rbac.Impersonation", "visibility"),
            ("Audit log", "tenants.AuditLog", "history"),
            ("Events for others", "tenants.OutboxEvent", "outbox"),
            ("Configuration", "tenants.AdminConfig", "tune"),
        ),
    ),
)


UNFOLD = {
    "SITE_TITLE": "Coffer",
    "SITE_HEADER": "Coffer",
    "SITE_SUBHEADER": "Back office",
    "SITE_SYMBOL": "toll",
    "SHOW_HISTORY": True,
    "SHOW_BACK_BUTTON": True,
    "ENVIRONMENT": "apps.core.admin.environment",
    "COMMAND": {"search_models": True, "show_history": True},
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": False,
        "navigation": "apps.core.admin.menu",
    },
}
