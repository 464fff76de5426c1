"""The forge: releases through GitHub's REST API, and their assets through our own bounded session.

Implements `unmoor.ports.forge`. Begin with `github`; `parse` refuses an answer that is not what it must be.
"""

from __future__ import annotations

from unmoor.adapters.forge.github import GitHubForge

__all__ = ["GitHubForge"]
