"""Verify a statement (CSV) without Coffer: `python3 verify_statement.py statement.csv`."""

import csv
import hashlib
import sys
from datetime import datetime, timedelta

EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
MARK = {"line", "wallet", "sequence", "created_at", "balance_after", "entry_hash"}
FILLED = {"opening": MARK, "closing": MARK, "sum": {"line", "wallet", "type", "amount"}}
AFTER = {"": ["opening"], "sum": ["sum", "closing"], "closing": []}
SEALED = ["previous_hash", "wallet", "sequence", "lot", "type", "amount", "balance_after"]


def check(holds, problem):
    if not holds:
        raise ValueError(problem)


def seal(row):
    microseconds = (datetime.fromisoformat(row["created_at"]) - EPOCH) // timedelta(microseconds=1)
    reference = row["reference"].removeprefix("'")  # put there against spreadsheets
    cells = [*(row[name] for name in SEALED), row["reverses"], str(microseconds), reference]
    return hashlib.sha256("|".join(cells).encode()).hexdigest()


def verify(rows):
    kind, last, sums = "", {}, {}
    for row in rows:
        follows = AFTER.get(kind, ["movement", "sum", "closing"])
        kind, last = row["line"], last or row
        filled = {name for name, cell in row.items() if cell}
        check(kind in follows, "is out of place")
        check(filled == FILLED.get(kind, filled), "has a cell too many or too few")
        check(row["wallet"] == last["wallet"], "is of another wallet")
        if kind == "movement":
            balance = int(last["balance_after"]) + int(row["amount"])
            check(int(row["sequence"]) == int(last["sequence"]) + 1, "does not follow in number")
            check(row["created_at"] >= last["created_at"], "is older than the line before it")
            check(row["previous_hash"] == last["entry_hash"], "does not follow in the chain")
            check(row["entry_hash"] == seal(row), "was changed: its hash does not fit")
            check(int(row["balance_after"]) == balance, "has a wrong balance")
            sums[row["type"]] = sums.get(row["type"], 0) + int(row["amount"])
            last = row
        elif kind == "sum":
            check(int(row["amount"]) == sums.pop(row["type"], None), "has a wrong sum")
        elif kind == "closing":
            check(not sums, "comes before all sums")
            check(row["created_at"] > last["created_at"], "is older than the last movement")
            for name in ("sequence", "balance_after", "entry_hash"):
                check(row[name] == last[name], f"has another {name} than the last movement")
    check(kind == "closing", "is the last one, and no closing line")


if __name__ == "__main__":
    with open(sys.argv[1], newline="", encoding="utf-8") as file:
        lines = csv.DictReader(file)
        try:
            verify(lines)
        except (KeyError, TypeError, ValueError) as error:
            sys.exit(f"Line {lines.line_num} {error}.")
    print(f"All {lines.line_num} lines are as they were written.")
