"""The forge over HTTP: PyGithub for JSON, our own bounded session beneath it and for assets."""

from __future__ import annotations

from unmoor.adapters.forge.github import GitHubForge

__all__ = ["GitHubForge"]
