"""Which files of the repository a report of coverage.py is about, and whether it is about their present text."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from unmoor.checks.coverage_report import CoverageReport, MeasuredFile

Read = Callable[[str], bytes | None]
_NO_CODE = re.compile(rb"[ \t\f]*(?:#.*)?")


class MeasuredFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The measured lines of files by path from the top of the repository.

    ``elsewhere`` are the names, in the report, of files that this repository does not have.
    """

    lines: Mapping[str, Mapping[int, bool]]
    elsewhere: tuple[str, ...] = ()


def locate(report: CoverageReport, names: Sequence[str], top: Path, read: Read) -> MeasuredFiles:
    """Find the files of a report. ``names`` are those of the repository, whose top folder is ``top`` on this machine.

    A report from another machine names folders of that one, so the end of a path counts, with all of its name in the
    report. If that fits several files, the one whose text fits is meant. Files that git ignores, such as
    generated ones, are neither located nor elsewhere.
    """
    known = frozenset(names)
    found: dict[str, Mapping[int, bool]] = {}
    elsewhere: list[str] = []
    for each in report.files:
        places = tuple(dict.fromkeys(_places(each, report.sources, known, top)))
        fitting = [place for place in places if why_unlike(each.lines, read(place) or b"", place) == ""]
        if len(places) == 1 or len(fitting) == 1:
            found[(fitting or list(places))[0]] = each.lines
        elif not places and not any(_is_there(each, source, top) for source in report.sources):
            elsewhere.append(each.name)
    return MeasuredFiles(lines=found, elsewhere=tuple(elsewhere))


def why_unlike(lines: Mapping[int, bool], content: bytes, name: str) -> str:
    """Say why measured lines are not those of a text; empty if they can be. Code is never blank, nor a comment."""
    if not name.endswith((".py", ".pyw")):
        return ""  # a plugin of coverage.py knows what its lines are
    text = content.splitlines() if b"\f" not in content else content.replace(b"\f", b" ").splitlines()
    if all(_NO_CODE.fullmatch(line) for line in text):
        return ""  # some versions of Python say that an empty module runs its first line
    for number in sorted(lines):
        if number < 1 or number > len(text):
            return f"it measures line {number}, and the file has {len(text)}"
        if _NO_CODE.fullmatch(text[number - 1]):
            return f"it measures line {number}, which is blank or a comment"
    return ""


def _places(each: MeasuredFile, sources: Sequence[str], known: frozenset[str], top: Path) -> Iterator[str]:
    """The files of the repository that a name can mean, one for each folder that it may be relative to."""
    own = [part for part in each.name.replace("\\", "/").split("/") if part not in {"", "."}]
    for source in sources or ("",):
        whole = posixpath.normpath(posixpath.join(source.replace("\\", "/"), "/".join(own)))
        here = f"{top.as_posix().rstrip('/')}/"
        if whole.startswith(here):
            if (place := whole.removeprefix(here)) in known:
                yield place
            continue
        parts = [part for part in whole.split("/") if part]
        ends = ("/".join(parts[at:]) for at in range(len(parts) - len(own) + 1))
        if (place := next((end for end in ends if end in known), "")) != "":
            yield place


def _is_there(each: MeasuredFile, source: str, top: Path) -> bool:
    """Whether a name means a file of this checkout that git does not know."""
    path = Path(source, each.name)
    return path.is_relative_to(top) and path.is_file()
