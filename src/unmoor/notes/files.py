"""Find the files of a commit that may hold release notes, by their names.

It reads git's list of files and never walks through folders, so it takes time in proportion to the list. There are
three places: files with the usual names in the usual folders, a file for this version alone, such as
``docs/releases/1.2.0.rst``, and files with other names in the documentation. Folders of other packages, tests and
copies of other people's code do not count.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Sequence

import msgspec
from packaging.version import Version

from unmoor.notes.headings import version_of
from unmoor.notes.reading import word_set

_STEMS = ("changelog", "changes", "news", "history", "releases", "release_notes", "release-notes")
_SUFFIXES = (".md", ".markdown", ".rst", ".txt", "")
_FOLDERS = ("", "docs", "doc")
# Names of files and folders, without hyphens, underscores and blanks.
_WORDS = word_set(
    "changelog changelogs changes changehistory changelist news history release releases releasenotes relnotes "
    "whatsnew versionhistory releasehistory"
)
_ONLY_FILES = word_set("versions")
_BESIDE = word_set("notes version ver v series of in")
_DOCUMENTATION = word_set("doc docs documentation web website site www")
_PROJECT_FILES = word_set("pyproject.toml setup.py setup.cfg package.json Cargo.toml")
_NOT_OURS = word_set(
    "test tests testing node_modules vendor vendored _vendor third_party thirdparty extern external site-packages "
    "locale locales example examples templates themes fixtures"
)
# As many files of the third kind are read.
_MOST = 20
# The longest name that is looked at.
_LONG = 100
_VERSIONED = re.compile(
    r"(?P<before>[a-z][a-z _.-]*?)?[-_. ]?v?"
    r"(?P<version>[0-9]{1,9}(?:[._-][0-9]{1,9}){0,9}(?:(?:a|b|rc|[._-]?post|[._-]?dev)[0-9]{1,9})?)"
    r"(?P<after>[-_. ][a-z][a-z_. -]*)?"
)
_BETWEEN = re.compile(r"[-_. ]+")


# Three ranks, and the file: the smallest comes first.
_Ranked = tuple[int, int, int, str]


class NoteFiles(msgspec.Struct, frozen=True, kw_only=True):
    """Files in the order in which they are searched. Names are relative to the project's folder.

    ``usual`` have the usual names, ``own`` are for this version only, and ``others`` are in the documentation.
    ``ignored`` have such a name, but are somewhere else.
    """

    usual: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


def find_files(files: Iterable[str], *, version: str, names: Collection[str]) -> NoteFiles:
    """Choose from the files of a commit. ``names`` are the project's."""
    listed = tuple(files)
    wanted = Version(version)
    own_names = {_normalize(name) for name in names}
    foreign = {posixpath.dirname(file) for file in listed if posixpath.basename(file) in _PROJECT_FILES}
    foreign = {folder for folder in foreign if folder and folder.lower() not in _DOCUMENTATION}
    usual: list[_Ranked] = []
    own: list[_Ranked] = []
    others: list[_Ranked] = []
    ignored: list[str] = []
    for file in listed:
        folder, name = posixpath.split(file)
        stem, suffix = posixpath.splitext(name.lower())
        if suffix not in _SUFFIXES or len(name) > _LONG:
            continue
        if folder in _FOLDERS and stem in _STEMS:
            usual.append((_FOLDERS.index(folder), _STEMS.index(stem), _SUFFIXES.index(suffix), file))
            continue
        if not suffix or not _is_ours(folder, foreign):
            continue
        parts = [_normalize(part) for part in folder.lower().split("/") if part]
        below = any(part in _WORDS for part in parts)
        named = _version_in(stem, own_names, below=below)
        if named is not None and named == wanted and not file.startswith("../"):
            own.append((int(str(named) != str(wanted)), _order(parts, stem), 0, file))
        elif not _has_notes_name(stem, parts, own_names, wanted):
            continue
        elif file.startswith("../"):
            if _is_named_after_project(stem, parts, own_names):
                others.append((0, 0, len(parts), file))
        elif parts and (parts[0] in _DOCUMENTATION or parts[0] in _WORDS):
            mine = _is_named_after_project(stem, parts, own_names)
            others.append((int(not mine), int(_normalize(stem) not in _WORDS), len(parts), file))
        else:
            ignored.append(file)
    return NoteFiles(
        usual=_sorted(usual), own=_sorted(own), others=_sorted(others)[:_MOST], ignored=tuple(sorted(ignored)[:_MOST])
    )


