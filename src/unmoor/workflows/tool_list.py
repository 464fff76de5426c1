"""The list that the jobs install unmoor from: versions and hashes, no addresses, as pip-compile lays it out.

Dependabot and Renovate update such a list together with its ``.in`` file. Source: pip's page "Repeatable Installs".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from unmoor.workflows.comparing import DifferenceLevel, WorkflowDifference
from unmoor.workflows.steps import MARK, TOOL_LIST, WHEELS_LIST

CIBUILDWHEEL = "cibuildwheel==4.3.5"
_PINNED = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==(?P<version>[^\s;]+)\s*"
    r"(?:;[^#]*?)?(?=\s--hash)"
)
_HASHES = re.compile(r"(?:\s+--hash=sha256:[0-9a-f]{64})+\s*")


class PinnedList(msgspec.Struct, frozen=True, kw_only=True):
    """A list that unmoor writes: its path, the path of the list that it is made from, and the requirement in that."""

    path: str
    requirement: str

    @property
    def source(self) -> str:
        """The path of the ``.in`` file."""
        return self.path.removesuffix(".txt") + ".in"

    @property
    def name(self) -> str:
        """The name in the requirement, without its extras."""
        return self.requirement.partition("==")[0].partition("[")[0]

    def text(self, compiled: str) -> str:
        """The text of the list, from what the compiler printed."""
        return f"# {MARK} A bot may update it.\n{compiled}"

    def faults(self, text: str | None) -> Iterator[WorkflowDifference]:
        """Yield what is wrong with a list. ``None``: there is none."""
        name, wanted = self.name, self.requirement.partition("==")[2]
        if text is None:
            yield self._fault(1, "it is missing")
            return
        found: dict[str, tuple[str, int]] = {}
        for line, entry in _entries(text):
            pinned = _PINNED.match(entry)
            if pinned is None or _HASHES.fullmatch(entry, pinned.end()) is None:
                yield self._fault(line, f"{entry[:60]!r} is no version with hashes of sha256")
            else:
                found[canonicalize_name(pinned["name"])] = (pinned["version"], line)
        if canonicalize_name(name) not in found:
            yield self._fault(1, f"it does not list {name}")
            return
        version, line = found[canonicalize_name(name)]
        if fault := _version_fault(name, version, wanted):
            yield self._fault(line, *fault)

    def made_from(self, text: str) -> str:
        """The text of the ``.in`` file for a list, which may be newer than this unmoor."""
        name, _, wanted = self.requirement.partition("==")  # with extras
        return f"# {MARK}\n{name}=={pinned_version(self, text.encode()) or wanted}\n"

    def _fault(self, line: int, what: str, level: DifferenceLevel = DifferenceLevel.ERROR) -> WorkflowDifference:
        return WorkflowDifference(file=self.path, line=line, place=self.requirement, what=what, level=level)


def _version_fault(name: str, version: str, wanted: str) -> tuple[str, DifferenceLevel] | None:
    try:
        there, ours = Version(version), Version(wanted)
    except InvalidVersion:
        return f"{version!r} is not a version of {name}", DifferenceLevel.ERROR
    if there < ours:
        return f"{name} {version} is older than {wanted}", DifferenceLevel.ERROR
    if there.major != ours.major:
        return f"{name} {version} is another major version than {wanted}", DifferenceLevel.WARNING
    return None


def _entries(text: str) -> Iterator[tuple[int, str]]:
    """Yield each requirement or option on one line, with the line that it begins on; no comments."""
    begin, parts = 0, list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        plain = re.sub(r"(^|\s)#.*", "", line).rstrip()
        begin = begin or number
        parts.append(plain.removesuffix("\\"))
        if not plain.endswith("\\"):
            if entry := " ".join(parts).strip():
                yield begin, entry
            begin, parts = 0, []


def pinned_version(pinned: PinnedList, data: bytes | None) -> str | None:
    """The version that a list has of the tool that it is for, ``None`` if there is none."""
    name = canonicalize_name(pinned.name)
    for _, entry in _entries((data or b"").decode(errors="replace")):
        found = _PINNED.match(entry)
        if found is not None and canonicalize_name(found["name"]) == name:
            return found["version"]
    return None


def lists_of(*, tool_version: str, builds_wheels: bool, extras: Sequence[str] = ()) -> tuple[PinnedList, ...]:
    """The lists of a project whose jobs install unmoor from the index, with the extras that its deployments need."""
    with_extras = f"[{','.join(extras)}]" if extras else ""
    tool = PinnedList(path=TOOL_LIST, requirement=f"unmoor{with_extras}=={tool_version}")
    return (tool, PinnedList(path=WHEELS_LIST, requirement=CIBUILDWHEEL)) if builds_wheels else (tool,)
