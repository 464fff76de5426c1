"""Read lists of requirements as installers take them: lines of a file, or the arguments of ``pip install``.

The format is pip's (*Requirements File Format* in its documentation). No library reads it from a commit:
pip's own parser opens files, as does the copy of it in ``pip-requirements-parser`` (last released in 2022), and
``requirements-parser`` follows neither ``-r`` nor continued lines. The tests compare this reader with pip's.

Options that choose indexes or ways to build are left out: those come from the user's own settings.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from unmoor.project.files import Files
from unmoor.project.test_needs.command import PytestCall
from unmoor.project.test_needs.source import Source, SourceKind
from unmoor.project.test_needs.variables import Variables

# Options with a value. Those of other programs that install, such as nox and uv, are among them.
_WITH_VALUE: Final = frozenset(
    [
        "-i",
        "--index-url",
        "--extra-index-url",
        "-f",
        "--find-links",
        "--no-binary",
        "--only-binary",
        "--trusted-host",
        "--use-feature",
        "--proxy",
        "--timeout",
        "--retries",
        "--cache-dir",
        "--python",
        "--python-version",
        "--platform",
        "--target",
        "--prefix",
        "--root",
        "--resolution",
        "--prerelease",
        "--index-strategy",
        "--exclude-newer",
        "--config-settings",
        "-C",
        "--hash",
        "--progress-bar",
    ]
)
_FILE: Final = {"-r": "-r", "--requirement": "-r", "--requirements": "-r", "-c": "-c", "--constraint": "-c"}
_OWN: Final = re.compile(r"\.?/?(?:\[(?P<extras>[^\[\]]*)\])?")
_COMMENT: Final = re.compile(r"(?:^|\s)#.*$")
_OPTION_AFTER: Final = re.compile(r"\s--?[A-Za-z].*$")
_EGG: Final = re.compile(r"#(?:.*&)?egg=(?P<name>[A-Za-z0-9._-]+)(?P<extras>\[[^\]]*\])?")
_DEEPEST: Final = 8


@dataclass(kw_only=True)
class Listed:
    """What a list asks for: requirements (PEP 508), extras of the project itself, groups, constraints, and the rest."""

    requires: list[str] = field(default_factory=list)
    extras: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)
    omitted: list[str] = field(default_factory=list)

    def constrained(self) -> tuple[str, ...]:
        """The requirements, each narrowed by the constraint on the same package."""
        limits: dict[str, list[Requirement]] = {}
        for text in self.constraints:
            limit = Requirement(text)
            limits.setdefault(canonicalize_name(limit.name), []).append(limit)
        return tuple(dict.fromkeys(_narrowed(text, limits) for text in self.requires))

    def source(
        self, place: str, kind: SourceKind, *, call: PytestCall | None = None, variables: Variables = ()
    ) -> Source:
        """The same as a source."""
        return Source(
            place=place,
            kind=kind,
            requires=self.constrained(),
            extras=tuple(dict.fromkeys(self.extras)),
            call=call,
            omitted=tuple(dict.fromkeys(self.omitted)),
            variables=variables,
        )


def read_file(files: Files, path: str, into: Listed | None = None, *, base: str = "", depth: int = 0) -> Listed:
    """Read a requirements file and those that it includes. What cannot be read is among ``omitted``."""
    listed = Listed() if into is None else into
    content = files.read(path) if _is_inside(path) and depth < _DEEPEST else None
    if content is None:
        listed.omitted.append(f"-r {path}")
        return listed
    for line in _lines(content.decode("utf-8-sig", errors="replace")):
        _read_line(files, line, listed, base=base or posixpath.dirname(path), depth=depth)
    return listed


def read_lines(files: Files, lines: Iterable[str], *, base: str = "") -> Listed:
    """Read lines as tox and nox write them. ``base`` is the folder that paths in them are relative to."""
    listed = Listed()
    for line in lines:
        for logical in _lines(line):
            _read_line(files, logical, listed, base=base)
    return listed


def read_arguments(files: Files, words: Sequence[str]) -> Listed:
    """Read the arguments of ``pip install``, relative to the project's folder."""
    listed = Listed()
    rest = iter(words)
    for word in rest:
        _read_word(files, word, rest, listed, base="", depth=0)
    return listed


