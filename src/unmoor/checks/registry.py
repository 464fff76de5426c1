"""Every check, in the order in which the results are printed.

To add a check, write a module with a `RepositoryCheck` named ``CHECK`` and name it here. What a check needs is imported
when it runs, so that listing them stays fast. The reference page is generated from this list.
"""

from __future__ import annotations

from typing import Final

from unmoor.checks import (
    coverage,
    fragments,
    hadolint,
    optional_files,
    pinned,
    pyproject,
    required_files,
    syntax,
    uncommitted,
    version,
    workflow_linters,
    workflows,
)
from unmoor.checks.access import environments, publishers, rules, settings, token
from unmoor.checks.full import install, rehearsal
from unmoor.checks.model import RepositoryCheck

CHECKS: Final[tuple[RepositoryCheck, ...]] = (
    required_files.CHECK,
    optional_files.CHECK,
    pyproject.CHECK,
    version.CHECK,
    syntax.CHECK,
    fragments.NAMES,
    fragments.PRESENT,
    pinned.CHECK,
    workflows.CHECK,
    workflow_linters.ACTIONLINT,
    workflow_linters.ZIZMOR,
    hadolint.CHECK,
    uncommitted.CHECK,
    install.CHECK,
    rehearsal.CHECK,
    token.CHECK,
    settings.WORKFLOW_PERMISSIONS,
    environments.CHECK,
    publishers.INDEX,
    publishers.STAGING,
    rules.BRANCH_RULES,
    rules.TAG_RULES,
    settings.IMMUTABLE_RELEASES,
    coverage.WHOLE,
    coverage.CHANGES,
)
