"""Start-up of billing."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Plans, payments and all that knows Stripe."""

    name = "apps.billing"
    label = "billing"

    def ready(self) -> None:
        """Let dj-stripe understand the API of today; its models exist only from here on."""
        from apps.billing import checks  # noqa: F401, PLC0415  registers them
        from apps.billing.djstripe_shapes import teach  # noqa: PLC0415
        from apps.billing.pages.banners import banners_of  # noqa: PLC0415
        from apps.core import banners  # noqa: PLC0415

        teach()
        banners.register(banners_of)