def _lines(text: str) -> Iterator[str]:
    r"""The logical lines of a requirements file, without comments.

    >>> list(_lines("a==1 \\\n  --hash=x  # why\n\n# c\nb"))
    ['a==1    --hash=x', 'b']
    """
    yield from (line for _, line in numbered_lines(text))


def numbered_lines(text: str) -> Iterator[tuple[int, str]]:
    r"""The same lines, each with the number of the line in the file that it begins on, from 1.

    >>> list(numbered_lines("a==1 \\\n  --hash=x\n\n# c\nb"))
    [(1, 'a==1    --hash=x'), (5, 'b')]
    """
    begin, parts = 0, list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        begin = begin or number
        parts.append(line.removesuffix("\\"))
        if line.endswith("\\"):
            continue
        if plain := _COMMENT.sub("", " ".join(parts)).strip():
            yield begin, plain
        begin, parts = 0, []
    if plain := _COMMENT.sub("", " ".join(parts)).strip():
        yield begin, plain


def _read_line(files: Files, line: str, listed: Listed, *, base: str, depth: int = 0) -> None:
    if not line.startswith("-"):
        _add(_OPTION_AFTER.sub("", line), listed)
        return
    try:
        words = shlex.split(line)
    except ValueError:
        listed.omitted.append(line)
        return
    rest = iter(words)
    for word in rest:
        _read_word(files, word, rest, listed, base=base, depth=depth)


def _read_word(files: Files, word: str, rest: Iterator[str], listed: Listed, *, base: str, depth: int) -> None:
    """Read one argument, with its value from the ``rest``."""
    name, separator, value = word.partition("=") if word.startswith("--") else (word[:2], word[2:], word[2:])
    if not word.startswith("-"):
        _add(word, listed)
    elif name in _FILE:
        path = posixpath.normpath(posixpath.join(base, (value if separator else next(rest, "")).strip()))
        if _FILE[name] == "-r":
            read_file(files, path, listed, depth=depth + 1)
        else:
            limits = read_file(files, path, depth=depth + 1)
            listed.constraints += [each for each in (*limits.requires, *limits.constraints) if "@" not in each]
    elif name in {"-e", "--editable"}:
        _add((value if separator else next(rest, "")).strip(), listed)
    elif name in {"--group", "--only-group", "--extra"}:
        target = listed.extras if name == "--extra" else listed.groups
        target.append((value if separator else next(rest, "")).rpartition(":")[2])
    elif name in _WITH_VALUE and not separator:
        next(rest, None)


def _add(text: str, listed: Listed) -> None:
    """Add a requirement, or the extras that a path to the project itself names."""
    if own := _OWN.fullmatch(text.partition(";")[0].strip()):
        listed.extras += [each.strip() for each in (own["extras"] or "").split(",") if each.strip()]
        return
    if egg := _EGG.search(text):
        text = f"{egg['name']}{egg['extras'] or ''} @ {text[: egg.start()]}"
    try:
        Requirement(text)
    except InvalidRequirement:
        listed.omitted.append(text)
    else:
        listed.requires.append(text)


def _narrowed(text: str, limits: dict[str, list[Requirement]]) -> str:
    wanted = Requirement(text)
    if wanted.url:
        return text
    for limit in limits.get(canonicalize_name(wanted.name), ()):
        if limit.marker is None or limit.marker.evaluate({"extra": ""}):
            wanted.specifier &= limit.specifier
    return str(wanted)


def _is_inside(path: str) -> bool:
    return not path.startswith(("/", "../", "~")) and path != ".." and "://" not in path
