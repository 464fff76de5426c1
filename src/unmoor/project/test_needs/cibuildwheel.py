"""What cibuildwheel installs to test wheels: ``test-requires``, ``test-extras`` and ``test-groups``."""

from __future__ import annotations

from collections.abc import Iterator

from unmoor.project.files import Files, table
from unmoor.project.literals import texts_of
from unmoor.project.test_needs.groups import resolve_known
from unmoor.project.test_needs.requirement_lines import read_lines
from unmoor.project.test_needs.source import Source, SourceKind


def read_cibuildwheel(files: Files) -> Iterator[Source]:
    """Its settings in ``pyproject.toml``."""
    options = table(files.pyproject, "tool", "cibuildwheel")

    def listed(name: str) -> list[str]:
        value = options.get(name)
        return value.split() if isinstance(value, str) else texts_of(value)

    found = read_lines(files, [*listed("test-requires"), *resolve_known(files, listed("test-groups"))])
    found.extras += listed("test-extras")
    if found.requires or found.extras:
        yield found.source("tool.cibuildwheel", SourceKind.TEST)
