"""What the checks of this room share: the ports to ask, and what the workflow of the release is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unmoor import advice
from unmoor.checks.model import CheckContext
from unmoor.errors import ConfigError, Unknown
from unmoor.ports.repository_rules import RepositoryRules
from unmoor.project import read_facts

if TYPE_CHECKING:
    from unmoor.ports.services import Services
    from unmoor.workflows.facts import WorkflowFacts


def services_of(context: CheckContext) -> Services:
    """The ports of the project's repository. Raises `Unknown` if nobody knows which one on the forge it is."""
    try:
        return context.services()
    except ConfigError as error:
        if context.repository():
            raise
        raise Unknown(
            "it is not known which repository on the forge this is: there is no remote on GitHub",
            next_step=advice.NAME_REPOSITORY(),
            retryable=False,
        ) from error


def administered(context: CheckContext) -> RepositoryRules:
    """The rules of the repository, for what only administrators see. Raises `Unknown` if there is no token."""
    rules = services_of(context).rules
    if not rules.has_token():
        raise Unknown(
            "only an administrator's token can see it, and there is no token",
            next_step=advice.GRANT_ADMINISTRATION(),
            retryable=False,
        )
    return rules


def workflow_facts(context: CheckContext) -> WorkflowFacts:
    """What the release workflow depends on: its file, environments and tags."""
    from unmoor.workflows.facts import read_facts as read_workflow_facts

    settings = context.settings
    return read_workflow_facts(
        context.files,
        settings,
        project=settings.project or read_facts(context.files.read).name,
        path=context.path,
        default_branch=context.default_branch() or "main",
        top=context.top,
    )
