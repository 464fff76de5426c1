"""Whether a project is set up for Conventional Commits: it configures a tool that reads or demands them."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from unmoor.ports.git import Git
from unmoor.project.files import Files, Read, table

_FILES: Final = re.compile(
    r"\.commitlintrc(\.\w+)?|commitlint\.config\.\w+|\.releaserc(\.\w+)?|release\.config\.\w+|\.?cz\.(toml|json|yaml)"
    r"|\.cz\.\w+|release-please-config\.json|cliff\.toml|\.czrc|\.gitlint"
)
_TABLES: Final = ("commitizen", "semantic_release", "git-cliff")
_HOOKS: Final = (b"conventional-pre-commit", b"commitizen-tools/commitizen", b"commitlint", b"compilerla/conventional")
_HOOK_FILES: Final = (".pre-commit-config.yaml", "prek.toml", "lefthook.yml")


def follows_conventional_commits(read: Read, paths: Collection[str], top: Git | None = None) -> bool:
    """Whether files at the top of the repository, or the project's pyproject.toml, configure such a tool.

    ``read`` reads files of the project, ``paths`` are those of the repository.
    """
    if any(_FILES.fullmatch(path) for path in paths):
        return True
    if any(name in table(Files(read).pyproject, "tool") for name in _TABLES):
        return True
    head = top.head() if top is not None else None
    if top is None or head is None:
        return False
    hooks = (top.read(head, name) for name in _HOOK_FILES if name in paths)
    return any(word in content for content in hooks if content is not None for word in _HOOKS)
