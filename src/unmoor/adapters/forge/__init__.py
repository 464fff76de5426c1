"""The forge: releases through GitHub's REST API, and their assets through the bounded session.

Implements `unmoor.ports.forge`. Begin with `github`; `parse` validates the answers. `repository_rules` has the rules of
the repository, which implements the port of that name.
"""

from __future__ import annotations

from unmoor.adapters.forge.github import GitHubForge
from unmoor.adapters.forge.repository_rules import GitHubRules

__all__ = ["GitHubForge", "GitHubRules"]
