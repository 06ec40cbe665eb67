"""Refusals of credits."""

from apps.credits.errors.budgets import BudgetExceeded, BudgetExists, BudgetTestTooSoon
from apps.credits.errors.corrections import (
    CorrectionDecided,
    CorrectionDiffers,
    PreviewOutdated,
    SecondPersonNeeded,
)
from apps.credits.errors.holds import CaptureExceedsHold, HoldNotFound, HoldSettled
from apps.credits.errors.lots import (
    LotDoesNotReturn,
    LotExpiresTooEarly,
    LotFrozen,
    LotHasLess,
    LotNotFound,
)
from apps.credits.errors.movements import (
    AlreadyRefunded,
    ChargeNotFound,
    CycleNotOver,
    CycleRenewed,
    InsufficientCredits,
    InvalidAmount,
    InvalidReference,
    InvalidTerms,
    MoreThanClawedBack,
    ReferenceReused,
    UnknownCreditEvent,
)
from apps.credits.errors.periods import (
    MonthIsNotOver,
    MonthOutOfOrder,
    NothingToClose,
    StatementTooLong,
)
from apps.credits.errors.wallets import (
    NoWalletOfOwn,
    WalletClosed,
    WalletFrozen,
    WalletHasHolds,
    WalletInDebt,
    WalletIsHeld,
)

__all__ = [
    "AlreadyRefunded",
    "BudgetExceeded",
    "BudgetExists",
    "BudgetTestTooSoon",
    "CaptureExceedsHold",
    "ChargeNotFound",
    "CorrectionDecided",
    "CorrectionDiffers",
    "CycleNotOver",
    "CycleRenewed",
    "HoldNotFound",
    "HoldSettled",
    "InsufficientCredits",
    "InvalidAmount",
    "InvalidReference",
    "InvalidTerms",
    "LotDoesNotReturn",
    "LotExpiresTooEarly",
    "LotFrozen",
    "LotHasLess",
    "LotNotFound",
    "MonthIsNotOver",
    "MonthOutOfOrder",
    "MoreThanClawedBack",
    "NoWalletOfOwn",
    "NothingToClose",
    "PreviewOutdated",
    "ReferenceReused",
    "SecondPersonNeeded",
    "StatementTooLong",
    "UnknownCreditEvent",
    "WalletClosed",
    "WalletFrozen",
    "WalletHasHolds",
    "WalletInDebt",
    "WalletIsHeld",
]