def relative_files(files: Sequence[str], path: str) -> tuple[str, ...]:
    """Rename the files of a repository so that they are relative to a folder in it, which comes first."""
    if not path:
        return tuple(files)
    here = f"{path}/"
    inside = [file.removeprefix(here) for file in files if file.startswith(here)]
    return (*inside, *(posixpath.relpath(file, path) for file in files if not file.startswith(here)))


def _sorted(ranked: Iterable[_Ranked]) -> tuple[str, ...]:
    return tuple(file for *_, file in sorted(ranked))


def _is_ours(folder: str, foreign: Collection[str]) -> bool:
    """Whether a folder belongs to the project, and not to another package, a test or a copy of other code."""
    parts = folder.split("/") if folder else []
    if any(part.lower() in _NOT_OURS or (part.startswith(".") and part != "..") for part in parts):
        return False
    return not any("/".join(parts[: count + 1]) in foreign for count in range(len(parts)))


def _version_in(stem: str, own_names: Collection[str], *, below: bool) -> Version | None:
    """The version that a file's name consists of, next to words for notes and the project's name."""
    match = _VERSIONED.fullmatch(stem)
    if match is None:
        return None
    words = [*_BETWEEN.split(match["before"] or ""), *_BETWEEN.split(match["after"] or "")]
    words = [word for word in words if word]
    joined = _normalize(match["before"] or ""), _normalize(match["after"] or "")
    telling = any(word in _WORDS for word in (*words, *joined))
    if not (below or telling):
        return None
    if not all(word in _WORDS or word in _BESIDE or word in own_names for word in words) and not telling:
        return None
    if not words and len(_BETWEEN.split(match["version"])) == 1:
        return None  # the number of an issue
    return version_of(re.sub(r"(?<=[0-9])[_-](?=[0-9])", ".", match["version"]))


def _has_notes_name(stem: str, parts: Sequence[str], own_names: Collection[str], wanted: Version) -> bool:
    """Whether a file is named after notes, after the project in a folder of notes, or after a series of versions."""
    normal = _normalize(stem)
    if normal in _WORDS or normal in _ONLY_FILES or _is_named_after_project(stem, parts, own_names):
        return True
    match = _VERSIONED.fullmatch(stem)
    if match is None or not (_normalize(match["before"] or "") in _WORDS or any(part in _WORDS for part in parts)):
        return False
    if not match["before"] and match["version"].isdecimal():
        return False  # the number of an issue
    digits = re.sub(r"[^0-9]", "", match["version"])
    return "".join(str(part) for part in wanted.release).startswith(digits) and not match["after"]


def _is_named_after_project(stem: str, parts: Sequence[str], own_names: Collection[str]) -> bool:
    """Whether a file is ``history/NAME`` or ``changelog-NAME``."""
    normal = _normalize(stem)
    if parts and parts[-1] in _WORDS and normal in own_names:
        return True
    return any(normal in {f"{word}{name}", f"{name}{word}"} for word in _WORDS for name in own_names)


def _order(parts: Sequence[str], stem: str) -> int:
    """Notes for readers come before lists of changes: a folder of releases before one of changelogs."""
    return int(any(word.startswith("change") for word in (*parts, _normalize(stem))))


def _normalize(text: str) -> str:
    return _BETWEEN.sub("", text.lower())
