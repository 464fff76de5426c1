"""The forge: releases through GitHub's REST API, and their assets through our own bounded session."""

from __future__ import annotations

from unmoor.adapters.forge.github import GitHubForge

__all__ = ["GitHubForge"]
