"""The lock of a repository's actions, ``.github/workflows/actions.lock``, which only ``gh actions-lock`` writes.

Its format is a preview and changes: only the names in it are read.
Source: GitHub's page "Workflow dependency lockfiles".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from unmoor.errors import Refused
from unmoor.workflows.reading import YamlList, YamlMap, YamlText, YamlValue, read_file


class ActionsLock(msgspec.Struct, frozen=True, kw_only=True):
    """The locked references, as in ``actions/checkout@v7``, and those that each file may use, by its path.

    GitHub runs the locked commits only for a file that the lock lists.
    """

    references: frozenset[str]
    files: Mapping[str, frozenset[str]]

    def locks(self, path: str, uses: str) -> bool:
        """Whether GitHub runs the locked commit for a reference in a file. A folder in an action is locked with it."""
        reference = _reference(uses)
        return reference in self.references and reference in self.files.get(path, frozenset())

    def missing(self, actions: Collection[str]) -> tuple[str, ...]:
        """The actions, as in ``actions/checkout``, that are not locked in any version; sorted."""
        locked = {reference.partition("@")[0] for reference in self.references}
        return tuple(sorted(name for name in actions if name.lower() not in locked))


def read_lock(path: str, data: bytes) -> ActionsLock | None:
    """Read a lock; ``None`` if it is broken, or of a version that has no such names."""
    try:
        pairs = read_file(path, data).value.pairs
    except Refused:
        return None
    dependencies, files = pairs.get("dependencies"), pairs.get("workflows")
    if not isinstance(dependencies, YamlMap) or (files is not None and not isinstance(files, YamlMap)):
        return None
    listed = files.pairs if isinstance(files, YamlMap) else {}
    return ActionsLock(
        references=frozenset(map(_reference, dependencies.pairs)),
        files={file: _references(value) for file, value in listed.items()},
    )


def _references(value: YamlValue) -> frozenset[str]:
    items = value.items if isinstance(value, YamlList) else ()
    return frozenset(_reference(each.text) for each in items if isinstance(each, YamlText))


def _reference(uses: str) -> str:
    """The repository and version of a reference. GitHub compares owners and repositories without case."""
    action, _, version = uses.partition("@")
    return f"{'/'.join(action.lower().split('/')[:2])}@{version}"
