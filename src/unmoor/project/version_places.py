"""Every place where a project writes its version, and its files with another version there. Nothing is written."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime

from packaging.version import Version

from unmoor import advice
from unmoor.errors import Refused
from unmoor.project import guess_version, read_version
from unmoor.project.bump_tables import read_table, replaced
from unmoor.project.files import Files, Read
from unmoor.project.other_versions import disagreeing_versions, same_versions
from unmoor.project.written_version import WrittenVersion, with_version
from unmoor.util.text import clean
from unmoor.versioning import pep440

_CARGO_LOCK = "Cargo.lock"


def find_written(read: Read) -> tuple[WrittenVersion | None, bool]:
    """Return where the version is written, if anywhere, and whether it comes from tags instead.

    Raises `Refused` if two places say two versions, or if there is neither a version nor a tool that takes it from
    tags, and `ConfigError`.
    """
    written, scm = read_version(read)
    written = written or (None if scm else guess_version(read))
    if written is None:
        if scm:
            return None, True
        raise Refused("no file has a version that can be read", next_step=advice.WRITE_A_VERSION())
    if pep440.version_in(written.text) is None:
        raise Refused(
            f"{clean(written.text, 60)!r} is not a version (PEP 440)",
            where=str(written),
            next_step=advice.WRITE_A_VERSION(),
        )
    if others := disagreeing_versions(read, written, written.text):
        other = others[0]
        raise Refused(
            f"two versions: {written} says {clean(written.text, 60)}, and {other} says {clean(other.text, 60)}",
            where=str(other),
            next_step=advice.WRITE_VERSION(version=clean(written.text, 60)),
        )
    return written, False


def with_new_version(read: Read, paths: Collection[str], new: Version, now: datetime) -> Mapping[str, bytes]:
    """Return the files that change if the version becomes ``new``, by path, with their new content.

    The places are the one that the build backend reads, those that repeat it (``[project]``, Poetry's table, setup.cfg,
    setup.py, ``__version__``), those of bump-my-version's table, and the package's entry in ``Cargo.lock``. Raises as
    `find_written` does, and `ConfigError`.
    """
    written, _ = find_written(read)
    changed: dict[str, bytes] = {}

    def current(path: str) -> bytes | None:
        return changed.get(path, read(path) if path in paths or path not in changed else None)

    _follow_table(current, changed, paths, written, new=str(new), now=now)
    if written is None:
        return changed
    for place in same_versions(current, paths, written):
        content = current(place.path) or b""
        if _is_there(content, place):
            changed[place.path] = with_version(content, place, _spelt(place, new))
    if written.path == "Cargo.toml" and (lock := current(_CARGO_LOCK)) is not None:
        changed[_CARGO_LOCK] = _in_cargo_lock(lock, Files(read), written.text, str(new))
    return {path: content for path, content in changed.items() if content != read(path)}


def _follow_table(
    current: Read,
    changed: dict[str, bytes],
    paths: Collection[str],
    written: WrittenVersion | None,
    *,
    new: str,
    now: datetime,
) -> None:
    found = read_table(Files(current))
    if found is None:
        return
    old = found.current.text if found.current is not None else written.text if written is not None else ""
    if not old:
        return
    if written is not None and pep440.version_in(old) != pep440.version_in(written.text):
        raise Refused(
            f"two versions: {written} says {clean(written.text, 60)}, and the table of bump-my-version"
            f" {clean(old, 60)}",
            where=found.file,
            next_step=advice.WRITE_VERSION(version=clean(written.text, 60)),
        )
    listed = sorted(paths)
    for place in found.places:
        changed.update(replaced(place, Files(current), listed, old=old, new=new, now=now, table=found.file))
    if found.current is not None:
        # Replacements in the same file may have moved it.
        again = read_table(Files(current))
        if again is not None and again.current is not None and again.current.text == old:
            changed[found.file] = with_version(current(found.file) or b"", again.current, new)


def _is_there(content: bytes, place: WrittenVersion) -> bool:
    """Whether a place still has the version that was read; what a table names is replaced already."""
    lines = content.splitlines()
    if place.line > len(lines):
        return False
    return lines[place.line - 1][place.column :].startswith(place.text.encode())


def _spelt(place: WrittenVersion, new: Version) -> str:
    """The new version as the place writes versions: with a ``v`` if the old one has one."""
    return f"v{new}" if place.text.startswith("v") else str(new)


def _in_cargo_lock(content: bytes, files: Files, old: str, new: str) -> bytes:
    """Replace the version of the crate itself, which is the entry of its name without a source."""
    name = str(files.toml("Cargo.toml").get("package", {}).get("name", ""))
    entry = re.compile(
        rb'(\[\[package\]\]\r?\nname = "'
        + re.escape(name.encode())
        + rb'"\r?\nversion = ")'
        + re.escape(old.encode())
        + rb'"(?!\r?\nsource)'
    )
    return entry.sub(lambda match: match[1] + new.encode() + b'"', content, count=1)
