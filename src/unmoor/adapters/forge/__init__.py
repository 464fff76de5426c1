"""The forge: releases through GitHub's REST API, and their assets through the bounded session.

Implements `unmoor.ports.forge`. Begin with `github`; `parse` validates the answers.
"""

from __future__ import annotations

from unmoor.adapters.forge.github import GitHubForge

__all__ = ["GitHubForge"]
