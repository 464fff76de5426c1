"""The git repositories of a world, read with git itself: where refs lead, and what is in a pack."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from unmoor.adapters.process.servers import Program
from unmoor.filesystem.files import share_or_copy
from unmoor.filesystem.layout import find_program
from unmoor.filesystem.temporary import temporary_folder
from unmoor.util.text import clean

_TIMEOUT = 60.0
_NO_SUCH_REF = 1
_SETTINGS: Final = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_NO_REPLACE_OBJECTS": "1"}


def commit_of(repository: Path, ref: str) -> str | None:
    """The commit that a ref of a bare repository leads to; ``None`` if there is no such ref. Raises `ValueError`."""
    asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    return _git(f"--git-dir={repository}", *asked, fine=(0, _NO_SUCH_REF)).decode().strip() or None


def branches(repository: Path) -> dict[str, str]:
    """The tree of each branch of a bare repository, by its name. Raises `ValueError`."""
    listed = _git(f"--git-dir={repository}", "for-each-ref", "--format=%(tree) %(refname:lstrip=2)", "refs/heads")
    rows = (line.partition(" ") for line in listed.decode(errors="surrogateescape").splitlines())
    return {name: tree for tree, _, name in rows}


def packed(pack: Path) -> Iterator[bytes]:
    """Yield the content of every object in a pack. Raises `ValueError` if git cannot read it, `OSError`."""
    with temporary_folder() as place:
        _git("init", "--quiet", "--bare", "--template=", str(place))
        for path in (pack, pack.with_suffix(".idx")):
            share_or_copy(path, place / "objects" / "pack" / path.name)
        data = _git(f"--git-dir={place}", "cat-file", "--batch-all-objects", "--batch")
    at = 0
    while at < len(data):
        begin = data.index(b"\n", at) + 1
        end = begin + int(data[at:begin].split()[2])
        yield data[begin:end]
        at = end + 1


def _git(*args: str, fine: tuple[int, ...] = (0,)) -> bytes:
    """Run git with no settings but ours, and return what it printed."""
    found = find_program("git", os.environ)
    if found is None:
        msg = "git is not installed"
        raise ValueError(msg)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | _SETTINGS
    ran = Program([str(found), *args], environ).wait(_TIMEOUT)
    if ran.code not in fine:
        msg = f"git {' '.join(args)[:200]}: {clean(ran.err.decode(errors='replace'), limit=300)}"
        raise ValueError(msg)
    return ran.out
