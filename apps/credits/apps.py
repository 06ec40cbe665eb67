"""Start-up of credits."""

from django.apps import AppConfig

from apps.core import banners, chains


class CreditsConfig(AppConfig):
    """The one ledger."""

    name = "apps.credits"
    label = "credits"

    def ready(self) -> None:
        """Let `verify --chain` walk the wallets, and the frame say what cannot be used."""
        from apps.credits.pages.banners import banners_of  # noqa: PLC0415
        from apps.credits.selectors.chains import walk_chains  # noqa: PLC0415  needs the models

        chains.register(walk_chains)
        banners.register(banners_of)
