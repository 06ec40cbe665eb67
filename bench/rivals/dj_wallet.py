"""
dj-wallet 0.1.0: wallets for Django, without a ledger's guards.

Given: a Django project with `contenttypes` and `dj_wallet` and nothing else, its own
migrations, a wallet for each holder (the holder is any row; content types stand in),
funded by one `deposit`, and connections that stay open (CONN_MAX_AGE).
A charge: `WalletService.withdraw(wallet, 1)`: locks the wallet, inserts a transaction,
writes the whole wallet row.
It does not do: idempotency (a repeat withdraws again), lots, expiry, prices, a balance
after each row, any check by the database; rows can be changed and deleted.
"""

from urllib.parse import unquote, urlsplit

from bench.host import Pick

FUNDS = 10**12


class Contestant:
    """Withdraws."""

    def __init__(self, url: str) -> None:
        import django
        from django.conf import settings

        address = urlsplit(url)
        settings.configure(
            INSTALLED_APPS=["django.contrib.contenttypes", "dj_wallet"],
            DATABASES={
                "default": {
                    "ENGINE": "django.db.backends.postgresql",
                    "NAME": address.path.lstrip("/"),
                    "USER": address.username,
                    "PASSWORD": unquote(address.password or ""),
                    "HOST": address.hostname,
                    "PORT": address.port,
                    "CONN_MAX_AGE": None,
                }
            },
            USE_TZ=True,
        )
        django.setup()

    def prepare(self, accounts: int) -> None:
        """Migrate, and make funded wallets."""
        from dj_wallet.models import Wallet
        from dj_wallet.services.common import WalletService
        from django.contrib.contenttypes.models import ContentType
        from django.core.management import call_command
        from django.db import connection

        call_command("migrate", verbosity=0)
        kind = ContentType.objects.get_for_model(Wallet)
        self.wallets = [
            Wallet.objects.create(holder_type=kind, holder_id=number) for number in range(accounts)
        ]
        for wallet in self.wallets:
            WalletService.deposit(wallet, FUNDS)
        connection.close()

    def open(self) -> None:
        """Connect."""
        from dj_wallet.services.common import WalletService
        from django.db import connection

        self.service = WalletService
        connection.ensure_connection()

    def charge(self, pick: Pick) -> int:
        """Withdraw one credit."""
        self.service.withdraw(self.wallets[pick()], 1)
        return 1

    def spent(self) -> int:
        """Add up what was withdrawn."""
        from dj_wallet.models import Transaction
        from django.db import connection
        from django.db.models import Sum

        total = Transaction.objects.filter(type="withdraw").aggregate(total=Sum("amount"))["total"]
        connection.close()
        return int(total or 0)

    def close(self) -> None:
        """Leave the database to whoever made it."""
