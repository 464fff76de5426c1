"""Find the section of a version in a project's changelog."""

from __future__ import annotations

import os
import re
import string
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from unmoor.errors import ConfigError
from unmoor.notes import markdown, rst, sections
from unmoor.notes.fragments import Towncrier
from unmoor.notes.reading import Warn, display_path, read, resolve_inside
from unmoor.ports.shell import Shell
from unmoor.products import Release
from unmoor.util.text import clean

_STEMS = ("changelog", "changes", "news", "history", "releases", "release_notes", "release-notes")
_SUFFIXES = (".md", ".markdown", ".rst", ".txt", "")
_FOLDERS = (".", "docs", "doc")
_FIELDS = frozenset({"name", "version", "project_date"})


@dataclass(frozen=True, kw_only=True)
class Section:
    """A section as Markdown, and the file it comes from."""

    text: str
    file: str


@dataclass(frozen=True, kw_only=True)
class ChangelogMatch:
    """The section, if there is one, and every file that was searched."""

    section: Section | None
    files: tuple[str, ...]


def find_section(
    checkout: Path, release: Release, *, setting: str, towncrier: Towncrier | None, shell: Shell, warn: Warn
) -> ChangelogMatch:
    """Find the section of a release's version in the first changelog that has one.

    ``setting`` names the only file to search. If it is empty, search the file that towncrier writes, then files with
    the usual names. Raises `ConfigError` if the named file is missing, and `Refused` for unreadable text.
    """
    if towncrier is not None and not towncrier.single_file and not setting:
        return _find_own_file(checkout, release, towncrier, shell, warn)
    names = _project_names(release, towncrier)
    searched: list[str] = []
    for path in _candidates(checkout, setting, towncrier):
        name = display_path(checkout, path)
        searched.append(name)
        text = _extract_section(
            read(checkout, path, warn=warn), path.suffix, release.version, names=names, shell=shell, where=name
        )
        if text is not None:
            return ChangelogMatch(section=Section(text=text, file=name), files=tuple(searched))
    return ChangelogMatch(section=None, files=tuple(searched))


def _candidates(checkout: Path, setting: str, towncrier: Towncrier | None) -> Iterator[Path]:
    """Every file that may be the changelog, the most likely first."""
    if setting:
        path = checkout / setting
        if not resolve_inside(checkout, path).is_file():
            raise ConfigError(
                f"there is no file {setting!r} at the commit of the release",
                where="changelog",
                next_step="name a file that exists, or remove the setting 'changelog'",
            )
        yield path
        return
    yielded: set[Path] = set()
    if (
        towncrier is not None
        and towncrier.filename
        and resolve_inside(checkout, checkout / towncrier.filename).is_file()
    ):
        yield checkout / towncrier.filename
        yielded.add(resolve_inside(checkout, checkout / towncrier.filename))
    for folder in (checkout / name for name in _FOLDERS):
        if not folder.is_dir():
            continue
        named = [path for path in folder.iterdir() if path.stem.lower() in _STEMS and path.suffix.lower() in _SUFFIXES]
        for path in sorted(named, key=_likelihood):
            if path.is_file() and resolve_inside(checkout, path) not in yielded:
                yielded.add(resolve_inside(checkout, path))
                yield path


def _likelihood(path: Path) -> tuple[int, int, str]:
    return _STEMS.index(path.stem.lower()), _SUFFIXES.index(path.suffix.lower()), path.name


def _extract_section(
    text: str, suffix: str, version: str, *, names: Collection[str], shell: Shell, where: str
) -> str | None:
    if _is_rst(text, suffix):
        lines = text.count("\n") + 1
        span = sections.find_span(rst.headings(text), lines=lines, version=version, names=names, where=where)
        return None if span is None else rst.to_markdown(rst.excerpt(text, span.start, span.end), shell, where=where)
    document = markdown.read(text)
    span = sections.find_span(document.headings, lines=len(document.lines), version=version, names=names, where=where)
    return None if span is None else document.excerpt(span.start, span.end).strip("\n")


def _is_rst(text: str, suffix: str) -> bool:
    """Decide by the suffix. Without a known one, a file is reStructuredText unless it has headings with ``#``."""
    if suffix.lower() in {".rst", ".md", ".markdown"}:
        return suffix.lower() == ".rst"
    return re.search(r"^#{1,6} ", text, re.MULTILINE) is None


def _find_own_file(checkout: Path, release: Release, towncrier: Towncrier, shell: Shell, warn: Warn) -> ChangelogMatch:
    """Find the version's file for a project with one file for each version (towncrier's ``single_file = false``)."""
    pattern = towncrier.filename or "NEWS.rst"
    folder = resolve_inside(checkout, checkout / pattern).parent if "{" not in str(Path(pattern).parent) else checkout
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        name = os.path.relpath(path, checkout.resolve())  # it may be outside the project's folder
        match = re.fullmatch(_to_regex(pattern), name)
        found = match and sections.version_of(match.groupdict().get("version") or "")
        if not found or found != Version(release.version):
            continue
        name = clean(name)
        text = read(checkout.resolve(), path, warn=warn)
        section = _extract_section(
            text, path.suffix, release.version, names=_project_names(release, towncrier), shell=shell, where=name
        )
        if section is None:
            section = rst.to_markdown(text, shell, where=name) if _is_rst(text, path.suffix) else text.strip("\n")
        return ChangelogMatch(section=Section(text=section, file=name), files=(name,))
    return ChangelogMatch(section=None, files=(pattern,))


def _to_regex(pattern: str) -> str:
    """Turn towncrier's ``{name}``, ``{version}`` and ``{project_date}`` into a regular expression."""
    regex, used = "", set[str]()
    for literal, field, _, _ in string.Formatter().parse(str(Path(pattern))):
        regex += re.escape(literal)
        if field in _FIELDS and field not in used:
            regex += f"(?P<{field}>[^/]+)"
            used.add(field)
        elif field:
            regex += "[^/]+"
    return regex


def _project_names(release: Release, towncrier: Towncrier | None) -> tuple[str, ...]:
    """The names that a heading may use for the project."""
    name = release.project
    others = {name, name.replace("-", "_"), name.replace("-", " "), name.rpartition(".")[2]}
    others.add(release.repository.rpartition("/")[2])
    if towncrier is not None and towncrier.name:
        others.add(towncrier.name)
    return tuple(sorted(other for other in others if other))
