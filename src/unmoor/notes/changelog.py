"""Find the section of a version in a project's changelog."""

from __future__ import annotations

import re
import string
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import msgspec
from packaging.version import Version

from unmoor import advice
from unmoor.errors import ConfigError, Refused
from unmoor.notes import markdown, myst, rst, sections, version_lines
from unmoor.notes.files import NoteFiles, find_files
from unmoor.notes.fragments import Towncrier
from unmoor.notes.headings import is_calendar, version_named, version_of
from unmoor.notes.reading import Warn, display_path, ignore_warning, read, resolve_inside
from unmoor.notes.sections import Heading, Span
from unmoor.notes.unreleased import is_unreleased, without_unreleased_line
from unmoor.ports.shell import Shell
from unmoor.products import Release
from unmoor.util.text import clean

_FIELDS = frozenset({"name", "version", "project_date"})
_RULE = re.compile(r"([=\-~^#*+])\1*")
# The most characters of a heading that a message quotes.
_QUOTED = 60


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A section as Markdown, and the file it comes from."""

    text: str
    file: str


class ChangelogMatch(msgspec.Struct, frozen=True, kw_only=True):
    """The section, if there is one, and every file that was searched.

    Without a section, ``hints`` say where the notes may be: headings of unreleased changes, headings that mention the
    version, and files that were not searched.
    """

    section: Section | None
    files: tuple[str, ...]
    hints: tuple[str, ...] = ()


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """A section, and what speaks against it: a heading in short, such as ``1.2`` for 1.2.0, and no content."""

    section: Section
    is_short: bool
    is_empty: bool
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReadFile:
    """A file and its headings. ``lines`` are those of the text."""

    name: str
    text: str
    is_rst: bool
    lines: Sequence[str]
    headings: Sequence[Heading]
    document: markdown.MarkdownDocument | None = field(repr=False)

    @classmethod
    def of(cls, name: str, text: str, names: Collection[str], *, calendar: bool) -> ReadFile:
        """Read a file by its suffix, or by its text if it has none."""
        suffix = Path(name).suffix
        if _is_rst(text, suffix):
            lines = text.split("\n")
            headings: Sequence[Heading] = rst.headings(text)
            others = [*version_lines.directives(lines)]
            titles = {line for each in headings for line in range(each.line, each.body)}
            found = version_lines.in_rst(lines, names, calendar=calendar)
            others += _outside([each for each in found if each.line not in titles], headings, names, calendar=calendar)
            return cls(
                name=name, text=text, is_rst=True, lines=lines, headings=_sorted(headings, others), document=None
            )
        document = markdown.read(text)
        found = version_lines.in_markdown(document.paragraphs, names, calendar=calendar)
        others = _outside([*found], document.headings, names, calendar=calendar)
        headings = _sorted(document.headings, others)
        return cls(name=name, text=text, is_rst=False, lines=document.lines, headings=headings, document=document)

    def span(self, version: str, names: Collection[str]) -> Span | None:
        """Find the section of a version. Raises `Refused` if there are two."""
        return sections.find_span(self.headings, lines=self.lines, version=version, names=names, where=self.name)

    def excerpt(self, start: int, end: int, shell: Shell) -> str:
        """Return the lines from ``start`` to ``end`` as Markdown."""
        if self.document is not None:
            text = self.document.excerpt(start, end).strip("\n")
            return myst.to_markdown(text, lambda source: rst.to_markdown(source, shell, where=self.name)).strip("\n")
        return rst.to_markdown(rst.excerpt(self.text, start, end), shell, where=self.name)


def find_section(
    checkout: Path,
    release: Release,
    *,
    files: Sequence[str],
    setting: str,
    towncrier: Towncrier | None,
    shell: Shell,
    warn: Warn,
) -> ChangelogMatch:
    """Find the section of a release's version in the first changelog that has one.

    ``files`` are those of the commit, relative to ``checkout``. ``setting`` names the only file to search. If it is
    empty, search the file that towncrier writes, then those of `unmoor.notes.files`. A section under a heading that
    writes the version in full, with content, comes before one under ``1.2`` for 1.2.0. Raises `ConfigError` if the
    named file is missing, and `Refused` for unreadable text.
    """
    if towncrier is not None and not towncrier.single_file and not setting:
        return _find_own_file(checkout, release, towncrier, files, shell=shell, warn=warn)
    names = project_names(release, towncrier)
    known = find_files(files, version=release.version, names=names)
    calendar = is_calendar(Version(release.version))
    searched: list[ReadFile] = []
    found: list[_Found] = []
    for path, is_usual in _candidates(checkout, setting, towncrier, known):
        name = display_path(checkout, path)
        try:
            text = read(checkout, path, warn=warn if is_usual else ignore_warning)
        except (Refused, OSError):
            if is_usual:
                raise
            continue
        searched.append(file := ReadFile.of(name, text, names, calendar=calendar))
        each = _section(file, release.version, names, shell, own=name in known.own)
        if each is not None:
            found.append(each)
        if each is not None and not each.is_short and not each.is_empty:
            break
    if not found:
        hints = (*_hints(searched, release.version, names), *_not_searched(known, setting))
        return ChangelogMatch(section=None, files=tuple(file.name for file in searched), hints=hints)
    best = min(found, key=lambda each: (each.is_short, each.is_empty))
    for words in best.warnings:
        warn(words)
    return ChangelogMatch(section=best.section, files=tuple(file.name for file in searched))


def _candidates(
    checkout: Path, setting: str, towncrier: Towncrier | None, known: NoteFiles
) -> Iterator[tuple[Path, bool]]:
    """Every file that may be the changelog, the most likely first, and whether its name leaves no doubt."""
    if setting:
        path = checkout / setting
        if not resolve_inside(checkout, path).is_file():
            raise ConfigError(
                f"there is no file {setting!r} at the commit of the release",
                where="changelog",
                next_step=advice.NAME_CHANGELOG(),
            )
        yield path, True
        return
    yielded: set[Path] = set()
    listed = [(name, True) for name in known.usual]
    if towncrier is not None and towncrier.filename:
        listed.insert(0, (towncrier.filename, True))
    listed += [(name, False) for name in (*known.own, *known.others)]
    for name, is_usual in listed:
        path = checkout / name
        if not is_usual and path.is_symlink():
            continue
        real = resolve_inside(checkout, path)
        if real not in yielded and real.is_file():
            yielded.add(real)
            yield path, is_usual


def _section(file: ReadFile, version: str, names: Collection[str], shell: Shell, *, own: bool) -> _Found | None:
    """Return a file's section of a version with warnings about it, or all of a file that is the version's own."""
    span = file.span(version, names)
    if span is None:
        return _whole(file, version, names, shell) if own else None
    text = file.excerpt(span.start, span.end, shell)
    text, is_marked = without_unreleased_line(text)
    warnings: list[str] = []
    if is_marked:
        warnings.append(f"the section {version} of {file.name} still says 'Unreleased': the notes leave that out")
    if (title := span.left_out) is not None:
        warnings.append(
            f"the notes end before line {title.line + 1} of {file.name} ({_quote(title.text)}): "
            f"no version follows, and the rest is left out"
        )
    if span.twin is not None:
        warnings.append(
            f"lines {span.heading.line + 1} and {span.twin.line + 1} of {file.name} both name {version}: the notes are "
            f"those of line {span.heading.line + 1}"
        )
    section = Section(text=text, file=file.name)
    return _Found(
        section=section, is_short=not span.is_exact, is_empty=markdown.is_empty(text), warnings=tuple(warnings)
    )


def _whole(file: ReadFile, version: str, names: Collection[str], shell: Shell) -> _Found | None:
    """Take a whole file that is named after the version, without its title, unless it names other versions."""
    calendar = is_calendar(Version(version))
    for heading in file.headings:
        named = version_named(heading.text, names, calendar=calendar)
        if named is not None and named.is_bare:
            return None
    first = next(iter(file.headings), None)
    alone = first is not None and all(each.level > first.level for each in file.headings[1:])
    begins = first is not None and not any(line.strip() for line in file.lines[: first.line])
    start = first.body if first is not None and alone and begins else 0
    text = file.excerpt(start, len(file.lines), shell)
    return _Found(section=Section(text=text, file=file.name), is_short=False, is_empty=markdown.is_empty(text))


def _hints(searched: Sequence[ReadFile], version: str, names: Collection[str]) -> Iterator[str]:
    """Say which headings may have been meant for the version."""
    calendar = is_calendar(Version(version))
    for file in searched:
        for place, heading in enumerate(file.headings):
            where = f"line {heading.line + 1} of {file.name} ({_quote(heading.text)})"
            named = version_named(heading.text, names, calendar=calendar)
            waits = is_unreleased(heading.text) or (named is not None and "unreleased" in heading.text.lower())
            if waits and has_text(file, place):
                yield f"{where} holds unreleased changes: write {version} there if they are its own"
                break
            if named is not None and named.version == Version(version):
                yield f"{where} mentions {version}, but begins no section of it"
                break


def _not_searched(known: NoteFiles, setting: str) -> Iterator[str]:
    if known.ignored and not setting:
        more = f" and {len(known.ignored) - 1} more" if len(known.ignored) > 1 else ""
        yield f"the search leaves out {clean(known.ignored[0])}{more}: to use one, name it in the setting 'changelog'"


def has_text(file: ReadFile, place: int) -> bool:
    """Whether there is text below a heading, given by its place, and above the next one of its level."""
    heading = file.headings[place]
    later = islice(file.headings, place + 1, None)
    following = next((each for each in later if each.level <= heading.level), None)
    lines = file.lines[heading.body : following.line if following else None]
    return not markdown.is_empty("\n".join(line for line in lines if not _RULE.fullmatch(line)))


def _quote(text: str) -> str:
    return repr(clean(text, _QUOTED))


def _sorted(headings: Sequence[Heading], others: Sequence[Heading]) -> Sequence[Heading]:
    return sorted((*headings, *others), key=lambda each: each.line) if others else headings


def _outside(
    lines: Sequence[Heading], headings: Sequence[Heading], names: Collection[str], *, calendar: bool
) -> list[Heading]:
    if not lines:
        return []
    named = ((each, version_named(each.text, names, calendar=calendar)) for each in headings)
    return version_lines.outside(lines, [each for each, name in named if name is not None and name.is_strict])


def _is_rst(text: str, suffix: str) -> bool:
    """Decide by the suffix. Without a known one, a file is reStructuredText unless it has headings with ``#``."""
    if suffix.lower() in {".rst", ".md", ".markdown"}:
        return suffix.lower() == ".rst"
    return re.search(r"^#{1,6} ", text, re.MULTILINE) is None


