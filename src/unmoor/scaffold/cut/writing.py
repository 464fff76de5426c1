"""Write a version into a work tree: its files, the lock, the changelog."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path

from packaging.version import Version

from unmoor.filesystem.files import read_regular
from unmoor.notes.dated_section import DatedSection, ReleaseNames, date_unreleased
from unmoor.notes.files import relative_files
from unmoor.notes.fragments import build, list_fragments, read_configuration
from unmoor.notes.reading import LIMIT
from unmoor.project.version_places import with_new_version
from unmoor.scaffold.cut.model import CutPorts, CutProject, Situation
from unmoor.scaffold.file_changes import FileChange, write_all
from unmoor.util.text import clean, count_of

_LOCK = "uv.lock"


def write_version(ports: CutPorts, found: Situation, tree: Path, version: Version, *, name: str, now: datetime) -> None:
    """Write the version wherever it is, and into the lock. Raises as `with_new_version` and the lock do."""
    git = ports.git
    folder = tree / git.path
    paths = relative_files(git.at("").files(found.head), git.path)
    read = partial(_read, folder)
    changed = with_new_version(read, paths, version, now)
    prefix = f"{git.path}/" if git.path else ""
    changes = [
        FileChange(path=f"{prefix}{path}", before=read(path), after=content, reason=f"the version {version}")
        for path, content in changed.items()
    ]
    write_all(tree, changes)
    if found.written is not None and (lock := _lock_of(git.at("").files(found.head), git.path)) is not None:
        ports.lock.update(tree / lock, name=name, version=str(version))


def write_changelog(
    ports: CutPorts, project: CutProject, found: Situation, tree: Path, names: ReleaseNames
) -> Iterator[str]:
    """Build the changelog from its fragments, or date its unreleased changes. Yield what was done, in words."""
    folder = tree / ports.git.path
    version, day = str(names.version), names.day.isoformat()
    towncrier = read_configuration(folder)
    if towncrier is not None:
        fragments = list_fragments(folder, towncrier)
        if not fragments.files:
            yield "there are no fragments, so the changelog gets a section without changes"
        build(folder, towncrier, ports.shell, version=version, day=day, project=project.name)
        yield f"the changelog is built from {count_of(len(fragments.files), 'fragment')}"
        return
    paths = relative_files(ports.git.at("").files(found.head), ports.git.path)
    known = {project.name, project.name.replace("-", "_"), project.name.replace("-", " ")}
    dated = date_unreleased(folder, paths, names, names=sorted(known), setting=project.settings.changelog)
    if isinstance(dated, DatedSection):
        prefix = f"{ports.git.path}/" if ports.git.path else ""
        before = _read(folder, dated.file)
        write_all(tree, [FileChange(path=f"{prefix}{dated.file}", before=before, after=dated.content)])
        yield f"{clean(dated.file)}: {clean(dated.before, 60)!r} becomes {clean(dated.after, 80)!r}"
    elif dated.file and not dated.has_section:
        yield f"{clean(dated.file)} has no unreleased changes, so the notes of the release are its commits"


def _lock_of(paths: tuple[str, ...], folder: str) -> str | None:
    """The folder of the tracked lock that the project is in: its own, or that of a workspace above."""
    parts = folder.split("/") if folder else []
    for end in range(len(parts), -1, -1):
        above = "/".join(parts[:end])
        if (f"{above}/{_LOCK}" if above else _LOCK) in paths:
            return above
    return None


def _read(folder: Path, path: str) -> bytes | None:
    try:
        return read_regular(folder / path, LIMIT)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
