"""The folders of chaos, ``.unmoor/chaos``: one that was built and proven once, and a copy of it for each round.

Each is the folder of a world, as that of a rehearsal, with the clone that is released in ``checkout`` and the state
folder of the account in ``state``.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import msgspec

from unmoor.filesystem.files import share_or_copy
from unmoor.filesystem.safe_folder import OWN, make_private

BASE = "base"
REMOTE = "remote.git"
CHECKOUT = "checkout"
STATE = "state"
# Git's objects of the remote, and of the clone.
_OF_GIT = re.compile(rf"/{BASE}/(?:{re.escape(REMOTE)}|{CHECKOUT}/\.git)/objects/")


class WorldFolder(msgspec.Struct, frozen=True):
    """The folder of a world, and what is in it for one release. ``tag`` is the one that is released."""

    path: Path
    tag: str = ""
    project: str = ""

    @classmethod
    def of_round(cls, chaos: Path, number: int, like: WorldFolder) -> WorldFolder:
        """The folder of a round."""
        return cls(chaos / f"round-{number}", like.tag, like.project)

    @property
    def checkout(self) -> Path:
        """The clone that is released."""
        return self.path / CHECKOUT

    @property
    def run(self) -> Path:
        """The run folder of the release."""
        return self.checkout / OWN / self.tag.replace("/", "%2F")

    @property
    def journal(self) -> Path:
        """The journal of the release."""
        return self.run / "journal.jsonl"

    @property
    def requests(self) -> Path:
        """The log of requests of the servers."""
        return self.path / "requests.jsonl"

    @property
    def remote(self) -> Path:
        """The git remote."""
        return self.path / REMOTE

    @property
    def state(self) -> Path:
        """What is the user's state folder for the release, where notes of what this account wrote are."""
        return self.path / STATE


def copy_base(base: WorldFolder, to: WorldFolder, *, built: bool) -> None:
    """Copy what was prepared into the folder of a round: the remote and the checkout, and if ``built`` its files.

    Git never changes an object, so objects are linked where the disk can. A link of the project stays a link.
    """
    make_private(to.path)
    own = str(base.checkout)
    for name in (REMOTE, CHECKOUT):
        shutil.copytree(
            base.path / name,
            to.path / name,
            symlinks=True,
            ignore=lambda folder, names: [OWN] if folder == own and OWN in names and not built else [],
            copy_function=_copy,
        )
    make_private(to.state)
    if built:
        shutil.copytree(base.state, to.state, dirs_exist_ok=True)


def _copy(source: str, target: str) -> None:
    if _OF_GIT.search(Path(source).as_posix()):
        share_or_copy(Path(source), Path(target))
    else:
        shutil.copy2(source, target, follow_symlinks=False)


def size_of(path: Path) -> int:
    """Return the size of a file, 0 if there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def read_from(path: Path, start: int, limit: int) -> bytes:
    """Return what was added to a file since it had ``start`` bytes, at most ``limit``; nothing if there is none."""
    try:
        with path.open("rb") as stream:
            stream.seek(start)
            return stream.read(limit)
    except FileNotFoundError:
        return b""
