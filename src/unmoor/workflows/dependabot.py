"""dependabot.yml: weekly updates of what the project pins, in groups and after a cool-down."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from typing import Final

from unmoor.workflows.facts import WorkflowFacts
from unmoor.workflows.model import Value
from unmoor.workflows.steps import MARK
from unmoor.workflows.yaml_text import write_yaml

DEPENDABOT_FILE: Final = ".github/dependabot.yml"
_COOL_DOWN: Final = 7
_COMMENT: Final = f"""\
# {MARK}
# Updates come once a week, all of a kind in one pull request, and {_COOL_DOWN} days after the release: most of what is
# published with bad intent is found in that time. Security updates come at once.
"""


def dependabot_text(facts: WorkflowFacts) -> str:
    """Return the file dependabot.yml."""
    return _COMMENT + write_yaml(dependabot_tree(facts))


def dependabot_tree(facts: WorkflowFacts) -> Value:
    """Return what YAML says in dependabot.yml."""
    updates = [_update("github-actions", ["/"], "actions")]
    updates.append(_update("uv" if facts.uses_uv else "pip", [posixpath.join("/", facts.path)], "python"))
    if facts.docker:
        updates.append(_update("docker", facts.docker, "docker"))
    if facts.settings.workflows.tool == "index":
        updates.append(_update("pip", ["/.github/unmoor"], "unmoor"))
    return {"version": 2, "updates": updates}


def _update(ecosystem: str, folders: Sequence[str], group: str) -> Value:
    where: dict[str, Value] = {"directories": list(folders)} if len(folders) > 1 else {"directory": folders[0]}
    return {
        "package-ecosystem": ecosystem,
        **where,
        "schedule": {"interval": "weekly"},
        "cooldown": {"default-days": _COOL_DOWN},
        "groups": {group: {"patterns": ["*"]}},
    }