def _find_own_file(
    checkout: Path, release: Release, towncrier: Towncrier, files: Sequence[str], *, shell: Shell, warn: Warn
) -> ChangelogMatch:
    """Find the version's file for a project with one file for each version (towncrier's ``single_file = false``)."""
    pattern = towncrier.filename or "NEWS.rst"
    names = project_names(release, towncrier)
    regex = re.compile(_to_regex(pattern))
    for name in sorted(files):
        match = regex.fullmatch(name)
        found = match and version_of(match.groupdict().get("version") or "")
        if not found or found != Version(release.version):
            continue
        text = read(checkout, checkout / name, warn=warn)
        file = ReadFile.of(clean(name), text, names, calendar=is_calendar(found))
        span = file.span(release.version, names)
        start, end = (0, len(file.lines)) if span is None else (span.start, span.end)
        section = Section(text=file.excerpt(start, end, shell), file=file.name)
        return ChangelogMatch(section=section, files=(file.name,))
    return ChangelogMatch(section=None, files=(pattern,))


def _to_regex(pattern: str) -> str:
    """Turn towncrier's ``{name}``, ``{version}`` and ``{project_date}`` into a regular expression."""
    regex, used = "", set[str]()
    for literal, name, _, _ in string.Formatter().parse(str(Path(pattern))):
        regex += re.escape(literal)
        if name in _FIELDS and name not in used:
            regex += f"(?P<{name}>[^/]+)"
            used.add(name)
        elif name:
            regex += "[^/]+"
    return regex


def project_names(release: Release, towncrier: Towncrier | None) -> tuple[str, ...]:
    """The names that a heading or a file may use for the project."""
    project = release.project
    others = {project, project.replace("-", "_"), project.replace("-", " "), project.rpartition(".")[2]}
    if not release.path:  # the repository's name may be that of another package in it
        others.add(release.repository.rpartition("/")[2])
    if towncrier is not None and towncrier.name:
        others.add(towncrier.name)
    return tuple(sorted(other for other in others if other))
