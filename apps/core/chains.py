"""Chains of rows, each of which seals the one before: walked by `manage.py verify --chain`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Fault:
    """The first row of a chain that is not what the rows before it and its seal say."""

    sequence: int
    row: str  # its public id; empty where there is none
    problem: str  # one of a few words, then a sentence


@dataclass(frozen=True)
class WalkedChain:
    """One chain that was walked from its first row to its last."""

    name: str  # of what owns it
    rows: int
    fault: Fault | None
    kind: str = "ledger"  # or "audit"


class Walker(Protocol):
    """Walks chains; yields each as it ends, so that memory does not grow with them."""

    def __call__(self, *, wallet: str, organization: str) -> Iterator[WalkedChain]:
        """
        Walk all chains, or those of a wallet (`wal_…`) or of an organization (slug).

        :raises NotFound: if wallet or organization is named and does not exist.
        """


_walkers: list[Walker] = []


def register(walker: Walker) -> None:
    """Add a walker to those that `verify --chain` sends out; once, however often it is asked."""
    if walker not in _walkers:
        _walkers.append(walker)


def walk(*, wallet: str = "", organization: str = "") -> Iterator[WalkedChain]:
    """
    Walk the chains of every app; writes nothing.

    :raises NotFound: if wallet or organization is named and does not exist.
    """
    for walker in _walkers:
        yield from walker(wallet=wallet, organization=organization)
