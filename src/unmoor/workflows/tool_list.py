"""The list that the jobs install unmoor from: versions and hashes, no addresses, as pip-compile lays it out.

Dependabot and Renovate update such a list together with its ``.in`` file. Source: pip's page "Repeatable Installs".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from unmoor.workflows.comparing import DifferenceLevel, WorkflowDifference
from unmoor.workflows.steps import MARK, TOOL_LIST, WHEELS_LIST

CIBUILDWHEEL = "cibuildwheel==4.3.5"
_PINNED = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]\n]*\])?==(?P<version>[^\s;\\]+)", re.MULTILINE)
_HASH = re.compile(r"^ +--hash=sha256:[0-9a-f]{64}", re.MULTILINE)
_ADDRESS = re.compile(r"^ *(?:-i|--(?:extra-)?index-url|--find-links|-f)\b|^[^#\n]*\b(?:https?|file)://", re.MULTILINE)


class PinnedList(msgspec.Struct, frozen=True, kw_only=True):
    """A list that unmoor writes: its path, the path of the list that it is made from, and the requirement in that."""

    path: str
    requirement: str

    @property
    def source(self) -> str:
        """The path of the ``.in`` file."""
        return self.path.removesuffix(".txt") + ".in"

    @property
    def source_text(self) -> str:
        """The text of the ``.in`` file."""
        return f"# {MARK}\n{self.requirement}\n"

    def text(self, compiled: str) -> str:
        """The text of the list, from what the compiler printed."""
        return f"# {MARK} A bot may update it.\n{compiled}"

    def faults(self, text: str | None) -> Iterator[WorkflowDifference]:
        """Yield what is wrong with a list. ``None``: there is none."""
        name, _, wanted = self.requirement.partition("==")
        if text is None:
            yield self._fault(1, "it is missing")
            return
        pinned = {canonicalize_name(each["name"]): (each["version"], each.start()) for each in _PINNED.finditer(text)}
        if address := _ADDRESS.search(text):
            yield self._fault(_line(text, address.start()), "it names an address to download from")
        if len(_HASH.findall(text)) < len(pinned):
            yield self._fault(1, "not every version has a hash")
        if canonicalize_name(name) not in pinned:
            yield self._fault(1, f"it does not list {name}")
            return
        version, at = pinned[canonicalize_name(name)]
        if fault := _version_fault(name, version, wanted):
            yield self._fault(_line(text, at), *fault)

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


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def lists_of(*, tool_version: str, builds_wheels: bool) -> tuple[PinnedList, ...]:
    """The lists of a project whose jobs install unmoor from the index."""
    tool = PinnedList(path=TOOL_LIST, requirement=f"unmoor=={tool_version}")
    return (tool, PinnedList(path=WHEELS_LIST, requirement=CIBUILDWHEEL)) if builds_wheels else (tool,)
